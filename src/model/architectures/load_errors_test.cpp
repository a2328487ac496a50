// A model that is not as it should be is refused when it is loaded, and the message names what is
// wrong. Each test changes one thing in a tiny model that loads.
#include <gtest/gtest.h>

#include "model/architectures/tiny_model_testing.h"
#include "model/plan/architecture.h"

namespace premise {
namespace {

using testing::tiny_file;
using testing::tiny_model;
using testing::TinyModel;

TinyModel model(std::string_view name) {
  auto loaded = tiny_model(name);
  EXPECT_TRUE(loaded.ok()) << (loaded.ok() ? "" : loaded.error().what.en);
  return loaded.ok() ? std::move(loaded).value() : TinyModel{};
}

// Loading fails as bad input, and the message has all the parts, in both languages.
void expect_refused(const TinyModel& changed, std::initializer_list<std::string_view> parts) {
  const auto file = tiny_file(changed);
  ASSERT_TRUE(file.ok()) << file.error().what.en;
  const auto plan = plan_model({*file->source});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
  for (const std::string_view part : parts) {
    EXPECT_NE(plan.error().what.en.find(part), std::string::npos) << plan.error().what.en;
    EXPECT_NE(plan.error().what.zh.find(part), std::string::npos) << plan.error().what.zh;
  }
}

TEST(LoadErrors, UnchangedModelsLoad) {
  for (const char* name : {"llama", "llama_llama3", "qwen2", "qwen3", "gemma2", "gemma3", "phi3"}) {
    const auto file = tiny_file(model(name));
    ASSERT_TRUE(file.ok());
    const auto plan = plan_model({*file->source});
    EXPECT_TRUE(plan.ok()) << (plan.ok() ? "" : plan.error().what.en);
  }
}

TEST(LoadErrors, AMissingTensorIsNamedWithItsShape) {
  TinyModel m = model("qwen3");
  m.remove("blk.1.ffn_gate.weight");
  expect_refused(m, {"blk.1.ffn_gate.weight", "qwen3", "[512, 256]"});
  m = model("gemma3");
  m.remove("blk.6.attn_q_norm.weight");
  expect_refused(m, {"blk.6.attn_q_norm.weight", "[64]"});
  m = model("llama");
  m.remove("token_embd.weight");
  expect_refused(m, {"token_embd.weight"});
}

TEST(LoadErrors, AWrongShapeIsNamedWithBothShapes) {
  TinyModel m = model("phi3");
  m.tensor("blk.0.attn_qkv.weight").shape = testing::shape_of(256, 256);
  expect_refused(m, {"blk.0.attn_qkv.weight", "[512, 256]", "[256, 256]"});
  m = model("llama");
  m.tensor("output_norm.weight").shape = testing::shape_of(0, 128);
  expect_refused(m, {"output_norm.weight", "[256]", "[128]"});
}

TEST(LoadErrors, ALeftoverTensorIsNamed) {
  TinyModel m = model("gemma2");
  m.tensors.push_back({"blk.2.attn_q_norm.weight", testing::shape_of(0, 32), 1.0, 0.5, {}});
  expect_refused(m, {"blk.2.attn_q_norm.weight", "[32]", "gemma2"});
  m = model("qwen2");
  m.tensors.push_back({"rope_freqs.weight", testing::shape_of(0, 16), 1.0, 0.5, {}});
  expect_refused(m, {"rope_freqs.weight"});
}

TEST(LoadErrors, ATensorOfALayerThatTheModelLacksIsNamed) {
  TinyModel m = model("llama");
  m.set("llama.block_count", std::uint32_t{1});
  expect_refused(m, {"blk.1."});
}

TEST(LoadErrors, AnUnknownArchitectureIsNamedAndTheKnownAreListed) {
  TinyModel m = model("llama");
  m.set("general.architecture", std::string("mamba"));
  expect_refused(m, {"mamba"});
  const auto file = tiny_file(m);
  const auto plan = plan_model({*file->source});
  for (const Architecture* architecture : all_architectures())
    EXPECT_NE(plan.error().hint.en.find(architecture->name), std::string::npos);
}

TEST(LoadErrors, UnknownRopeScalingIsNamed) {
  TinyModel m = model("qwen2");
  m.set("qwen2.rope.scaling.type", std::string("dynamic"));
  expect_refused(m, {"qwen2.rope.scaling.type", "dynamic", "yarn"});
}

TEST(LoadErrors, RopeSettingsOutOfRangeAreNamed) {
  TinyModel m = model("llama_yarn");
  m.set("llama.rope.scaling.factor", -4.0f);
  expect_refused(m, {"llama.rope.scaling.factor", "-4"});
  m = model("llama");
  m.set("llama.rope.dimension_count", std::uint32_t{33});
  expect_refused(m, {"llama.rope.dimension_count", "33"});
  m = model("llama");
  m.set("llama.rope.freq_base", 0.5f);
  expect_refused(m, {"llama.rope.freq_base"});
}

TEST(LoadErrors, FrequencyFactorsMustFitTheRotation) {
  TinyModel m = model("llama_llama3");
  auto& factors = m.tensor("rope_freqs.weight");
  factors.given.pop_back();
  factors.shape = testing::shape_of(0, factors.given.size());
  expect_refused(m, {"rope_freqs.weight", "15", "16"});
  m = model("phi3_long");
  m.remove("rope_factors_long.weight");
  expect_refused(m, {"rope_factors_long.weight"});
}

TEST(LoadErrors, MixturesOfExpertsAreRefusedByCount) {
  TinyModel m = model("llama");
  m.set("llama.expert_count", std::uint32_t{8});
  expect_refused(m, {"8"});
}

TEST(LoadErrors, SizesOutOfRangeAreNamedWithTheirKey) {
  for (const auto& [key, value] :
       {std::pair{"llama.attention.head_count", 0u}, std::pair{"llama.block_count", 100000u},
        std::pair{"llama.embedding_length", 0xFFFFFFFFu}, std::pair{"llama.context_length", 0u}}) {
    TinyModel m = model("llama");
    m.set(key, std::uint32_t{value});
    expect_refused(m, {key, std::to_string(value)});
  }
  TinyModel m = model("llama");
  m.set("llama.attention.head_count_kv", std::uint32_t{3});
  expect_refused(m, {"8", "3"});
}

// A source with other metadata.
class Altered final : public TensorSource {
 public:
  explicit Altered(const TensorSource& source) : source_(source), metadata_(source.metadata()) {}

