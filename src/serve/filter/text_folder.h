// A stream of UTF-8 into the code points that words are compared by, each with its place.
//
// Words of a list and texts go through the same folder, in this order:
//   1. Every code point is folded by itself (code_class.h): NFKC and case folding, held decomposed;
//      what has no width is dropped, white space is U+0020 or, where it breaks a line, U+000A.
//   2. Marks: those that only decorate are dropped, and so is a mark that its letter has already;
//      of the others the first 32 are kept, in the order of their combining class.
//   3. White space: a run becomes one U+0020 (one for each 16, so that nothing is held forever).
//   4. Separators (spaces, symbols, dashes, * . / and the like) between two letters, one of them
//      Chinese, are dropped: up to 8, among them at most one break of a line. Chinese has no spaces
//      between words, so that "法 轮 功" and "法*轮*功" are the word. Punctuation that ends clauses
//      (，。！？；：、 and brackets) is never dropped: "今日。本店" does not hold 日本.
// A border lies before a folded code point where a listed word may begin or end: never inside a
// character of the original (㍿ is not cut), a letter with its marks or a Hangul syllable, nor
// between two letters or digits of scripts that write words apart, so that "class" does not hold
// "ass". Chinese, kana, Hangul, Thai and their like have a border at every character.
//
// Bytes that are no UTF-8 count as U+FFFD, one for each byte. The one thing that differs from
// normalizing first and folding then: U+0345 out of canonical order (polytonic Greek).
// Source: UAX #15 (normalization), UAX #29 (borders), Unicode 15.0, 3.13 (case folding).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "serve/filter/code_class.h"

namespace premise {

struct FoldedItem {
  char32_t code = 0;
  bool border = false;    // before it; see above
  std::size_t begin = 0;  // of the original character, bytes since the stream's beginning
  std::size_t end = 0;    // greatest end of this and all earlier items
};

/// One thread. Whatever pieces the text is fed in, the items are the same.
class TextFolder {
 public:
  static constexpr std::size_t separators_max = 8;
  static constexpr std::size_t marks_max = 32;
  static constexpr std::size_t white_run_max = 16;

  /// Appends to `out` what cannot change any more.
  void feed(std::string_view piece, std::vector<FoldedItem>& out);
  /// The end of the text: the rest. Nothing is fed after it.
  void finish(std::vector<FoldedItem>& out);

  /// Bytes that whole characters were made of; the rest (at most 3) may become one.
  std::size_t read_bytes() const { return read_; }
  /// Separators that come next unless a letter makes them vanish: a Chinese one, or any where
  /// undecided_after_han().
  std::span<const FoldedItem> undecided() const { return separators_; }
  bool undecided_after_han() const { return (before_ & code_han) != 0; }
  /// True where the next item, undecided ones among them, has a border before it whatever is fed:
  /// what was last is no letter, or one that takes no marks and joins no word.
  bool border_follows() const;

 private:
  void take_character(char32_t code, std::size_t bytes);
  void take_mark(FoldedItem item);
  void take_separator(FoldedItem item, std::uint16_t found);
  void take_other(FoldedItem item, std::uint16_t found);
  void close_cluster();
  void emit(FoldedItem item);
  void emit_separators();

  std::vector<FoldedItem>* out_ = nullptr;  // while feeding
  std::size_t read_ = 0;
  char partial_[4] = {};  // the beginning of a character
  std::size_t partial_bytes_ = 0;

  char32_t base_ = 0;  // what a mark attaches to
  std::vector<FoldedItem> marks_;

  std::uint16_t before_ = 0;  // class of the item before the separators; 0: separators stay
  std::vector<FoldedItem> separators_;
  std::size_t separator_count_ = 0;  // those of the run, also where white space was joined
  std::size_t line_breaks_ = 0;
  std::size_t white_run_ = 0;

  std::uint16_t last_class_ = 0;  // of the last item emitted
  std::size_t last_end_ = 0;
  bool source_used_ = false;  // the character being taken has made an item
};

}  // namespace premise
