// What an engine accepts, and that every accepted request ends in exactly one event.
#include "engine/engine.h"

#include "engine/engine_testing.h"
#include "engine/logits_testing.h"

namespace premise {
namespace {

using namespace testing;

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

TEST_F(EngineRequests, AStepTellsWhatItReadAndForHowManyItGenerated) {
  using Work = std::pair<std::size_t, std::size_t>;
  const auto step = [this] {
    std::vector<TokenEvent> events;
    served_->step(events);
    return Work(served_->stats().prompt_tokens, served_->stats().decode_rows);
  };
  ASSERT_TRUE(served_->submit(request(text(20, 1), 3)).ok());
  EXPECT_EQ(step(), Work(20, 0));
  ASSERT_TRUE(served_->submit(request(text(10, 2), 3)).ok());
  EXPECT_EQ(step(), Work(10, 1));
  EXPECT_EQ(step(), Work(0, 2));
  EXPECT_EQ(step(), Work(0, 1));
  EXPECT_EQ(step(), Work(0, 0)) << "nothing is left";
}

TEST_F(EngineRequests, ACacheThatCannotHoldOneRequestIsRefused) {
  const auto engine =
      Engine::create(*file_.source, *served_.host, {.context = 64, .cache_tokens = 63});
  ASSERT_FALSE(engine.ok());
  for (const char* part : {"63", "64"})
    EXPECT_NE(engine.error().what.en.find(part), std::string::npos) << engine.error().what.en;
}

TEST_F(EngineRequests, ABoundOfMemoryDecidesTheBlocksAndIsNotExceeded) {
  const std::uint64_t block = kv_block_bytes(served_->plan().groups[0], served_->kv_type());
  EngineOptions options{.context = 64, .sequences = 4, .cache_bytes = 5 * block + block - 1};
  open("llama", options);
  EXPECT_EQ(served_->stats().groups[0].blocks_total, 5u);
  EXPECT_LE(served_->executable().cache_bytes(), options.cache_bytes);
  options.cache_bytes = 100 * block;
  open("llama", options);
  EXPECT_EQ(served_->stats().groups[0].blocks_total, 8u) << "4 requests of 64 tokens use no more";
}

TEST_F(EngineRequests, ABoundOfMemoryThatCannotHoldOneRequestSaysTheLeast) {
  const std::uint64_t block = kv_block_bytes(served_->plan().groups[0], served_->kv_type());
  for (const std::uint64_t bytes : {std::uint64_t{1}, 2 * block - 1}) {
    const EngineOptions options{.context = 64, .cache_bytes = bytes};
    const Status checked = Engine::check(*file_.source, Isa::ref, options);
    const auto engine = Engine::create(*file_.source, *served_.host, options);
    ASSERT_FALSE(engine.ok());
    ASSERT_FALSE(checked.ok());
    EXPECT_EQ(engine.error().what.en, checked.error().what.en);
    for (const std::uint64_t number : {bytes, std::uint64_t{64}, 2 * block})
      EXPECT_NE(checked.error().what.en.find(std::to_string(number)), std::string::npos)
          << checked.error().what.en;
  }
  EXPECT_TRUE(
      Engine::check(*file_.source, Isa::ref, {.context = 64, .cache_bytes = 2 * block}).ok());
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