  void set(const std::string& key, MetadataValue value) {
    metadata_ = source_.metadata();
    metadata_.set(key, std::move(value));
  }
  const Metadata& metadata() const override { return metadata_; }
  std::span<const TensorInfo> tensors() const override { return source_.tensors(); }
  std::optional<std::size_t> find(std::string_view name) const override {
    return source_.find(name);
  }
  TensorView view(std::size_t index) const override { return source_.view(index); }
  void release(std::span<const std::byte> bytes) const override { source_.release(bytes); }
  std::string_view path() const override { return source_.path(); }

 private:
  const TensorSource& source_;
  Metadata metadata_;
};

TEST(LoadErrors, NoValueOfAnyKeyBreaksTheLoader) {
  const MetadataValue hostile[] = {std::uint64_t{0},
                                   std::uint64_t{1},
                                   std::uint64_t{7},
                                   std::uint64_t{0xFFFFFFFF},
                                   UINT64_MAX,
                                   std::int64_t{-1},
                                   0.0,
                                   -1.0,
                                   1e-300,
                                   1e300,
                                   std::string("x"),
                                   std::vector<std::uint64_t>{1, 2}};
  for (const char* name : {"llama_yarn", "gemma2", "gemma3_linear", "phi3_long", "qwen2_yarn"}) {
    const auto file = tiny_file(model(name));
    ASSERT_TRUE(file.ok());
    Altered source(*file->source);
    for (const auto& [key, unused] : file->source->metadata().values()) {
      if (key.starts_with("golden.")) continue;
      for (const MetadataValue& value : hostile) {
        source.set(key, value);
        const auto plan = plan_model({source});  // a plan or a sentence
        if (!plan.ok()) {
          EXPECT_FALSE(plan.error().what.en.empty()) << key;
        }
      }
    }
  }
}

}  // namespace
}  // namespace premise
