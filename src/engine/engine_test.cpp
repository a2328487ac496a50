// The laws of the engine: what a request gets depends on the request, not on its company, on the
// threads or on how its prompt is cut; and every accepted request ends in exactly one event.
#include "engine/engine.h"

#include <gtest/gtest.h>

#include <map>

#include "engine/logits_testing.h"

namespace premise {
namespace {

using testing::TinyFile;

// What a request brought, bit for bit comparable.
struct Answer {
  std::vector<TokenId> tokens;
  std::vector<float> logprobs;
  std::vector<std::pair<TokenId, float>> alternatives;
  std::size_t cached = 0;
  int endings = 0;
  FinishReason reason = FinishReason::failed;

  bool operator==(const Answer&) const = default;
};

std::map<RequestId, Answer> run_to_end(Engine& engine) {
  std::map<RequestId, Answer> answers;
  std::vector<TokenEvent> events;
  while (!engine.idle()) {
    events.clear();
    engine.step(events);
    for (const TokenEvent& event : events) {
      Answer& answer = answers[event.request];
      EXPECT_EQ(answer.endings, 0) << "an event after the last";
      answer.cached = event.cached_tokens;
      if (event.token) {
        answer.tokens.push_back(*event.token);
        answer.logprobs.push_back(event.logprob);
        for (const auto& [id, logprob] : event.top) answer.alternatives.emplace_back(id, logprob);
      }
      if (!event.finish) continue;
      ++answer.endings;
      answer.reason = *event.finish;
    }
  }
  return answers;
}

std::vector<TokenId> text(std::size_t count, int seed) {
  std::vector<TokenId> tokens;
  for (std::size_t i = 0; i < count; ++i)
    tokens.push_back(
        static_cast<TokenId>((i * i * 7 + i * 31 + static_cast<std::size_t>(seed) * 101) % 320));
  return tokens;
}

Request request(std::vector<TokenId> prompt, std::size_t max_tokens) {
  Request r;
  r.prompt = std::move(prompt);
  r.max_tokens = max_tokens;
  r.logprobs = true;
  r.top_logprobs = 3;
  return r;
}

/// An engine with what it borrows.
struct Served {
  std::unique_ptr<Host> host;
  std::unique_ptr<Engine> engine;

  Engine* operator->() const { return engine.get(); }
};

// A model with and without a window, computed by each instruction set, with weights of a type for
// which activations are quantized. Value: the names of the golden and of the set.
class EngineLaws : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  void SetUp() override {
    const auto [model, isa] = GetParam();
    if (const std::string why = testing::why_not(isa); !why.empty()) GTEST_SKIP() << why;
    auto tiny = testing::tiny_model(model);
    ASSERT_TRUE(tiny.ok());
    auto file = testing::tiny_file(*tiny, {DType::q5_1});
    ASSERT_TRUE(file.ok()) << file.error().what.en;
    file_ = std::move(file).value();
  }

  Served serve(int threads, EngineOptions options = {.context = 256}) {
    Served served;
    auto host = Host::create({threads, std::get<1>(GetParam())});
    EXPECT_TRUE(host.ok());
    served.host = std::move(host).value();
    auto engine = Engine::create(*file_.source, *served.host, options);
    EXPECT_TRUE(engine.ok()) << (engine.ok() ? "" : engine.error().what.en);
    served.engine = std::move(engine).value();
    return served;
  }

  /// The interpreter is slow, above all under the sanitizers: it gets shorter texts.
  static bool interpreted() { return std::get<1>(GetParam()) == std::string_view("ref"); }

  static Answer answer_alone(const Served& served, const Request& request) {
    const auto id = served->submit(request);
    EXPECT_TRUE(id.ok());
    return run_to_end(*served.engine).at(*id);
  }

