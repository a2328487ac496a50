// Finds listed words in a stream, and says up to where the stream is settled.
//
// Of overlapping words the leftmost counts, and of those that begin together the longest; what
// follows is read anew from its end. A word must begin and end at a border (text_folder.h). A word
// that was read is certain when it is known that a border follows, and is told when none that
// begins earlier, or there and is longer, can still come. What may be part of a word that is still
// to be told is not settled; all else is.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "serve/filter/text_folder.h"
#include "serve/filter/word_automaton.h"

namespace premise {

/// Bytes begin to end of a text.
struct ByteRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const ByteRange&) const = default;
};

/// One thread. The automaton outlives it.
class MatchStream {
 public:
  explicit MatchStream(const WordAutomaton& words) : words_(&words) {}

  void feed(std::string_view piece);
  /// The end of the text: everything is settled. Nothing is fed after it.
  void finish();

  /// Bytes of the stream that are settled: all words that overlap them have been told. Never less
  /// than before, and never inside a told word.
  std::size_t settled_bytes() const;
  /// True where a word is certain after the settled bytes, though not yet which one.
  bool word_follows() const { return candidate_.has_value(); }
  /// Words told since the last call, in order, apart from each other.
  std::vector<ByteRange> take_matches();

 private:
  struct ItemRange {  // of window_
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  void advance();
  void take_item();
  void tell_certain();
  void consider(ItemRange found);
  void tell_candidate();
  void forget_settled();
  const FoldedItem& item_at(std::size_t index) const;
  std::optional<std::size_t> longest_word(WordAutomaton::Node node, std::size_t at) const;
  template <typename GoesOn>
  std::optional<std::size_t> earliest_beginning(WordAutomaton::Node node, std::size_t at,
                                                GoesOn goes_on) const;
  std::optional<std::size_t> earliest_pending() const;

  const WordAutomaton* words_;
  TextFolder folder_;
  std::vector<FoldedItem> window_;  // from the first item that is not settled, or a little earlier
  std::size_t next_ = 0;            // in window_: the first item not read
  WordAutomaton::Node node_ = WordAutomaton::root;
  std::optional<ItemRange> unconfirmed_;  // a word that ends at next_, if that is a border
  std::optional<ItemRange> candidate_;    // the leftmost and longest certain word
  std::vector<ByteRange> matches_;
  bool finished_ = false;
};

}  // namespace premise
