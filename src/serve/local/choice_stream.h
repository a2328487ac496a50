// One choice of a request: tokens in, certain text out, with the tokens that this text is made of.
//
// Text is certain when its characters are whole and it cannot be the beginning of a stop string.
// A token is told together with the last of its text; one whose text a stop string swallowed whole
// is not told at all, so that tokens told and text told are the same.
#pragma once

#include <cstddef>
#include <deque>
#include <string_view>

#include "engine/request/request.h"
#include "model/tokenizer/detokenizer.h"
#include "model/tokenizer/stop_strings.h"
#include "serve/endpoint/endpoint.h"

namespace premise {

struct ChoiceStreamOptions {
  bool keep_leading_space = true;
  bool tell_tokens = false;
  std::size_t offset = 0;  // characters of the choice that were told before
};

/// One thread. Tokenizer and stop strings outlive it.
class ChoiceStream {
 public:
  ChoiceStream(const Tokenizer& tokenizer, const StopStrings& stops, ChoiceStreamOptions options);

  /// Appends to `out` what became certain. Ignored after a stop.
  void push(const TokenEvent& event, TextEvent& out);
  /// The end of generation: what was held back, unless a stop string had come.
  void finish(TextEvent& out);

  bool stopped() const { return matcher_.stopped().has_value(); }

 private:
  struct Waiting {
    std::size_t begin = 0;  // of its text, bytes since the beginning
    std::size_t end = 0;
    GeneratedToken token;
  };
  void read(std::string_view piece, TextEvent& out);
  void show(std::string_view text, TextEvent& out);
  GeneratedToken describe(const TokenEvent& event) const;
  TokenChance chance(TokenId id, float logprob) const;

  const Tokenizer& tokenizer_;
  ChoiceStreamOptions options_;
  IncrementalDetokenizer detokenizer_;
  StopMatcher matcher_;
  std::deque<Waiting> waiting_;
  std::size_t read_ = 0;   // bytes of text that tokens have made
  std::size_t shown_ = 0;  // bytes of it that were told
  std::size_t characters_ = 0;
};

}  // namespace premise
