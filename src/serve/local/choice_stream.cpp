#include "serve/local/choice_stream.h"

#include <algorithm>
#include <utility>

#include "serve/endpoint/endpoint.h"

namespace premise {

ChoiceStream::ChoiceStream(const Tokenizer& tokenizer, const StopStrings& stops,
                           ChoiceStreamOptions options)
    : tokenizer_(tokenizer),
      options_(options),
      detokenizer_(tokenizer, {.keep_leading_space = options.keep_leading_space}),
      matcher_(stops),
      characters_(options.offset) {}

TokenChance ChoiceStream::chance(TokenId id, float logprob) const {
  return {id, std::string(tokenizer_.bytes_of(id, true)), logprob};
}

GeneratedToken ChoiceStream::describe(const TokenEvent& event) const {
  GeneratedToken token{chance(*event.token, event.logprob), characters_, {}};
  for (const TokenLogprob& other : event.top) token.top.push_back(chance(other.id, other.logprob));
  return token;
}

void ChoiceStream::push(const TokenEvent& event, TextEvent& out) {
  if (!event.token || stopped()) return;
  const std::string_view piece = detokenizer_.push(*event.token);
  if (options_.tell_tokens) waiting_.push_back({read_, read_ + piece.size(), describe(event)});
  read(piece, out);
}

void ChoiceStream::read(std::string_view piece, TextEvent& out) {
  read_ += piece.size();
  characters_ += text_characters(piece);
  show(matcher_.push(piece), out);
}

void ChoiceStream::show(std::string_view text, TextEvent& out) {
  out.text += text;
  shown_ += text.size();
  // After a stop a token with any text before the stop string was still part of the answer.
  while (!waiting_.empty() &&
         (stopped() ? waiting_.front().begin < shown_ : waiting_.front().end <= shown_)) {
    out.tokens.push_back(std::move(waiting_.front().token));
    waiting_.pop_front();
  }
}

void ChoiceStream::finish(TextEvent& out) {
  if (stopped()) return;
  read(detokenizer_.flush(), out);
  if (stopped()) return;  // an unfinished character completed a stop string
  show(matcher_.flush(), out);
  for (Waiting& waiting : waiting_) out.tokens.push_back(std::move(waiting.token));
  waiting_.clear();
}

}  // namespace premise
