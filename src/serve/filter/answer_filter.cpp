#include "serve/filter/answer_filter.h"

#include <algorithm>
#include <utility>

namespace premise {

AnswerFilter::Choice& AnswerFilter::choice(std::size_t index) {
  while (choices_.size() <= index) choices_.emplace_back(words_, action_);
  return choices_[index];
}

AnswerFilter::Filtered AnswerFilter::take(EndpointEvent event) {
  Filtered out;
  if (over_) return out;
  if (auto* text = std::get_if<TextEvent>(&event))
    take_text(std::move(*text), out);
  else if (const auto* end = std::get_if<ChoiceEnd>(&event))
    take_choice_end(*end, out);
  else
    take_ended(std::move(std::get<Ended>(event)), out);
  if (!over_ && !cancelled_ && ended_ == expected_choices_ && computed_ < expected_choices_)
    out.cancel = cancelled_ = true;
  return out;
}

void AnswerFilter::take_text(TextEvent event, Filtered& out) {
  if (event.choice >= expected_choices_) return;
  Choice& of = choice(event.choice);
  if (of.ended) return;
  of.characters_in += text_characters(event.text);
  wait_for_text(std::move(event.tokens), of);
  tell(event.choice, of.filter.feed(event.text), false, out);
}

void AnswerFilter::take_choice_end(ChoiceEnd end, Filtered& out) {
  if (end.choice >= expected_choices_) return;
  Choice& of = choice(end.choice);
  if (!std::exchange(of.computed, true)) ++computed_;
  if (of.ended) return;
  tell(end.choice, of.filter.finish(), true, out);
  if (of.ended) return;
  of.ended = true;
  ++ended_;
  out.events.emplace_back(end);
}

void AnswerFilter::take_ended(Ended ended, Filtered& out) {
  for (std::size_t index = 0; index < choices_.size(); ++index)
    if (!choices_[index].ended) tell(index, choices_[index].filter.finish(), true, out);
  // Cancelled on our word, after every choice had its end: for the client the answer is complete.
  if (cancelled_ && ended.how == Ended::How::cancelled) ended.how = Ended::How::complete;
  over_ = true;
  out.events.emplace_back(std::move(ended));
}

// Tokens say where their text begins; where it ends is told by the next one that begins later, or
// by the text that is here. At least a character: a token may be the beginning of one.
void AnswerFilter::wait_for_text(std::vector<GeneratedToken> tokens, Choice& of) const {
  std::size_t next = of.characters_in;
  const std::size_t before = of.tokens.size();
  for (std::size_t i = tokens.size(); i-- > 0;) {
    const std::size_t begin = tokens[i].text_offset;
    if (i + 1 < tokens.size() && tokens[i + 1].text_offset > begin)
      next = tokens[i + 1].text_offset;
    if (action_ != FilterAction::log)
      std::erase_if(tokens[i].top,
                    [this](const TokenChance& other) { return words_->matches_any(other.bytes); });
    of.tokens.insert(of.tokens.begin() + static_cast<std::ptrdiff_t>(before),
                     {std::move(tokens[i]), std::max(next, begin + 1)});
  }
}

void AnswerFilter::tell(std::size_t index, std::string text, bool all, Filtered& out) {
  Choice& of = choices_[index];
  TextEvent event{index, std::move(text), {}};
  release_tokens(of, all && !of.filter.stopped(), event.tokens);
  if (!event.text.empty() || !event.tokens.empty()) out.events.emplace_back(std::move(event));
  if (!of.filter.stopped()) return;
  of.tokens.clear();
  of.ended = true;
  ++ended_;
  ++rejected_;
  out.events.emplace_back(ChoiceEnd{index, ChoiceEnding::filtered});
}

void AnswerFilter::release_tokens(Choice& of, bool all, std::vector<GeneratedToken>& out) {
  while (!of.tokens.empty()) {
    WaitingToken& first = of.tokens.front();
    if (!all && action_ != FilterAction::log && first.end > of.filter.characters_out()) break;
    if (!of.filter.hides(first.token.text_offset, first.end)) out.push_back(std::move(first.token));
    of.tokens.pop_front();
  }
}

std::size_t AnswerFilter::matches() const {
  std::size_t sum = 0;
  for (const Choice& each : choices_) sum += each.filter.matches();
  return sum;
}

}  // namespace premise
