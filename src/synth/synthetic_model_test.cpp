#include "synth/synthetic_model.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "base/hash.h"
#include "base/units.h"
#include "model/formats/gguf.h"
#include "model/plan/architecture.h"
#include "model/tokenizer/tokenizer.h"
#include "numerics/quant/decode.h"
#include "planning/families.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* every_architecture[] = {"qwen2", "qwen3", "llama", "gemma3"};

Status keep_going(std::uint64_t, std::uint64_t) { return {}; }

SyntheticModel planned(std::string_view architecture, std::string_view size, std::string_view type,
                       std::uint64_t seed = 0) {
  auto model = plan_synthetic(architecture, size, type, seed);
  EXPECT_TRUE(model.ok()) << model.error().what.en;
  return std::move(model).value();
}

class SyntheticModelTest : public testing::Test {
 protected:
  SyntheticModelTest() {
    std::string pattern = (fs::temp_directory_path() / "premise-synth-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~SyntheticModelTest() override { fs::remove_all(folder_); }

  std::string bytes_of(const SyntheticModel& model) {
    const fs::path path = folder_ / "model.gguf";
    const Status status = write_synthetic(model, path, keep_going);
    EXPECT_TRUE(status.ok()) << status.error().what.en;
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::unique_ptr<TensorSource> written(const SyntheticModel& model) {
    bytes_of(model);
    auto source = open_gguf(folder_ / "model.gguf");
    EXPECT_TRUE(source.ok()) << source.error().what.en;
    return std::move(source).value();
  }

  fs::path folder_;
};

TEST_F(SyntheticModelTest, ASeedGivesTheSameBytesOnEveryMachine) {
  const std::string bytes = bytes_of(planned("qwen2", "tiny", "q8_0"));
  // Changes with the vocabulary, the keys, the weights and the encoder of Q8_0: on purpose only.
  EXPECT_EQ(*hash_of(HashKind::sha256, bytes),
            "23662929c8ae41412b5e877bbb9d6cd197180ea602b381148d86c49f138432af");
  EXPECT_EQ(bytes_of(planned("qwen2", "tiny", "q8_0")), bytes);
  const std::string other = bytes_of(planned("qwen2", "tiny", "q8_0", 1));
  EXPECT_EQ(other.size(), bytes.size());
  EXPECT_NE(other, bytes);
}

TEST_F(SyntheticModelTest, TheFileHasTheShapeTheTypesAndTheSizeThatWerePlanned) {
  for (const char* architecture : every_architecture) {
    const SyntheticModel model = planned(architecture, "tiny", "q4_k_m");
    const auto source = written(model);
    const auto plan = plan_model({*source, 0});
    ASSERT_TRUE(plan.ok()) << plan.error().what.en;
    EXPECT_EQ(plan->architecture, architecture);
    EXPECT_EQ(plan->layers, model.shape.shape.layers);
    EXPECT_EQ(plan->vocabulary, model.shape.shape.vocabulary);
    EXPECT_EQ(fs::file_size(folder_ / "model.gguf"), model.bytes);
    const std::vector<DType> types = recipe_types(*model.recipe, *plan);
    std::uint64_t parameters = 0;
    for (std::size_t i = 0; i < plan->weights.size(); ++i) {
      const TensorInfo& tensor = source->tensors()[plan->weights[i].source_index];
      EXPECT_EQ(tensor.dtype, types[i]) << tensor.name;
      parameters += tensor.shape.elements();
    }
    EXPECT_EQ(parameters, model.parameters);
    EXPECT_EQ(source->tensors().size(), plan->weights.size());
  }
}

TEST_F(SyntheticModelTest, MetadataSaysWhatFilesOfTheModelSay) {
  const auto source = written(planned("gemma3", "tiny", "q6_k", 7));
  const Metadata& keys = source->metadata();
  EXPECT_EQ(*keys.u64("general.file_type"), 18u);
  EXPECT_THAT(std::string(*keys.string("general.description")), HasSubstr("Seed 7."));
  EXPECT_EQ(*keys.u64("gemma3.attention.sliding_window"), 512u);
  EXPECT_EQ(*keys.u64("gemma3.attention.key_length"), 64u);
  EXPECT_EQ(*keys.number("gemma3.rope.freq_base"), 1e6);
  EXPECT_EQ(*keys.number("gemma3.attention.layer_norm_rms_epsilon"), static_cast<double>(1e-6f));
  const auto tokenizer = Tokenizer::from_gguf(keys);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().what.en;
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("round and 圆")), "round and 圆");
}

TEST_F(SyntheticModelTest, WeightsSpreadAsSaid) {
  const auto source = written(planned("qwen2", "tiny", "q8_0"));
  const auto spread = [&](const char* name) {
    const TensorView view = source->view(*source->find(name));
    std::vector<float> values(view.shape.elements());
    EXPECT_TRUE(decode_row(view.dtype, view.bytes, values).ok());
    double sum = 0.0, squares = 0.0;
    for (const float value : values) {
      sum += static_cast<double>(value);
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
    const double mean = sum / static_cast<double>(values.size());
    return std::pair(mean, std::sqrt(squares / static_cast<double>(values.size()) - mean * mean));
  };
  const auto [query, query_spread] = spread("blk.1.attn_q.weight");
  EXPECT_NEAR(query, 0.0, 0.001);
  EXPECT_NEAR(query_spread, 0.02, 0.001);
  const auto [norm, norm_spread] = spread("blk.0.ffn_norm.weight");
  EXPECT_NEAR(norm, 1.0, 0.02);
  EXPECT_NEAR(norm_spread, 0.05, 0.01);
  const auto [bias, bias_spread] = spread("blk.0.attn_q.bias");
  EXPECT_NEAR(bias, 0.0, 0.02);
  EXPECT_NEAR(bias_spread, 0.1, 0.02);
  // sqrt(512) products of this and 0.02: logits of deviation 3.
  EXPECT_NEAR(spread("output_norm.weight").first * 0.02 * std::sqrt(512.0), 3.0, 0.1);
}

// The sizes on the pages of those who quantized them, in GB.
TEST(SyntheticPlan, PublishedFilesAreAsLarge) {
  const auto gigabytes = [](const char* architecture, const char* size, const char* type) {
    return static_cast<double>(planned(architecture, size, type).bytes) / 1e9;
  };
  EXPECT_NEAR(gigabytes("qwen2", "0.5b", "q8_0"), 0.531, 0.005);
  EXPECT_NEAR(gigabytes("qwen2", "1.5b", "q4_k_m"), 0.986, 0.005);
  EXPECT_NEAR(gigabytes("qwen2", "7B", "Q4_K_M"), 4.68, 0.01);
  EXPECT_NEAR(gigabytes("llama", "8b", "q4_k_m"), 4.92, 0.02);
}

TEST(SyntheticPlan, EveryNamedSizeIsOfItsArchitecture) {
  std::size_t count = 0;
  for (const char* architecture : every_architecture) {
    EXPECT_THAT(synthetic_architectures(), HasSubstr(architecture));
    EXPECT_TRUE(synthetic_sizes(architecture).starts_with("tiny, "));
    for (const PublishedShape& published : published_shapes()) {
      const auto size = std::string(published.name.substr(published.name.rfind(' ') + 1));
      const auto found = find_synthetic_shape(architecture, size);
      if (!found.ok() || found->name != published.name) continue;
      EXPECT_EQ(found->shape.architecture, architecture);
      EXPECT_EQ(found->shape.hidden, published.shape.hidden);
      ++count;
    }
  }
  EXPECT_EQ(count, 25u);  // 7 of Qwen2.5, 6 of Qwen3, 7 of Llama, 5 of Gemma 3
}

TEST(SyntheticPlan, WhatIsNotKnownIsNamedWithWhatIs) {
  const auto architecture = plan_synthetic("gpt\x1b", "7b", "q8_0", 0);
  ASSERT_FALSE(architecture.ok());
  EXPECT_EQ(architecture.error().code, ErrorCode::usage);
  EXPECT_THAT(architecture.error().what.en, testing::Not(HasSubstr("\x1b")));
  EXPECT_THAT(architecture.error().hint.en, HasSubstr("qwen2, qwen3"));
  const auto size = plan_synthetic("qwen2", "8b", "q8_0", 0);
  ASSERT_FALSE(size.ok());
  EXPECT_EQ(size.error().code, ErrorCode::usage);
  EXPECT_THAT(size.error().hint.en, HasSubstr("0.5b, 1.5b"));
  const auto type = plan_synthetic("qwen2", "7b", "q9", 0);
  ASSERT_FALSE(type.ok());
  EXPECT_EQ(type.error().code, ErrorCode::usage);
  EXPECT_THAT(type.error().hint.en, HasSubstr("q4_k_m"));
}

TEST_F(SyntheticModelTest, ProgressRunsFromNothingToAllAndItsErrorLeavesTheOldFile) {
  const fs::path path = folder_ / "model.gguf";
  std::ofstream(path) << "old";
  const SyntheticModel model = planned("llama", "tiny", "f32");  // in pieces: 4 MB of embedding
  std::uint64_t last = 0, in_all = 0;
  std::size_t calls = 0;
  const Status status =
      write_synthetic(model, path, [&](std::uint64_t done, std::uint64_t total) -> Status {
        EXPECT_GE(done, last);
        EXPECT_LE(done, total);
        last = done;
        in_all = total;
        if (++calls < 4) return {};
        return error(ErrorCode::cancelled, {"stop", "停"});
      });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::cancelled);
  EXPECT_GT(last, 0u);
  EXPECT_EQ(in_all, 4 * model.parameters);
  EXPECT_EQ(fs::file_size(path), 3u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(SyntheticModelTest, ADiskWithoutRoomIsNamedBeforeAnythingIsWritten) {
  const SyntheticModel model = planned("llama", "405b", "f32");
  if (fs::space(folder_).available >= model.bytes)
    GTEST_SKIP() << "this disk has room for " << format_bytes(model.bytes);
  bool begun = false;
  const Status status =
      write_synthetic(model, folder_ / "model.gguf", [&](std::uint64_t, std::uint64_t) {
        begun = true;
        return Status();
      });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::no_resources);
  EXPECT_THAT(status.error().what.en, HasSubstr(format_bytes(model.bytes)));
  EXPECT_FALSE(begun);
  EXPECT_TRUE(fs::is_empty(folder_));
}

}  // namespace
}  // namespace premise
