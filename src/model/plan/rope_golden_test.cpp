// Rotary frequencies against transformers: tests/golden/architectures/ropes.gguf holds, for each
// kind of scaling, the keys that a model would have under a prefix of its own and what
// transformers' ROPE_INIT_FUNCTIONS makes of them (recorded by make_architecture_goldens.py).
//
// transformers computes in F32, Premise in double: the last bits differ.
#include <gtest/gtest.h>

#include <filesystem>

#include "model/formats/gguf.h"
#include "model/plan/rope.h"

namespace premise {
namespace {

constexpr double relative = 4e-7;  // a few roundings of F32

class RopeGolden : public ::testing::Test {
 protected:
  void SetUp() override {
    auto source = open_gguf(PREMISE_SOURCE_DIR "/tests/golden/architectures/ropes.gguf");
    ASSERT_TRUE(source.ok()) << source.error().what.en;
    source_ = std::move(source).value();
  }

  RopeTable read(const std::string& name) {
    auto table = read_rope(*source_, name, 512, RopeTable::Pairing::half);
    EXPECT_TRUE(table.ok()) << (table.ok() ? "" : table.error().what.en);
    return table.ok() ? std::move(table).value() : RopeTable{};
  }

  std::vector<float> vector(const std::string& name) {
    auto values = read_f32_vector(*source_, name);
    EXPECT_TRUE(values.ok()) << name;
    return values.ok() ? std::move(values).value() : std::vector<float>{};
  }

  void expect_frequencies(const RopeTable& table, const std::string& tensor) {
    const std::vector<float> expected = vector(tensor);
    ASSERT_EQ(table.frequencies.size(), expected.size()) << tensor;
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(table.frequencies[i], expected[i], relative * expected[i]) << tensor << " " << i;
  }

  double magnitude(const std::string& name) {
    return source_->metadata().number(name + ".golden.magnitude").value();
  }

  std::unique_ptr<TensorSource> source_;
};

TEST_F(RopeGolden, KeysAloneGiveTheFrequenciesOfTransformers) {
  for (const char* name : {"plain", "linear", "yarn", "yarn_betas"}) {
    const RopeTable table = read(name);
    expect_frequencies(table, std::string(name) + ".frequencies");
    EXPECT_NEAR(table.magnitude, magnitude(name), 1e-6) << name;
  }
}

TEST_F(RopeGolden, LlamaThreeScalesByFactorsInATensor) {
  RopeTable table = read("llama3");
  const auto factors = vector("llama3.rope_freqs.weight");
  ASSERT_TRUE(divide_frequencies(table, factors, "rope_freqs.weight").ok());
  expect_frequencies(table, "llama3.frequencies");
  EXPECT_EQ(table.magnitude, 1.0f);
}

TEST_F(RopeGolden, LongRopeHasFactorsForShortAndForLong) {
  for (const auto& [tensor, expected] :
       {std::pair{"longrope.rope_factors_short.weight", "longrope.frequencies"},
        std::pair{"longrope.rope_factors_long.weight", "longrope.frequencies.long"}}) {
    RopeTable table = read("longrope");
    ASSERT_TRUE(divide_frequencies(table, vector(tensor), tensor).ok());
    expect_frequencies(table, expected);
  }
}

TEST_F(RopeGolden, EveryRecordedKindIsCompared) {
  const auto names = source_->metadata().strings("golden.names");
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(
      std::vector<std::string>(names->begin(), names->end()),
      (std::vector<std::string>{"plain", "linear", "yarn", "yarn_betas", "llama3", "longrope"}));
}

TEST_F(RopeGolden, FactorsMustFitAndBePositive) {
  RopeTable table = read("plain");
  std::vector<float> factors(table.frequencies.size(), 1.0f);
  factors.pop_back();
  const Status few = divide_frequencies(table, factors, "rope_freqs.weight");
  ASSERT_FALSE(few.ok());
  EXPECT_NE(few.error().what.en.find("rope_freqs.weight"), std::string::npos);
  factors.push_back(0.0f);
  EXPECT_FALSE(divide_frequencies(table, factors, "rope_freqs.weight").ok());
  factors.back() = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(divide_frequencies(table, factors, "rope_freqs.weight").ok());
}

}  // namespace
}  // namespace premise
