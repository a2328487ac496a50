// Which beginnings of texts the cache still holds: a tree whose every edge is one full block of
// tokens and whose every node names, by cache group, the physical block with their keys and values.
//
// A block's content depends on all tokens before it, so a node is found by its parent and its own
// tokens: the chain of parents stands for the whole beginning. The table is indexed by a 64-bit
// hash of both, and a candidate counts only when parent, scope and tokens are equal. Comparing was
// preferred to trusting a 128-bit hash: one tenant must never be able to construct a text that
// reads another's keys, a cryptographic hash costs more than the 128 bytes a block that the tokens
// take, and these are nothing beside the block itself (18 layers of the smallest model: 0.6 MB).
//
// A scope separates those who must not learn from timing what others asked; it also carries the
// adapter, which changes keys and values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace premise {

/// Who may share beginnings with whom; salt 0 shares with nobody, not even itself.
struct PrefixScope {
  std::uint64_t salt = 0;
  std::uint64_t adapter = 0;

  bool shares() const { return salt != 0; }
  bool operator==(const PrefixScope&) const = default;
};

/// One thread at a time.
class PrefixTree {
 public:
  using Node = std::int32_t;
  static constexpr Node none = -1;

  explicit PrefixTree(std::size_t groups) : groups_(groups) {}

  /// The node below `parent` (none: the beginning of a text) for these tokens, or none.
  Node find(const PrefixScope& scope, Node parent, std::span<const std::int32_t> tokens) const;

  /// Adds such a node, without blocks and with one pin; it is not there yet.
  Node add(const PrefixScope& scope, Node parent, std::span<const std::int32_t> tokens);

  /// The physical block in a group, or -1.
  std::int32_t block(Node node, std::size_t group) const { return at(node).blocks[group]; }
  void set_block(Node node, std::size_t group, std::int32_t block);

  /// The content of the node's block is gone; so is the node, where nothing else needs it.
  void forget_block(Node node, std::size_t group);

  /// A pinned node stays, with or without blocks: a running text will grow below it.
  void pin(Node node) { ++at(node).pins; }
  void unpin(Node node);

  std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    PrefixScope scope;
    Node parent = none;
    std::uint64_t hash = 0;
    std::size_t children = 0;
    std::size_t pins = 0;
    std::vector<std::int32_t> tokens;
    std::vector<std::int32_t> blocks;  // [group], -1 where not held
  };
  Entry& at(Node node) { return entries_[static_cast<std::size_t>(node)]; }
  const Entry& at(Node node) const { return entries_[static_cast<std::size_t>(node)]; }
  void prune(Node node);

  std::size_t groups_;
  std::vector<Entry> entries_;
  std::vector<Node> unused_;
  std::unordered_multimap<std::uint64_t, Node> index_;  // by hash
};

}  // namespace premise
