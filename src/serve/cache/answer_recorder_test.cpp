#include "serve/cache/answer_recorder.h"

#include <gtest/gtest.h>

#include "serve/cache/memory_result_cache.h"

namespace premise {
namespace {

const ResultKey recorded_key{std::string(64, 'k'), 1};

std::optional<CachedAnswer> recorded(std::size_t choices, const std::vector<EndpointEvent>& events,
                                     std::size_t bytes_max = cached_answer_bytes_max) {
  AnswerRecorder recorder(choices, bytes_max);
  std::optional<CachedAnswer> answer;
  for (const EndpointEvent& event : events) {
    EXPECT_FALSE(answer) << "not before the end";
    recorder.take(event);
    answer = recorder.answer();
  }
  EXPECT_FALSE(recorder.answer()) << "once";
  return answer;
}

Ended ended(Ended::How how = Ended::How::complete) { return {how, {5, 6, 2}, {}}; }

/// Tells what it was given; knows no model.
class ScriptedAnswers final : public ModelEndpoint {
 public:
  explicit ScriptedAnswers(std::vector<EndpointEvent> events) : events_(std::move(events)) {}
  const ModelCard& card() const override { return card_; }
  bool ready() const override { return true; }
  EndpointLoad load() const override { return {}; }
  Accepted<PreparedRequest> prepare(GenerationRequest request) const override {
    PreparedRequest prepared;
    prepared.request = std::move(request);
    prepared.prompts = {{{1}, 8, ""}};
    return prepared;
  }
  Accepted<EndpointRequestId> submit(PreparedRequest, EndpointListener listener) override {
    ++submitted;
    for (const EndpointEvent& event : events_) listener(event);
    return EndpointRequestId{42};
  }
  void cancel(EndpointRequestId) override { ++cancelled; }

  int submitted = 0, cancelled = 0;

