// What a client hears of an answer with listed words in it, and the laws of events.
#include "serve/filter/answer_filter.h"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

namespace premise {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::shared_ptr<const WordList> answer_words(const std::string& lines) {
  const WordText file{"list", lines};
  return std::make_shared<WordList>(*WordList::parse({&file, 1}));
}

TextEvent said(std::string text, std::size_t choice = 0) { return {choice, std::move(text), {}}; }

GeneratedToken token_of(std::string bytes, std::size_t offset, std::vector<std::string> top = {}) {
  GeneratedToken token{{1, std::move(bytes), -0.5f}, offset, {}};
  for (std::string& other : top) token.top.push_back({2, std::move(other), -1.0f});
  return token;
}

Ended ended(Ended::How how) {
  Ended event;
  event.how = how;
  return event;
}

/// Events as short texts: "0:text", "0:text {tok,tok}", "0 stop", "complete".
std::vector<std::string> heard(const AnswerFilter::Filtered& filtered) {
  std::vector<std::string> lines;
  for (const EndpointEvent& event : filtered.events) {
    if (const auto* text = std::get_if<TextEvent>(&event)) {
      std::string line = std::to_string(text->choice) + ":" + text->text;
      for (const GeneratedToken& token : text->tokens) line += " {" + token.token.bytes + "}";
      lines.push_back(line);
    } else if (const auto* end = std::get_if<ChoiceEnd>(&event)) {
      const char* names[] = {" stop", " length", " filtered"};
      lines.push_back(std::to_string(end->choice) + names[static_cast<int>(end->ending)]);
    } else {
      const char* names[] = {"complete", "cancelled", "failed"};
      lines.push_back(names[static_cast<int>(std::get<Ended>(event).how)]);
    }
  }
  if (filtered.cancel) lines.push_back("(cancel)");
  return lines;
}

std::vector<std::string> hear_all(AnswerFilter& filter, std::vector<EndpointEvent> events) {
  std::vector<std::string> lines;
  for (EndpointEvent& event : events)
    for (std::string& line : heard(filter.take(std::move(event)))) lines.push_back(std::move(line));
  return lines;
}

TEST(AnswerFilter, ARejectedChoiceEndsBeforeTheWord) {
  AnswerFilter filter(answer_words("secret"), FilterAction::reject, 1);
  EXPECT_THAT(
      hear_all(filter, {said("a sec"), said("ret "), said("more"), ended(Ended::How::cancelled)}),
      ElementsAre("0:a ", "0 filtered", "(cancel)", "complete"));
  EXPECT_TRUE(filter.rejected());
  EXPECT_EQ(filter.matches(), 1u);
}

TEST(AnswerFilter, AWordAtTheVeryEndFilters) {
  AnswerFilter filter(answer_words("secret"), FilterAction::reject, 1);
  EXPECT_THAT(hear_all(filter, {said("a secret"), ChoiceEnd{0, ChoiceEnding::stop},
                                ended(Ended::How::complete)}),
              ElementsAre("0:a ", "0 filtered", "complete"));
}

TEST(AnswerFilter, OtherChoicesGoOn) {
  AnswerFilter filter(answer_words("secret"), FilterAction::reject, 2);
  EXPECT_THAT(hear_all(filter, {said("secret.", 0), said("fine", 1), said("more", 0),
                                ChoiceEnd{0, ChoiceEnding::length}, said(" too", 1),
                                ChoiceEnd{1, ChoiceEnding::length}, ended(Ended::How::complete)}),
              ElementsAre("0 filtered", "1:fine", "1: too", "1 length", "complete"));
}

TEST(AnswerFilter, CancelsWhenOnlyFilteredChoicesAreStillComputed) {
  AnswerFilter filter(answer_words("secret"), FilterAction::reject, 2);
  EXPECT_THAT(
      hear_all(filter, {said("secret.", 0), said("fine", 1), ChoiceEnd{1, ChoiceEnding::stop},
                        said("x", 0), ended(Ended::How::cancelled)}),
      ElementsAre("0 filtered", "1:fine", "1 stop", "(cancel)", "complete"));
}

TEST(AnswerFilter, MaskingGoesOn) {
  AnswerFilter filter(answer_words("法轮功"), FilterAction::mask, 1);
  EXPECT_THAT(hear_all(filter, {said("说法"), said("轮"), said("功了"),
                                ChoiceEnd{0, ChoiceEnding::length}, ended(Ended::How::complete)}),
              ElementsAre("0:说", "0:***了", "0 length", "complete"));
  EXPECT_FALSE(filter.rejected());
  EXPECT_EQ(filter.matches(), 1u);
}

TEST(AnswerFilter, WhatWaitedComesBeforeTheEnd) {
  AnswerFilter filter(answer_words("secret"), FilterAction::mask, 2);
  EXPECT_THAT(hear_all(filter, {said("sec", 0), said("secr", 1), ChoiceEnd{0, ChoiceEnding::stop},
                                ended(Ended::How::failed)}),
              ElementsAre("0:sec", "0 stop", "1:secr", "failed"));
}

TEST(AnswerFilter, LoggingChangesNothing) {
  AnswerFilter filter(answer_words("secret"), FilterAction::log, 1);
  TextEvent event = said("a secret");
  event.tokens = {token_of("a", 0, {"secret"}), token_of(" secret", 1)};
  const auto filtered = filter.take(event);
  ASSERT_EQ(filtered.events.size(), 1u);
  EXPECT_EQ(std::get<TextEvent>(filtered.events[0]).tokens[0].top.size(), 1u);
  EXPECT_THAT(heard(filtered), ElementsAre("0:a secret {a} { secret}"));
  EXPECT_THAT(hear_all(filter, {ChoiceEnd{0, ChoiceEnding::stop}, ended(Ended::How::complete)}),
              ElementsAre("0 stop", "complete"));
  EXPECT_EQ(filter.matches(), 1u);
}

TEST(AnswerFilter, ACancelOfTheClientsStaysOne) {
  AnswerFilter filter(answer_words("secret"), FilterAction::reject, 1);
  EXPECT_THAT(hear_all(filter, {said("hi"), ended(Ended::How::cancelled)}),
              ElementsAre("0:hi", "cancelled"));
}

TEST(AnswerFilter, TokensWaitForTheirText) {
  AnswerFilter filter(answer_words("secret"), FilterAction::mask, 1);
  TextEvent first = said("a se");
  first.tokens = {token_of("a", 0), token_of(" se", 1)};
  TextEvent second = said("t of");
  second.tokens = {token_of("t", 4), token_of(" of", 5)};
  EXPECT_THAT(hear_all(filter, {first, second}),
              ElementsAre("0:a  {a}", "0:set of { se} {t} { of}"));
}

TEST(AnswerFilter, TokensOfMaskedTextAreDropped) {
  AnswerFilter filter(answer_words("secret"), FilterAction::mask, 1);
  TextEvent first = said("my sec");
  first.tokens = {token_of("my", 0), token_of(" sec", 2)};
  TextEvent second = said("ret key");
  second.tokens = {token_of("ret", 6), token_of(" key", 9)};
  EXPECT_THAT(hear_all(filter, {first, second}), ElementsAre("0:my  {my}", "0:****** key { key}"));
}

TEST(AnswerFilter, TokensThatAreTheBeginningOfACharacterShareItsFate) {
  AnswerFilter filter(answer_words("法轮"), FilterAction::mask, 1);
  TextEvent first = said("说");
  first.tokens = {token_of("说", 0), token_of("\xE6\xB3", 1)};
  TextEvent second = said("法轮 ");
  second.tokens = {token_of("\x95", 1), token_of("轮", 2), token_of(" ", 3)};
  EXPECT_THAT(hear_all(filter, {first, second}), ElementsAre("0:说 {说}", "0:**  { }"));
}

TEST(AnswerFilter, RejectedTokensAreNotTold) {
  AnswerFilter filter(answer_words("secret"), FilterAction::reject, 1);
  TextEvent first = said("a sec");
  first.tokens = {token_of("a", 0), token_of(" ", 1), token_of("sec", 2)};
  TextEvent second = said("ret!");
  second.tokens = {token_of("ret", 5), token_of("!", 8)};
  EXPECT_THAT(hear_all(filter, {first, second}),
              ElementsAre("0:a  {a} { }", "0 filtered", "(cancel)"));
}

TEST(AnswerFilter, AlternativesThatAreAWordAreLeftOut) {
  AnswerFilter filter(answer_words("secret"), FilterAction::mask, 1);
  TextEvent event = said("a key");
  event.tokens = {token_of("a", 0), token_of(" key", 1, {" Secret", " lock"})};
  const auto filtered = filter.take(event);
  ASSERT_EQ(filtered.events.size(), 1u);
  const auto& tokens = std::get<TextEvent>(filtered.events[0]).tokens;
  ASSERT_EQ(tokens.size(), 2u);
  ASSERT_EQ(tokens[1].top.size(), 1u);
  EXPECT_EQ(tokens[1].top[0].bytes, " lock");
}

TEST(AnswerFilter, NothingComesAfterTheEnd) {
  AnswerFilter filter(answer_words("secret"), FilterAction::mask, 1);
  hear_all(filter, {ended(Ended::How::complete)});
  EXPECT_THAT(hear_all(filter, {said("x"), ended(Ended::How::complete)}), IsEmpty());
  AnswerFilter other(answer_words("secret"), FilterAction::mask, 1);
  EXPECT_THAT(hear_all(other, {said("x", 7), ChoiceEnd{7, ChoiceEnding::stop}}), IsEmpty())
      << "a choice that nobody asked for";
}

// Random answers of several choices with a token for each character.
TEST(AnswerFilterProperty, TheLawsOfEventsHoldAndNoTokenTellsWhatTextHides) {
  std::mt19937 random(4);
  const auto words = answer_words("ab\nabca\nc b\nbb");
  for (int round = 0; round < 2000; ++round) {
    const auto action = static_cast<FilterAction>(random() % 3);
    const std::size_t choices = 1 + random() % 3;
    AnswerFilter filter(words, action, choices);
    std::vector<std::string> texts(choices), shown(choices);
    std::map<std::size_t, std::set<std::size_t>> told;  // offsets of tokens, by choice
    std::vector<int> ends(choices);
    int over = 0;
    bool cancelled = false;
    const auto take = [&](EndpointEvent event) {
      auto filtered = filter.take(std::move(event));
      EXPECT_FALSE(cancelled && filtered.cancel);
      cancelled = cancelled || filtered.cancel;
      for (const EndpointEvent& out : filtered.events) {
        EXPECT_EQ(over, 0);
        if (const auto* text = std::get_if<TextEvent>(&out)) {
          EXPECT_EQ(ends[text->choice], 0);
          shown[text->choice] += text->text;
          for (const auto& token : text->tokens) {
            EXPECT_TRUE(told[text->choice].insert(token.text_offset).second);
            ASSERT_LT(token.text_offset, shown[text->choice].size());
            EXPECT_EQ(token.token.bytes, shown[text->choice].substr(token.text_offset, 1));
          }
        } else if (const auto* end = std::get_if<ChoiceEnd>(&out)) {
          EXPECT_EQ(++ends[end->choice], 1);
        } else {
          ++over;
        }
      }
    };
    for (std::size_t n = random() % 60; n > 0 && !cancelled; --n) {
      const std::size_t index = random() % choices;
      TextEvent event{index, "", {}};
      for (std::size_t count = random() % 4; count > 0; --count) {
        const std::string letter(1, "abc  "[random() % 5]);
        event.tokens.push_back(token_of(letter, texts[index].size()));
        texts[index] += letter;
        event.text += letter;
      }
      take(std::move(event));
    }
    for (std::size_t index = 0; index < choices; ++index)
      take(ChoiceEnd{index, ChoiceEnding::stop});
    take(ended(Ended::How::complete));
    EXPECT_EQ(over, 1);
    for (std::size_t index = 0; index < choices; ++index) {
      EXPECT_EQ(ends[index], 1);
      const std::string whole =
          action == FilterAction::log ? texts[index] : words->masked(texts[index]);
      EXPECT_TRUE(action == FilterAction::reject ? whole.starts_with(shown[index])
                                                 : whole == shown[index]);
      for (std::size_t at = 0; at < shown[index].size(); ++at)
        EXPECT_EQ(told[index].contains(at), shown[index][at] != '*') << texts[index];
    }
  }
}

}  // namespace
}  // namespace premise
