// One choice's text on its way out: only what may be part of a listed word waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/filter/word_list.h"

namespace premise {

/// What happens to text with a listed word in it.
enum class FilterAction : std::uint8_t {
  reject,  // ends before the word
  mask,    // goes on with '*' for every character of the word
  log,     // passes; words are counted
};

/// One thread. Pieces may be cut anywhere, also inside a character, without changing the sum of
/// what comes out: for mask it is WordList::masked() of all pieces joined. For reject it is a
/// beginning of the text before the first word.
class StreamFilter {
 public:
  StreamFilter(std::shared_ptr<const WordList> words, FilterAction action)
      : words_(std::move(words)), action_(action), stream_(words_->automaton()) {}

  /// Takes more of the text and gives out what is settled by now. After stopped(): nothing.
  std::string feed(std::string_view piece);
  /// The rest. Nothing is fed after it.
  std::string finish();

  /// True where a word was found that ends the text (reject).
  bool stopped() const { return stopped_; }
  /// Words found.
  std::size_t matches() const { return matches_; }
  /// Bytes that wait.
  std::size_t held_bytes() const { return held_.size(); }
  /// Characters given out; a mask has as many as what it hides.
  std::size_t characters_out() const { return characters_out_; }

  /// True where any of the characters `begin` to `end`, which were given out, were masked.
  bool hides(std::size_t begin, std::size_t end) const;

 private:
  struct Hidden {  // characters
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::string release();
  void give(std::size_t until, bool hide, std::string& out);

  std::shared_ptr<const WordList> words_;
  FilterAction action_;
  MatchStream stream_;
  bool stopped_ = false;
  std::size_t matches_ = 0;
  std::string held_;  // the text from byte `given_bytes_` on
  std::size_t given_bytes_ = 0;
  std::size_t characters_out_ = 0;
  std::vector<Hidden> hidden_;  // in order
};

}  // namespace premise
