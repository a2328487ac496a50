// The laws of the engine: what a request gets depends on the request, not on its company, on the
// threads, on how its prompt is cut, or on what was guessed.
#include "engine/engine.h"

#include "engine/engine_testing.h"
#include "engine/logits_testing.h"

namespace premise {
namespace {

using namespace testing;

/// What computes, and what its cache keeps.
struct Computing {
  const char* isa;
  DType kv_type;
};

// A model with and without a window, computed by each instruction set over each type of cache that
// is not exact, with weights of a type for which activations are quantized. Value: the golden's
// name.
class EngineLaws : public ::testing::TestWithParam<std::tuple<const char*, Computing>> {
 protected:
  void SetUp() override {
    const char* const model = std::get<0>(GetParam());
    const char* const isa = std::get<1>(GetParam()).isa;
    if (const std::string why = testing::why_not(isa); !why.empty()) GTEST_SKIP() << why;
    auto tiny = testing::tiny_model(model);
    ASSERT_TRUE(tiny.ok());
    auto file = testing::tiny_file(*tiny, {DType::q5_1});
    ASSERT_TRUE(file.ok()) << file.error().what.en;
    file_ = std::move(file).value();
  }

  Served serve(int threads, EngineOptions options = {.context = 256}) {
    Served served;
    options.activations =
        ActivationBits::mixed;  // decided for each row by itself, so they must hold
    if (!options.kv_type) options.kv_type = std::get<1>(GetParam()).kv_type;
    auto host = Host::create({threads, std::get<1>(GetParam()).isa});
    EXPECT_TRUE(host.ok());
    served.host = std::move(host).value();
    auto engine = Engine::create(*file_.source, *served.host, options);
    EXPECT_TRUE(engine.ok()) << (engine.ok() ? "" : engine.error().what.en);
    served.engine = std::move(engine).value();
    return served;
  }

  /// The interpreter is slow, above all under the sanitizers: it gets shorter texts.
  static bool interpreted() { return std::get<1>(GetParam()).isa == std::string_view("ref"); }

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
  const std::size_t longer = interpreted() ? 13 : 29;
  std::vector<Request> asked;
  for (const int i : {0, 1, 2, 3, 4})
    asked.push_back(request(text(3 + longer * static_cast<std::size_t>(i), i), 12));
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
    // Once by tokens and once by memory, which may be the least that is taken.
    EngineOptions tight{.context = 128, .sequences = 3, .tokens_per_step = 192};
    if (salt == 0) {
      tight.cache_tokens = 128;
    } else {
      for (const CacheGroup& group : alone->plan().groups)
        tight.cache_bytes +=
            kv_block_bytes(group, alone->kv_type()) *
            KvCache::blocks_needed(group.window, kv_block_tokens, 128, tight.tokens_per_step);
    }
    const Served crowded = serve(2, tight);
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

// Texts that repeat themselves, so that there is something to guess, and a random draw, so that a
// sampler that was asked once too often would show.
TEST_P(EngineLaws, GuessesDoNotChangeAnswers) {
  std::vector<Request> asked;
  for (const int i : {0, 1, 2}) {
    asked.push_back(request(text(9, i), interpreted() ? 24 : 60));
    const std::vector<TokenId> once = asked.back().prompt;
    for (int repeat = 0; repeat < 3; ++repeat)
      asked.back().prompt.insert(asked.back().prompt.end(), once.begin(), once.end());
    asked.back().sampling.temperature = i == 0 ? 0.0f : 0.6f;
    asked.back().sampling.repetition_penalty = 0.8f;  // repetitions are wanted here
    asked.back().sampling.seed = static_cast<std::uint64_t>(i);
  }
  const Served plain = serve(2);
  const Served guessing = serve(2, {.context = 256, .sequences = 3, .guesses_per_step = 9});
  std::vector<RequestId> ids;
  for (const Request& one : asked) ids.push_back(guessing->submit(one).value());
  const auto together = run_to_end(*guessing.engine);
  for (std::size_t i = 0; i < asked.size(); ++i)
    EXPECT_EQ(together.at(ids[i]), answer_alone(plain, asked[i])) << i;
  const SchedulerCounters& counters = guessing->stats().counters;
  EXPECT_GT(counters.guessed_right, 0u);
  if (!interpreted()) {
    EXPECT_GT(counters.guessed_tokens, counters.guessed_right) << "and some that were wrong";
  }
  EXPECT_TRUE(guessing->clean());
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
  const DType type = std::get<1>(GetParam()).kv_type;
  const Served asked = serve(1);
  EXPECT_EQ(asked->kv_type(), type);
  const Served exact = serve(1, {.context = 256, .kv_type = DType::f32});
  EXPECT_EQ(exact->kv_type(), DType::f32);
  const std::uint64_t elements = exact->executable().cache_bytes() / sizeof(float);
  EXPECT_EQ(asked->executable().cache_bytes(),
            elements / traits(type).block_elements * traits(type).block_bytes);
}

TEST_P(EngineLaws, WithoutAWishTheCacheLosesAsLittleAsItEverDid) {
  const auto host = Host::create({1, std::get<1>(GetParam()).isa});
  ASSERT_TRUE(host.ok());
  const auto usual = Engine::create(*file_.source, **host, {.context = 64});
  ASSERT_TRUE(usual.ok());
  EXPECT_EQ((*usual)->kv_type(), interpreted() ? DType::f32 : DType::f16);
}

TEST_P(EngineLaws, ATypeOfCacheThatNothingComputesIsRefusedByName) {
  const auto host = Host::create({1, std::get<1>(GetParam()).isa});
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
                                            ::testing::Values(Computing{"ref", DType::f32},
                                                              Computing{"avx2", DType::f16},
                                                              Computing{"avx512", DType::f16},
                                                              Computing{"avx2", DType::q8_0},
                                                              Computing{"avx512", DType::q8_0})),
                         [](const auto& each) {
                           const Computing& computing = std::get<1>(each.param);
                           return fmt::format("{}_{}_{}", std::get<0>(each.param), computing.isa,
                                              traits(computing.kv_type).name);
                         });

}  // namespace
}  // namespace premise
