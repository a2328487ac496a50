#include "planning/sized_model.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "planning/testing.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using premise::testing::TemporaryFolder;
using ::testing::HasSubstr;

const fs::path tiny = fs::path(premise::testing::golden_folder) / "tiny-llama";

std::string contents(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(SizedModel, ComesFromAFolderAShardOrAConfiguration) {
  for (const fs::path& path :
       {tiny, tiny / "config.json", tiny / "model-00001-of-00004.safetensors"}) {
    const auto model = open_sized_model(path);
    ASSERT_TRUE(model.ok()) << model.error().what.en;
    EXPECT_EQ(model->parameters, 5712u) << path;
    EXPECT_EQ(model->plan.architecture, "llama");
    EXPECT_EQ(model->type_name, "bf16");
  }
}

TEST(SizedModel, SaysWhereFilesAndConfigurationDisagree) {
  EXPECT_TRUE(open_sized_model(tiny)->notes.empty());
  const auto part = open_sized_model(tiny / "model-00001-of-00004.safetensors");
  ASSERT_EQ(part->notes.size(), 1u);
  EXPECT_THAT(part->notes[0].en, HasSubstr("5712"));
}

TEST(SizedModel, AMissingShardIsNamed) {
  const TemporaryFolder folder;
  for (const auto& entry : fs::directory_iterator(tiny))
    fs::copy(entry.path(), folder.path() / entry.path().filename());
  fs::remove(folder.path() / "model-00003-of-00004.safetensors");
  const auto model = open_sized_model(folder.path());
  ASSERT_FALSE(model.ok());
  EXPECT_THAT(model.error().what.en, HasSubstr("model-00003-of-00004"));
}

TEST(SizedModel, WeightsAloneAreNotEnough) {
  const TemporaryFolder folder;
  fs::copy(tiny / "model-00001-of-00004.safetensors", folder.path() / "a.safetensors");
  const auto model = open_sized_model(folder.path());
  ASSERT_FALSE(model.ok());
  EXPECT_THAT(model.error().what.en, HasSubstr("config.json"));
}

TEST(SizedModel, HostileFilesAreErrorsWithTheirNames) {
  const TemporaryFolder folder;
  const std::string config = contents(tiny / "config.json");
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, config.size() / 2}) {
    const auto path = folder.write("config.json", config.substr(0, bytes));
    const auto model = open_sized_model(path);
    ASSERT_FALSE(model.ok()) << bytes;
    EXPECT_EQ(model.error().code, ErrorCode::bad_input);
    EXPECT_THAT(model.error().what.en, HasSubstr("config.json"));
  }
  const auto gguf = folder.write("a.gguf", "GGUF\x03\0\0\0");
  EXPECT_EQ(open_sized_model(gguf).error().code, ErrorCode::bad_input);
  EXPECT_EQ(open_sized_model(folder.path() / "nothing").error().code, ErrorCode::bad_input);
}

TEST(SizedModel, ARecipeReplacesTheTypes) {
  auto model = open_sized_model(tiny).value();
  retype(model, *find_recipe("q8_0"));
  EXPECT_EQ(model.type_name, "q8_0");
  // Rows of 16 are no whole block of 32: the matrices of a toy stay F16.
  EXPECT_EQ(model.types.front(), DType::f16);
}

TEST(SizedModel, EveryArchitectureThatIsSizedIsPlanned) {
  for (const PublishedShape& shape : published_shapes()) {
    const SizedModel model = premise::testing::published(shape.name, "bf16");
    EXPECT_EQ(model.plan.layers, shape.shape.layers) << shape.name;
    EXPECT_EQ(model.parameters, parameter_count(shape.shape)) << shape.name;
  }
}

}  // namespace
}  // namespace premise
