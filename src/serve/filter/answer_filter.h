// The word filter between an endpoint and a dialect's encoder: events in, events out.
//
// Rejected choices end with ChoiceEnding::filtered as soon as a word is certain; what came before
// it is told, nothing after. Masked text keeps its number of characters, so that offsets stay true.
// Tokens (logprobs) follow the text: one is told when all characters it had a part in are out, and
// dropped where any of them was hidden. A character may be made of several tokens that all say the
// same offset; each of them counts as overlapping the whole character. Alternatives that are a
// listed word by themselves are left out.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "serve/endpoint/endpoint.h"
#include "serve/filter/stream_filter.h"

namespace premise {

/// One request, one thread (the endpoint's). Keeps the law: every choice ends at most once, Ended
/// comes once and last, and nothing is told of a choice after its end.
class AnswerFilter {
 public:
  /// `choices` of the request are numbered from 0; events of others are dropped.
  AnswerFilter(std::shared_ptr<const WordList> words, FilterAction action, std::size_t choices)
      : words_(std::move(words)), action_(action), expected_choices_(choices) {}

  struct Filtered {
    std::vector<EndpointEvent> events;  // to be told instead, in order
    /// Once: the filter has ended all choices that the endpoint had not. Cancel the request; what
    /// the endpoint then says is made to fit (its Ended becomes `complete`).
    bool cancel = false;
  };
  Filtered take(EndpointEvent event);

  /// Words found in all choices so far; a rejected choice counts one.
  std::size_t matches() const;
  bool rejected() const { return rejected_ > 0; }

 private:
  struct WaitingToken {
    GeneratedToken token;
    std::size_t end = 0;  // characters of the choice up to and with those it has a part in
  };
  struct Choice {
    Choice(std::shared_ptr<const WordList> words, FilterAction action)
        : filter(std::move(words), action) {}
    StreamFilter filter;
    bool ended = false;     // the client was told
    bool computed = false;  // the endpoint has told
    std::size_t characters_in = 0;
    std::deque<WaitingToken> tokens;
  };

  Choice& choice(std::size_t index);
  void take_text(TextEvent event, Filtered& out);
  void take_choice_end(ChoiceEnd end, Filtered& out);
  void take_ended(Ended ended, Filtered& out);
  void wait_for_text(std::vector<GeneratedToken> tokens, Choice& of) const;
  void tell(std::size_t index, std::string text, bool all, Filtered& out);
  void release_tokens(Choice& of, bool all, std::vector<GeneratedToken>& out);

  std::shared_ptr<const WordList> words_;
  FilterAction action_;
  std::size_t expected_choices_;
  std::deque<Choice> choices_;
  std::size_t ended_ = 0;     // choices, as the client was told
  std::size_t computed_ = 0;  // choices, as the endpoint has told
  std::size_t rejected_ = 0;  // of them by this filter
  bool cancelled_ = false;
  bool over_ = false;  // Ended was told
};

}  // namespace premise
