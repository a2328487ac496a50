// Stop strings in a stream of text: how much may be shown, and when to stop.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace premise {

/// A set of strings at which generation stops. Immutable and thread-safe; memory and building time
/// are linear in their total length. Empty strings stop nothing.
class StopStrings {
 public:
  explicit StopStrings(std::span<const std::string> strings = {});

  bool empty() const { return nodes_.size() == 1; }

 private:
  friend class StopMatcher;
  using Node = std::uint32_t;

  struct Place {
    std::uint32_t depth = 0;       // bytes from the root: the longest beginning of a stop string
                                   // that the text read so far ends with
    Node shorter = 0;              // the next shorter such beginning
    std::uint32_t stop_bytes = 0;  // of the longest stop string that ends here; 0: none
    std::uint32_t stop_index = 0;  // which one it is
  };

  std::optional<Node> child(Node node, char byte) const;
  Node next(Node node, char byte) const;

  std::vector<Place> nodes_;
  std::unordered_map<std::uint64_t, Node> children_;  // node · 256 + byte → child
};

/// Reads one stream. Holds back only text that may be the beginning of a stop string; takes time
/// linear in the stream however it is cut. `strings` must outlive it.
///
/// The stop string that is complete first wins; of several that end together, the longest.
class StopMatcher {
 public:
  explicit StopMatcher(const StopStrings& strings) : strings_(&strings) {}

  /// The text that may be shown now; valid until the next call. Nothing more comes after a stop:
  /// the text before the stop string has been returned, itself and what follows are dropped.
  std::string_view push(std::string_view text);

  /// The end of the stream without a stop: the text held back so far.
  std::string_view flush();

  /// The index of the stop string that was met.
  std::optional<std::size_t> stopped() const { return stopped_; }

 private:
  std::string_view release(std::size_t end);

  const StopStrings* strings_;
  std::string buffer_;
  std::size_t shown_ = 0;  // bytes of the buffer that have been returned
  StopStrings::Node node_ = 0;
  std::optional<std::size_t> stopped_;
};

}  // namespace premise
