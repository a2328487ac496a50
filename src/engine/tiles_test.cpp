// Steps of many tokens on tiles of bf16: when they are used, and what stays as it was.
#include "engine/engine.h"
#include "engine/engine_testing.h"
#include "engine/logits_testing.h"

namespace premise {
namespace {

using namespace testing;

constexpr std::size_t prompt_tokens = 64;

class Tiles : public ::testing::TestWithParam<DType> {
 protected:
  void SetUp() override {
    if (const std::string why = testing::why_not("amx-emulated"); !why.empty()) GTEST_SKIP() << why;
    auto tiny = testing::tiny_model("qwen2");
    ASSERT_TRUE(tiny.ok());
    auto file = testing::tiny_file(*tiny, {GetParam()});
    ASSERT_TRUE(file.ok()) << file.error().what.en;
    file_ = std::move(file).value();
    tokens_ = text(prompt_tokens, 3);
  }

  Logits logits(std::string_view isa, ActivationBits bits, int threads = 1,
                std::size_t tokens_per_step = 512) {
    EngineOptions options{.context = 256};
    options.activations = bits;
    options.tokens_per_step = tokens_per_step;
    auto found = score(*file_.source, isa, threads, options, tokens_);
    EXPECT_TRUE(found.ok()) << found.error().what.en;
    return found.ok() ? std::move(found).value() : Logits{};
  }

  /// Names of the kernels of matrix products that took time over a prompt of `count` tokens.
  std::vector<std::string> kernels_of(std::size_t count, ActivationBits bits) {
    auto host = Host::create({1, "amx-emulated"});
    EXPECT_TRUE(host.ok());
    EngineOptions options{.context = 256};
    options.activations = bits;
    auto engine = Engine::create(*file_.source, **host, options);
    EXPECT_TRUE(engine.ok());
    Request one = request(text(count, 1), 1);
    EXPECT_TRUE((*engine)->submit(one).ok());
    run_to_end(**engine);
    std::vector<std::string> names;
    for (const KernelTime& time : (*engine)->executable().times())
      if (time.kernel.starts_with("matmul.") && time.seconds > 0.0) names.push_back(time.kernel);
    return names;
  }

  static bool any_on_tiles(const std::vector<std::string>& names) {
    return std::ranges::any_of(names, [](const auto& n) { return n.ends_with(".amx-emulated"); });
  }

  TinyFile file_;
  std::vector<TokenId> tokens_;
};

TEST_P(Tiles, ComputeStepsOfManyTokensAndNoOthers) {
  EXPECT_TRUE(any_on_tiles(kernels_of(16, ActivationBits::mixed)));
  EXPECT_FALSE(any_on_tiles(kernels_of(15, ActivationBits::mixed)));
}

TEST_P(Tiles, LeaveSixteenBitsAsTheyAreWithoutThem) {
  EXPECT_FALSE(any_on_tiles(kernels_of(64, ActivationBits::sixteen)));
  EXPECT_EQ(logits("amx-emulated", ActivationBits::sixteen),
            logits("avx512", ActivationBits::sixteen));
}

// The head, and in the last layer what follows the rows that are wanted, see few rows.
TEST_P(Tiles, AreReportedForEveryMatrixThatSeesManyTokens) {
  for (const ActivationBits bits : {ActivationBits::mixed, ActivationBits::sixteen}) {
    auto host = Host::create({1, "amx-emulated"});
    ASSERT_TRUE(host.ok());
    EngineOptions options{.context = 256};
    options.activations = bits;
    const auto engine = Engine::create(*file_.source, **host, options);
    ASSERT_TRUE(engine.ok());
    std::size_t on_tiles = 0, all = 0;
    for (const OpReport& op : (*engine)->executable().report()) {
      EXPECT_EQ(op.path.has_value(), op.op == "linear") << op.op;
      if (!op.path) continue;
      EXPECT_GT(op.products, 0u);
      EXPECT_TRUE(op.kernel.ends_with("." + op.layout + ".avx512")) << op.kernel;
      EXPECT_EQ(op.path == ProductPath::scalar, !op.tile_kernel.empty());
      ++all;
      if (op.tile_kernel.empty()) continue;
      EXPECT_FALSE(op.fast) << "tiles in software";
      ++on_tiles;
    }
    const std::size_t few = 1 + 5;  // head; query, output, gate, up and down of the last layer
    EXPECT_EQ(on_tiles, bits == ActivationBits::mixed ? all - few : 0u);
  }
}

TEST_P(Tiles, GiveTheSameForAnyThreadsAndForAnyStepsThatTakeThem) {
  const Logits whole = logits("amx-emulated", ActivationBits::mixed);
  EXPECT_EQ(logits("amx-emulated", ActivationBits::mixed, 3), whole);
  EXPECT_EQ(logits("amx-emulated", ActivationBits::mixed, 1, 16), whole);
  EXPECT_EQ(logits("amx-emulated", ActivationBits::mixed, 2, 32), whole);
}

// 3.0e-2 to 5.0e-2 of a logit's deviation were measured, about 2^7 times what sixteen bits give: a
// number of bf16 has eight.
TEST_P(Tiles, StayNearTheInterpreter) {
  const Logits interpreted = logits("ref", ActivationBits::sixteen);
  const double measured = deviation(logits("amx-emulated", ActivationBits::mixed), interpreted);
  RecordProperty("deviation", fmt::format("{:.2e}", measured));
  EXPECT_LT(measured, 0.1);
  EXPECT_GT(measured, 0.0);
}

INSTANTIATE_TEST_SUITE_P(Some, Tiles,
                         ::testing::Values(DType::f32, DType::bf16, DType::q4_0, DType::q5_1,
                                           DType::q8_0),
                         [](const auto& each) { return std::string(traits(each.param).name); });

}  // namespace
}  // namespace premise
