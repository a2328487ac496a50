#include "planning/weight_recipe.h"

#include <gmock/gmock.h>

#include <map>

#include "planning/memory_need.h"
#include "planning/testing.h"

namespace premise {
namespace {

using premise::testing::published;

// On a card weights lie as in a file.
std::uint64_t file_bytes(const SizedModel& model) {
  Capacity card;
  card.gpu = true;
  Workload work;
  work.context = 32;
  return memory_need(model, work, card)->weights;
}

// The published file gemma-3-270m-q4_k_m.gguf has 81 matrices of Q5_0, 27 of Q4_K, 10 of Q8_0 and 9
// of Q6_K (its header says so): rows of 640 are no whole number of blocks of 256, so Q4_K becomes
// Q5_0 and Q6_K becomes Q8_0 in all matrices with 640 columns.
TEST(WeightRecipe, GivesTheTypesOfAPublishedFile) {
  const SizedModel model = published("Gemma 3 270M", "q4_k_m");
  std::map<DType, int> counts;
  for (std::size_t i = 0; i < model.types.size(); ++i)
    if (model.plan.weights[i].shape.rank == 2) ++counts[model.types[i]];
  EXPECT_EQ(counts,
            (std::map<DType, int>{
                {DType::q5_0, 81}, {DType::q4_k, 27}, {DType::q8_0, 10}, {DType::q6_k, 9}}));
}

// Bytes a row: Q8_0 640/32·34 = 680, Q5_0 640/32·22 = 440, Q4_K 1024/256·144 = 576 and
// 2048/256·144 = 1152, Q6_K 2048/256·210 = 1680. Of 18 layers 9 are rich (0, 1, 4, 7, 10, 13, 15,
// 16, 17).
//   embedding                262144 · 680                                   178,257,920
//   query, key               18 · (1024 + 256) · 440                         10,137,600
//   gate, up                 18 · 2 · 2048 · 440                             32,440,320
//   attention output         18 · 640 · 576                                   6,635,520
//   value                    9 · 256 · 440 + 9 · 256 · 680                    2,580,480
//   down                     9 · 640 · 1152 + 9 · 640 · 1680                 16,312,320
//   norms in F32             18 · (4 · 640 + 2 · 256) · 4 + 640 · 4             223,744
TEST(WeightRecipe, BytesFollowFromTheShapes) {
  const std::uint64_t expected =
      178'257'920u + 10'137'600u + 32'440'320u + 6'635'520u + 2'580'480u + 16'312'320u + 223'744u;
  EXPECT_EQ(file_bytes(published("Gemma 3 270M", "q4_k_m")), expected);
}

// Sizes of the GGUF files of Llama 3.1 8B Instruct on its quantizers' hub pages, in GB of 10^9; a
// file also holds about 8 MB of vocabulary.
TEST(WeightRecipe, AgreesWithPublishedFilesOfLlama8B) {
  const std::map<std::string, double> gigabytes = {
      {"bf16", 16.07},  {"q8_0", 8.54},   {"q6_k", 6.60},   {"q5_k_m", 5.73},
      {"q5_k_s", 5.60}, {"q4_k_m", 4.92}, {"q4_k_s", 4.69}, {"q3_k_l", 4.32},
      {"q3_k_m", 4.02}, {"q3_k_s", 3.66}, {"q2_k", 3.18}};
  for (const auto& [recipe, size] : gigabytes) {
    const auto bytes = static_cast<double>(file_bytes(published("Llama 3.1 8B", recipe)));
    EXPECT_NEAR(bytes / 1e9, size, 0.005 * size) << recipe;
  }
}

// 42.52 GB: eight heads share a value head, which then gets Q5_K instead of Q4_K.
TEST(WeightRecipe, AgreesWithThePublishedFileOfLlama70B) {
  const auto bytes = static_cast<double>(file_bytes(published("Llama 3.1 70B", "q4_k_m")));
  EXPECT_NEAR(bytes / 1e9, 42.52, 0.02);
}

TEST(WeightRecipe, ComesFromTheMostBitsToTheFewest) {
  std::uint64_t last = UINT64_MAX;
  for (const WeightRecipe& recipe : all_recipes()) {
    const std::uint64_t bytes = file_bytes(published("Llama 3.1 8B", recipe.name));
    EXPECT_LE(bytes, last) << recipe.name;
    last = bytes;
  }
}

TEST(WeightRecipe, IsFoundWhateverTheCase) {
  ASSERT_NE(find_recipe("Q4_K_M"), nullptr);
  EXPECT_EQ(find_recipe("Q4_K_M")->name, "q4_k_m");
  EXPECT_EQ(find_recipe("q4_k_x"), nullptr);
  EXPECT_EQ(find_recipe(""), nullptr);
}

TEST(WeightRecipe, FitsEveryRowOfEveryShape) {
  for (const PublishedShape& shape : published_shapes())
    for (const WeightRecipe& recipe : all_recipes()) {
      const SizedModel model = published(shape.name, recipe.name);
      for (std::size_t i = 0; i < model.types.size(); ++i)
        EXPECT_TRUE(row_bytes(model.types[i], model.plan.weights[i].shape.columns()))
            << shape.name << " " << recipe.name << " " << model.plan.weights[i].name;
    }
}

}  // namespace
}  // namespace premise
