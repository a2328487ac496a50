// Requests that take the likeliest token get it without a row of logits: the text is the same.
#include "engine/engine.h"

#include "engine/engine_testing.h"
#include "engine/logits_testing.h"

namespace premise {
namespace {

using namespace testing;

class Peaks : public ::testing::TestWithParam<DType> {
 protected:
  void SetUp() override {
    if (const std::string why = testing::why_not("avx512"); !why.empty()) GTEST_SKIP() << why;
    auto tiny = testing::tiny_model("llama");
    ASSERT_TRUE(tiny.ok());
    auto file = testing::tiny_file(*tiny, {GetParam()});
    ASSERT_TRUE(file.ok()) << file.error().what.en;
    file_ = std::move(file).value();
    auto host = Host::create({2, "avx512"});
    ASSERT_TRUE(host.ok());
    host_ = std::move(host).value();
  }

  std::map<RequestId, Answer> answers(const std::vector<Request>& asked, std::size_t guesses = 0) {
    EngineOptions options{.context = 256, .sequences = asked.size()};
    options.guesses_per_step = guesses;
    auto engine = Engine::create(*file_.source, *host_, options);
    EXPECT_TRUE(engine.ok());
    finds_ = (*engine)->executable().finds_peaks();
    for (const Request& one : asked) EXPECT_TRUE((*engine)->submit(one).ok());
    auto found = run_to_end(**engine);
    for (const KernelTime& time : (*engine)->executable().times())
      if (time.kernel.starts_with("peak.")) searched_ = time.seconds > 0.0;
    return found;
  }

  TinyFile file_;
  std::unique_ptr<Host> host_;
  bool finds_ = false;
  bool searched_ = false;
};

TEST_P(Peaks, AreTheLikeliestTokensOfTheLogits) {
  for (const std::size_t count : {1u, 4u, 13u}) {
    std::vector<Request> asked;
    for (std::size_t i = 0; i < count; ++i)
      asked.push_back(request(text(3 + 5 * i, static_cast<int>(i)), 12));
    const auto whole = answers(asked);
    for (std::size_t i = 0; i < count; i += 2) asked[i].logprobs = false;  // beside whole rows
    const auto mixed = answers(asked);
    for (Request& one : asked) one.logprobs = false;
    const auto peaks = answers(asked);
    const auto guessed = answers(asked, 4);
    for (const auto& [id, answer] : whole) {
      EXPECT_EQ(mixed.at(id).tokens, answer.tokens);
      EXPECT_EQ(peaks.at(id).tokens, answer.tokens);
      EXPECT_EQ(guessed.at(id).tokens, answer.tokens);
    }
  }
  const bool searches = GetParam() == DType::q8_0 || GetParam() == DType::q6_k;
  EXPECT_EQ(finds_, searches);
  EXPECT_EQ(searched_, searches);
}

// What changes the logits before the choice needs them all.
TEST_P(Peaks, ServeOnlyRequestsThatTakeTheLogitsAsTheyAre) {
  const auto alone = [&](auto change) {
    Request asked = request(text(30, 1), 16);
    asked.logprobs = false;
    change(asked.sampling);
    searched_ = false;
    answers({asked});
    return searched_;
  };
  const bool searches = finds_ || alone([](SamplingParams&) {});
  EXPECT_EQ(searches, GetParam() == DType::q8_0 || GetParam() == DType::q6_k);
  EXPECT_FALSE(alone([](SamplingParams& p) { p.temperature = 0.5f; }));
  EXPECT_FALSE(alone([](SamplingParams& p) { p.repetition_penalty = 1.1f; }));
  EXPECT_FALSE(alone([](SamplingParams& p) { p.frequency_penalty = 0.1f; }));
  EXPECT_FALSE(alone([](SamplingParams& p) { p.presence_penalty = 0.1f; }));
  EXPECT_FALSE(alone([](SamplingParams& p) { p.dry_multiplier = 0.8f; }));
  EXPECT_FALSE(alone([](SamplingParams& p) { p.mirostat = true; }));
  EXPECT_FALSE(alone([](SamplingParams& p) { p.logit_bias = {{3, 5.0f}}; }));
}

INSTANTIATE_TEST_SUITE_P(Heads, Peaks,
                         ::testing::Values(DType::q8_0, DType::q6_k, DType::q4_k, DType::f16),
                         [](const auto& each) { return std::string(traits(each.param).name); });

}  // namespace
}  // namespace premise
