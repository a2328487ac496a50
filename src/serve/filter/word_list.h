// The words that must not pass, ready to be looked for.
//
// A file has a word or phrase a line, UTF-8 (with or without a byte order mark), lines ended by LF
// or CRLF; lines that are empty or begin with # are skipped. A word that begins with # is written
// with a full-width ＃. Words are folded as texts are (text_folder.h), so that case, width and
// compatibility forms are the same word; separators at the ends of a Chinese word are dropped.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serve/filter/match_stream.h"
#include "serve/filter/word_automaton.h"

namespace premise {

/// A file of words that has been read.
struct WordText {
  std::string name;  // for messages
  std::string text;
};

/// Immutable; any number of threads.
class WordList {
 public:
  static constexpr std::size_t words_max = 1'000'000;
  static constexpr std::size_t word_codes_max = 128;                    // after folding
  static constexpr std::size_t text_bytes_max = std::size_t{16} << 20;  // of all files together
  static constexpr std::size_t all_codes_max = std::size_t{16} << 20;   // of all words, folded

  /// Without words: nothing matches.
  WordList() = default;

  /// bad_input names file and line: no UTF-8, a word of ignored characters only or one that is too
  /// long, too many words.
  static Result<WordList> parse(std::span<const WordText> files);

  /// Different words, after folding.
  std::size_t size() const { return automaton_.words(); }
  std::size_t memory_bytes() const { return automaton_.memory_bytes(); }

  /// Where words are: leftmost and longest, in order, apart from each other.
  std::vector<ByteRange> matches(std::string_view text) const;
  /// True where matches() finds any.
  bool matches_any(std::string_view text) const;
  /// The text with every character of every match replaced by '*'.
  std::string masked(std::string_view text) const;

  /// What a MatchStream runs on; lives as long as this object.
  const WordAutomaton& automaton() const { return automaton_; }

 private:
  WordAutomaton automaton_;
};

/// One '*' for each character of `text` (at least one), so that counts of characters stay.
std::string mask_of(std::string_view text);

}  // namespace premise
