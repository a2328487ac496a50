#include "planning/families.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "planning/hf_config.h"
#include "planning/testing.h"

namespace premise {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

nlohmann::json recorded() {
  std::ifstream file(std::string(premise::testing::golden_folder) + "families.json");
  return nlohmann::json::parse(file)["models"];
}

TEST(Families, HaveTheParametersThatTransformersCounts) {
  std::size_t compared = 0;
  for (const auto& entry : recorded())
    for (const PublishedShape& shape : published_shapes())
      if (shape.name == entry["name"].get<std::string>()) {
        EXPECT_EQ(parameter_count(shape.shape), entry["parameters"].get<std::uint64_t>())
            << shape.name;
        ++compared;
      }
  EXPECT_EQ(compared, published_shapes().size());
}

TEST(Families, AreReadAlikeFromTheirConfigurations) {
  for (const auto& entry : recorded()) {
    const auto model = parse_hf_config(entry["config"].dump(), "config.json");
    ASSERT_TRUE(model.ok()) << entry["name"] << ": " << model.error().what.en;
    EXPECT_EQ(parameter_count(model->shape), entry["parameters"].get<std::uint64_t>())
        << entry["name"];
    for (const PublishedShape& shape : published_shapes())
      if (shape.name == entry["name"].get<std::string>()) {
        EXPECT_EQ(model->shape.kv_heads, shape.shape.kv_heads) << shape.name;
        EXPECT_EQ(model->shape.head_dim, shape.shape.head_dim) << shape.name;
        EXPECT_EQ(model->shape.window, shape.shape.window) << shape.name;
        EXPECT_EQ(model->shape.tied, shape.shape.tied) << shape.name;
      }
  }
}

TEST(Families, NumbersOfParametersHaveAUnit) {
  EXPECT_EQ(*parse_parameters("7b"), 7e9);
  EXPECT_EQ(*parse_parameters("0.5B"), 5e8);
  EXPECT_EQ(*parse_parameters("270m"), 2.7e8);
  for (const char* wrong : {"", "b", "7", "7k", "7bb", "-7b", "nan", "nanb", "infb", "1e400b",
                            "7 b", "1001b", "99m", "0b", "0x7b", "7b\x1b[2J"})
    EXPECT_EQ(parse_parameters(wrong).error().code, ErrorCode::usage) << wrong;
  EXPECT_THAT(parse_parameters("7b\x1b[2J").error().what.en, HasSubstr("\\x1b"));
}

TEST(Families, NearestIsByRatio) {
  EXPECT_EQ(choose_shape(7e9, "")->nearest->name, "Qwen2.5 7B");
  EXPECT_EQ(choose_shape(7e9, "llama")->nearest->name, "Llama 2 7B");
  EXPECT_EQ(choose_shape(4.05e11, "")->nearest->name, "Llama 3.1 405B");
  EXPECT_EQ(choose_shape(5e8, "")->nearest->name, "Qwen2.5 0.5B");
  EXPECT_THAT(choose_shape(7e9, "")->equals, ElementsAre("Llama 2 7B", "Mistral 7B v0.3"));
}

TEST(Families, SizesBetweenGetMoreOrFewerLayers) {
  const auto choice = choose_shape(5e10, "");
  ASSERT_TRUE(choice.ok());
  EXPECT_TRUE(choice->scaled);
  const auto layer_away = static_cast<double>(parameter_count(choice->shape)) / 5e10;
  EXPECT_NEAR(layer_away, 1.0, 0.02);
  EXPECT_NE(choice->shape.layers, choice->nearest->shape.layers);
  EXPECT_FALSE(choose_shape(7.2e9, "")->scaled);
  EXPECT_NEAR(static_cast<double>(parameter_count(choose_shape(1e12, "")->shape)), 1e12, 1e10);
}

TEST(Families, UnknownOnesAreNamedWithTheNearest) {
  const auto choice = choose_shape(7e9, "qwne2.5");
  ASSERT_FALSE(choice.ok());
  EXPECT_EQ(choice.error().code, ErrorCode::usage);
  EXPECT_THAT(choice.error().hint.en, HasSubstr("qwen2.5"));
}

}  // namespace
}  // namespace premise