  TinyFile file_;
};

TEST_P(EngineLaws, ThreadsDoNotChangeAnswers) {
  const Request asked = request(text(70, 1), 12);
  const Answer one = answer_alone(serve(1), asked);
  EXPECT_EQ(one.tokens.size(), 12u);
  EXPECT_EQ(one.alternatives.size(), 36u);
  EXPECT_EQ(one, answer_alone(serve(2), asked));
  EXPECT_EQ(one, answer_alone(serve(3), asked));
}

TEST_P(EngineLaws, ChunksDoNotChangeAnswers) {
  const Request asked = request(text(70, 2), 12);
  const Answer whole = answer_alone(serve(2), asked);
  const std::vector<std::size_t> steps =
      interpreted() ? std::vector<std::size_t>{9, 33} : std::vector<std::size_t>{1, 7, 33, 69};
  for (const std::size_t step : steps)
    EXPECT_EQ(whole, answer_alone(serve(2, {.context = 256, .tokens_per_step = step}), asked))
        << step << " tokens a step";
}

TEST_P(EngineLaws, CompanyDoesNotChangeAnswers) {
  const int longer = interpreted() ? 13 : 29;
  std::vector<Request> asked;
  for (const int i : {0, 1, 2, 3, 4})
    asked.push_back(request(text(static_cast<std::size_t>(3 + longer * i), i), 12));
  asked[2].max_tokens = 3;  // leaves while others go on
  const Served crowded = serve(2, {.context = 256, .sequences = 3, .tokens_per_step = 48});
  std::vector<RequestId> ids;
  for (const Request& one : asked) ids.push_back(crowded->submit(one).value());
  const auto together = run_to_end(*crowded.engine);
  const Served alone = serve(2);
  for (std::size_t i = 0; i < asked.size(); ++i)
    EXPECT_EQ(together.at(ids[i]), answer_alone(alone, asked[i])) << i;
}

TEST_P(EngineLaws, AnEngineForgetsWhatItServedBefore) {
  const Request asked = request(text(40, 3), 8);
  const Served served = serve(2);
  const Answer first = answer_alone(served, asked);
  answer_alone(served, request(text(90, 4), 20));
  EXPECT_EQ(first, answer_alone(served, asked));
}

TEST_P(EngineLaws, AFoundBeginningDoesNotChangeAnswers) {
  const std::size_t shared = interpreted() ? 40 : 110;
  Request first = request(text(shared, 6), 8), second = request(text(shared, 6), 12);
  second.prompt.insert(second.prompt.end(), {5, 9, 2});
  const Answer alone = answer_alone(serve(2), second);
  first.prefix_salt = second.prefix_salt = 77;
  const Served served = serve(2);
  EXPECT_EQ(answer_alone(served, first).cached, 0u);
  Answer again = answer_alone(served, second);
  EXPECT_EQ(again.cached, shared / 32 * 32);
  again.cached = 0;
  EXPECT_EQ(again, alone);
  second.prefix_salt = 78;
  EXPECT_EQ(answer_alone(served, second), alone) << "another scope finds nothing";
  EXPECT_EQ(served->stats().counters.prefix_hits, 1u);
  EXPECT_TRUE(served->clean());
}

TEST_P(EngineLaws, BeingThrownOutDoesNotChangeAnswers) {
  // Three requests that grow to 3 blocks each where 4 exist; drawn with randomness, so that a
  // sampler that was set back would show.
  std::vector<Request> asked;
  for (const int i : {0, 1, 2}) {
    asked.push_back(request(text(28 + static_cast<std::size_t>(i), 10 + i), 40));
    asked.back().sampling.temperature = 0.9f;
    asked.back().sampling.seed = static_cast<std::uint64_t>(i);
  }
  const Served alone = serve(2);
  std::vector<Answer> expected;
  for (const Request& one : asked) expected.push_back(answer_alone(alone, one));
  for (const std::uint64_t salt : {0, 9}) {
    if (interpreted() && salt == 0) continue;
    const Served crowded = serve(2, {.context = 128, .sequences = 3, .cache_tokens = 128});
    std::vector<RequestId> ids;
    for (Request& one : asked) {
      one.prefix_salt = salt;
      ids.push_back(crowded->submit(one).value());
    }
    const auto together = run_to_end(*crowded.engine);
    EXPECT_GT(crowded->stats().counters.preemptions, 0u);
    for (std::size_t i = 0; i < asked.size(); ++i)
      EXPECT_EQ(together.at(ids[i]), expected[i]) << i << ", salt " << salt;
    EXPECT_TRUE(crowded->clean());
  }
}

TEST_P(EngineLaws, TheAnswerIsWhatScoringTheTextSays) {
  const Served served = serve(2);
  const Request asked = request(text(50, 5), 10);
  const Answer answer = answer_alone(served, asked);
  std::vector<TokenId> whole = asked.prompt;
  whole.insert(whole.end(), answer.tokens.begin(), answer.tokens.end());
  std::size_t seen = 0;
  ASSERT_TRUE(served
                  ->score(whole, 49,
                          [&](std::size_t position, std::span<float> row) -> Status {
                            if (position + 1 == whole.size()) return {};
                            const auto likeliest = std::ranges::max_element(row) - row.begin();
                            EXPECT_EQ(static_cast<TokenId>(likeliest), whole[position + 1])
                                << position;
                            ++seen;
                            return {};
                          })
                  .ok());
  EXPECT_EQ(seen, 10u);
}

TEST_P(EngineLaws, TheCacheIsOfTheTypeAskedFor) {
  const Served usual = serve(1);
  EXPECT_EQ(usual->kv_type(), interpreted() ? DType::f32 : DType::f16);
  const Served exact = serve(1, {.context = 256, .kv_type = DType::f32});
  EXPECT_EQ(exact->kv_type(), DType::f32);
  EXPECT_EQ(exact->executable().cache_bytes(),
            usual->executable().cache_bytes() * (interpreted() ? 1 : 2));
}

TEST_P(EngineLaws, ATypeOfCacheThatNothingComputesIsRefusedByName) {
  const auto host = Host::create({1, std::get<1>(GetParam())});
  ASSERT_TRUE(host.ok());
  for (const DType type : {DType::f16, DType::q8_0, DType::bf16}) {
    if (std::ranges::count(kv_types((*host)->isa()), type) > 0) continue;
    const auto engine = Engine::create(*file_.source, **host, {.context = 64, .kv_type = type});
    ASSERT_FALSE(engine.ok()) << traits(type).name;
    EXPECT_EQ(engine.error().code, ErrorCode::usage);
    for (const std::string_view part : {traits(type).name, std::string_view("f32")})
      EXPECT_NE(engine.error().what.en.find(part), std::string::npos) << engine.error().what.en;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EngineLaws,
                         ::testing::Combine(::testing::Values("qwen2", "gemma3"),
                                            ::testing::Values("ref", "avx2", "avx512")),
                         [](const auto& each) {
                           return std::string(std::get<0>(each.param)) + "_" +
                                  std::get<1>(each.param);
                         });

// What does not depend on kernels: the interpreter serves.
class EngineRequests : public ::testing::Test {
 protected:
  void SetUp() override { open("llama"); }

  void open(const char* name, EngineOptions options = {.context = 64, .sequences = 2}) {
    auto tiny = testing::tiny_model(name);
    ASSERT_TRUE(tiny.ok());
    served_ = {};
    auto file = testing::tiny_file(*tiny);
    ASSERT_TRUE(file.ok());
    file_ = std::move(file).value();
    auto host = Host::create({1, "ref"});
    ASSERT_TRUE(host.ok());
    served_.host = std::move(host).value();
    auto engine = Engine::create(*file_.source, *served_.host, options);
    ASSERT_TRUE(engine.ok()) << engine.error().what.en;
    served_.engine = std::move(engine).value();
  }

  TinyFile file_;
  Served served_;
};

TEST_F(EngineRequests, TooLongIsRefusedWithTheLimitAndTheLength) {
  const auto id = served_->submit(request(text(60, 1), 10));
  ASSERT_FALSE(id.ok());
  EXPECT_EQ(id.error().code, ErrorCode::usage);
  for (const char* part : {"60", "10", "70", "64", "6 too many"})
    EXPECT_NE(id.error().what.en.find(part), std::string::npos) << part << id.error().what.en;
  EXPECT_TRUE(served_->idle());
  EXPECT_TRUE(served_->submit(request(text(54, 1), 10)).ok()) << "what just fits is taken";
}

TEST_F(EngineRequests, AnOverflowingLengthIsRefused) {
  EXPECT_FALSE(served_->submit(request(text(5, 1), SIZE_MAX - 2)).ok());
  EXPECT_TRUE(served_->idle());
}

TEST_F(EngineRequests, EmptyPromptsAndForeignTokensAreRefused) {
  EXPECT_FALSE(served_->submit(request({}, 4)).ok());
  for (const TokenId token : {-1, 320, INT32_MAX}) {
    const auto id = served_->submit(request({5, token}, 4));
    ASSERT_FALSE(id.ok()) << token;
    EXPECT_NE(id.error().what.en.find(std::to_string(token)), std::string::npos);
  }
  EXPECT_TRUE(served_->idle());
}

TEST_F(EngineRequests, SamplingOutOfRangeIsRefusedByName) {
  Request asked = request({1}, 4);
  asked.sampling.top_p = 1.5f;
  const auto id = served_->submit(asked);
  ASSERT_FALSE(id.ok());
  EXPECT_NE(id.error().what.en.find("top_p"), std::string::npos);
}

TEST_F(EngineRequests, NoTokensWantedEndsInOneEventWithoutToken) {
  const RequestId id = served_->submit(request(text(9, 1), 0)).value();
  const Answer answer = run_to_end(*served_.engine).at(id);
  EXPECT_TRUE(answer.tokens.empty());
  EXPECT_EQ(answer.endings, 1);
  EXPECT_EQ(answer.reason, FinishReason::length);
}

TEST_F(EngineRequests, AStopTokenEndsTheAnswerAndIsNotPartOfIt) {
  const RequestId first = served_->submit(request(text(9, 1), 8)).value();
  const Answer free_run = run_to_end(*served_.engine).at(first);
  ASSERT_EQ(free_run.tokens.size(), 8u);
  EXPECT_EQ(free_run.reason, FinishReason::length);
  Request stopped = request(text(9, 1), 8);
  stopped.stop_tokens = {free_run.tokens[4]};
  const auto length =
      std::ranges::find(free_run.tokens, free_run.tokens[4]) - free_run.tokens.begin();
  const RequestId second = served_->submit(stopped).value();
  const Answer answer = run_to_end(*served_.engine).at(second);
  EXPECT_EQ(answer.tokens,
            std::vector<TokenId>(free_run.tokens.begin(), free_run.tokens.begin() + length));
  EXPECT_EQ(answer.reason, FinishReason::stop);
  EXPECT_EQ(answer.endings, 1);
}

TEST_F(EngineRequests, CancellingEndsInExactlyOneEvent) {
  const RequestId running = served_->submit(request(text(9, 1), 40)).value();
  const RequestId other = served_->submit(request(text(5, 2), 6)).value();
  const RequestId waiting = served_->submit(request(text(7, 3), 6)).value();
  std::vector<TokenEvent> events;
  served_->step(events);
  served_->cancel(running);
  served_->cancel(running);
  served_->cancel(waiting);
  served_->cancel(999);
  const auto answers = run_to_end(*served_.engine);
  EXPECT_EQ(answers.at(running).endings, 1);
  EXPECT_EQ(answers.at(running).reason, FinishReason::cancelled);
  EXPECT_TRUE(answers.at(running).tokens.empty());
  EXPECT_EQ(answers.at(waiting).endings, 1);
  EXPECT_EQ(answers.at(waiting).reason, FinishReason::cancelled);
  EXPECT_EQ(answers.at(other).reason, FinishReason::length);
  EXPECT_EQ(answers.size(), 3u);
  served_->cancel(running);  // long gone
  events.clear();
  served_->step(events);
  EXPECT_TRUE(events.empty());
}

TEST_F(EngineRequests, CancellingFreesTheBlocksWithTheNextStep) {
  const RequestId running = served_->submit(request(text(40, 1), 10)).value();
  std::vector<TokenEvent> events;
  served_->step(events);
  EXPECT_EQ(served_->stats().running, 1u);
  EXPECT_EQ(served_->stats().groups[0].blocks_used, 2u);
  EXPECT_FALSE(served_->clean());
  served_->cancel(running);
  served_->step(events);
  EXPECT_EQ(served_->stats().running, 0u);
  EXPECT_EQ(served_->stats().groups[0].blocks_used, 0u);
  EXPECT_TRUE(served_->clean());
}

TEST_F(EngineRequests, ACacheThatCannotHoldOneRequestIsRefused) {
  const auto engine =
      Engine::create(*file_.source, *served_.host, {.context = 64, .cache_tokens = 63});
  ASSERT_FALSE(engine.ok());
  for (const char* part : {"63", "64"})
    EXPECT_NE(engine.error().what.en.find(part), std::string::npos) << engine.error().what.en;
}

TEST_F(EngineRequests, MoreRequestsThanPlacesAreAllAnswered) {
  std::vector<RequestId> ids;
  for (int i = 0; i < 7; ++i) ids.push_back(served_->submit(request(text(20, i), 5)).value());
  const auto answers = run_to_end(*served_.engine);
  for (const RequestId id : ids) {
    EXPECT_EQ(answers.at(id).tokens.size(), 5u);
    EXPECT_EQ(answers.at(id).endings, 1);
  }
}

TEST_F(EngineRequests, LogprobsAreOfTheModelsDistribution) {
  Request asked = request(text(12, 1), 1);
  asked.top_logprobs = 320;
  const RequestId id = served_->submit(asked).value();
  const Answer answer = run_to_end(*served_.engine).at(id);
  double total = 0.0;
  for (const auto& [token, logprob] : answer.alternatives) total += std::exp(double{logprob});
  EXPECT_NEAR(total, 1.0, 1e-5);
  EXPECT_EQ(answer.tokens[0], answer.alternatives[0].first);
  EXPECT_EQ(answer.logprobs[0], answer.alternatives[0].second);
}

TEST_F(EngineRequests, AWindowNeedsTheSameMemoryHoweverLongTheText) {
  open("phi3_window", {.context = 96, .tokens_per_step = 8});
  const std::uint64_t small = served_->executable().cache_bytes();
  open("phi3_window", {.context = 300, .tokens_per_step = 8});
  EXPECT_EQ(served_->executable().cache_bytes(), small);
  const RequestId id = served_->submit(request(text(60, 1), 240)).value();
  const Answer answer = run_to_end(*served_.engine).at(id);
  EXPECT_EQ(answer.tokens.size(), 240u);
  EXPECT_EQ(answer.reason, FinishReason::length);
}

TEST_F(EngineRequests, ScoringStopsWhereTheVisitorSays) {
  std::size_t visits = 0;
  const Status status =
      served_->score(text(40, 1), 10, [&](std::size_t position, std::span<float> row) -> Status {
        EXPECT_EQ(position, 10 + visits);
        EXPECT_EQ(row.size(), 320u);
        if (++visits < 5) return {};
        return error(ErrorCode::cancelled, {"enough", "够了"});
      });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::cancelled);
  EXPECT_EQ(visits, 5u);
  EXPECT_TRUE(served_->submit(request(text(54, 1), 10)).ok()) << "the cache is free again";
}

TEST_F(EngineRequests, ScoringTooLongATextIsRefused) {
  const Status status = served_->score(text(65, 1), 0, [](std::size_t, std::span<float>) -> Status {
    ADD_FAILURE() << "nothing may be computed";
    return {};
  });
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().what.en.find("64"), std::string::npos);
}

TEST_F(EngineRequests, AContextBeyondTheModelsIsRefused) {
  const auto engine = Engine::create(*file_.source, *served_.host, {.context = 513});
  ASSERT_FALSE(engine.ok());
  for (const char* part : {"513", "512"})
    EXPECT_NE(engine.error().what.en.find(part), std::string::npos) << engine.error().what.en;
}

}  // namespace
}  // namespace premise