 private:
  ModelCard card_{"scripted", 0, 64};
  std::vector<EndpointEvent> events_;
};

TEST(AnswerRecorder, JoinsThePiecesOfEveryChoice) {
  const GeneratedToken token{{7, "b", -0.5f}, 1, {}};
  const auto answer =
      recorded(2, {TextEvent{0, "a", {}}, TextEvent{1, "x", {}}, TextEvent{0, "b", {token}},
                   ChoiceEnd{0, ChoiceEnding::length}, TextEvent{1, "y", {}},
                   ChoiceEnd{1, ChoiceEnding::stop}, ended()});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->choices.at(0).text, "ab");
  EXPECT_EQ(answer->choices.at(0).ending, ChoiceEnding::length);
  EXPECT_EQ(answer->choices.at(0).tokens.at(0).token.id, 7);
  EXPECT_EQ(answer->choices.at(1).text, "xy");
  EXPECT_EQ(answer->usage.completion_tokens, 6u);
}

TEST(AnswerRecorder, KeepsNothingThatDidNotEndWell) {
  const TextEvent text{0, "a", {}};
  const ChoiceEnd stop{0, ChoiceEnding::stop};
  EXPECT_TRUE(recorded(1, {text, stop, ended()}));
  EXPECT_FALSE(recorded(1, {text, stop, ended(Ended::How::cancelled)}));
  EXPECT_FALSE(recorded(1, {text, stop, ended(Ended::How::failed)}));
  EXPECT_FALSE(recorded(1, {text, ChoiceEnd{0, ChoiceEnding::filtered}, ended()}));
  EXPECT_FALSE(recorded(2, {text, stop, ended()})) << "a choice without an end";
  EXPECT_FALSE(recorded(1, {text, stop}));
  EXPECT_FALSE(recorded(1, {TextEvent{1, "a", {}}, stop, ended()})) << "a choice nobody asked for";
  EXPECT_FALSE(recorded(1, {stop, text, ended()})) << "text after its end";
  EXPECT_FALSE(recorded(1, {stop, stop, ended()}));
}

TEST(AnswerRecorder, KeepsNothingThatIsTooLong) {
  const ChoiceEnd stop{0, ChoiceEnding::stop};
  const auto of = [&](std::size_t bytes) {
    return recorded(1, {TextEvent{0, std::string(bytes, 'x'), {}}, stop, ended()}, 1000);
  };
  ASSERT_TRUE(of(900));
  EXPECT_LE(encode_answer(*of(900)).size(), 1000u);
  EXPECT_FALSE(of(1000));
  const GeneratedToken wide{{1, "x", 0}, 0, std::vector<TokenChance>(20)};
  EXPECT_FALSE(recorded(1, {TextEvent{0, "x", {wide, wide}}, stop, ended()}, 1000));
}

TEST(Replay, TellsTheRecordedAnswer) {
  const std::vector<EndpointEvent> events = {TextEvent{0, "a", {}},
                                             ChoiceEnd{0, ChoiceEnding::stop},
                                             ChoiceEnd{1, ChoiceEnding::length}, ended()};
  const auto answer = recorded(2, events);
  ASSERT_TRUE(answer);
  std::vector<EndpointEvent> told;
  replay(*answer, [&](EndpointEvent event) { told.push_back(std::move(event)); });
  ASSERT_EQ(told.size(), 4u) << "no text for an empty choice";
  EXPECT_EQ(std::get<TextEvent>(told[0]).text, "a");
  EXPECT_EQ(std::get<ChoiceEnd>(told[1]).choice, 0u);
  EXPECT_EQ(std::get<ChoiceEnd>(told[2]).ending, ChoiceEnding::length);
  const Ended& end = std::get<Ended>(told[3]);
  EXPECT_EQ(end.how, Ended::How::complete);
  EXPECT_EQ(end.usage.prompt_tokens, 5u);
  EXPECT_EQ(end.usage.completion_tokens, 6u);
  EXPECT_EQ(end.usage.cached_tokens, 5u) << "the whole prompt was computed before";
  EXPECT_EQ(encode_answer(recorded(2, told).value()), encode_answer(*answer))
      << "an answer that was told again is the same answer";
}

TEST(RecordingEndpoint, PutsTheAnswerBeforeItsEndIsHeard) {
  const auto model = std::make_shared<ScriptedAnswers>(
      std::vector<EndpointEvent>{TextEvent{0, "a", {}}, ChoiceEnd{0, ChoiceEnding::stop}, ended()});
  const auto cache = std::make_shared<MemoryResultCache>(1 << 20, std::chrono::seconds(60));
  auto prepared = std::get<PreparedRequest>(model->prepare({}));
  bool found_at_end = false;
  std::size_t heard = 0;
  const auto id = recording(model, cache, recorded_key)
                      ->submit(std::move(prepared), [&](const EndpointEvent& event) {
                        ++heard;
                        const auto found = cache->find(recorded_key);
                        if (std::holds_alternative<Ended>(event))
                          found_at_end = found.has_value();
                        else
                          EXPECT_FALSE(found);
                      });
  EXPECT_EQ(std::get<EndpointRequestId>(id), 42u);
  EXPECT_EQ(heard, 3u);
  EXPECT_TRUE(found_at_end);
}

TEST(RecordingEndpoint, PassesEverythingElseOn) {
  const auto model =
      std::make_shared<ScriptedAnswers>(std::vector<EndpointEvent>{ended(Ended::How::cancelled)});
  const auto cache = std::make_shared<MemoryResultCache>(1 << 20, std::chrono::seconds(60));
  const auto endpoint = recording(model, cache, recorded_key);
  EXPECT_EQ(endpoint->card().name, "scripted");
  EXPECT_TRUE(endpoint->ready());
  endpoint->submit(std::get<PreparedRequest>(endpoint->prepare({})), [](const EndpointEvent&) {});
  endpoint->cancel(42);
  EXPECT_EQ(model->cancelled, 1);
  EXPECT_EQ(cache->stats().entries, 0u);
}

TEST(ReplayingEndpoint, ComputesNothing) {
  const auto model = std::make_shared<ScriptedAnswers>(std::vector<EndpointEvent>{});
  const auto endpoint = replaying(model, {{{"again", {}, ChoiceEnding::stop}}, {5, 6, 0}});
  std::string text;
  int ends = 0;
  const auto id = endpoint->submit({}, [&](const EndpointEvent& event) {
    if (const auto* piece = std::get_if<TextEvent>(&event)) text += piece->text;
    ends += std::holds_alternative<Ended>(event) ? 1 : 0;
  });
  EXPECT_TRUE(std::holds_alternative<EndpointRequestId>(id));
  endpoint->cancel(std::get<EndpointRequestId>(id));
  EXPECT_EQ(text, "again");
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(model->submitted + model->cancelled, 0);
}

}  // namespace
}  // namespace premise
