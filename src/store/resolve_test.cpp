#include "store/resolve.h"

#include "store/store.h"
#include "store/test_support.h"

namespace premise {
namespace {

class ResolveTest : public testing::Test {
 protected:
  TempFolder folder_;
  Environment environment_ = environment_of({{"PREMISE_HOME", (folder_ / "home").string()}});

  std::filesystem::path add(const std::string& name) {
    Store store = *Store::open(folder_ / "home");
    write_file(store.partial_folder() / "in", name);
    return store
        .add({.name = *parse_model_name(name),
              .sha256 = sha256_of(name),
              .bytes = name.size(),
              .format = "gguf",
              .file_name = "",
              .source = "file",
              .licence = ""},
             store.partial_folder() / "in")
        ->path;
  }
};

TEST_F(ResolveTest, APathNeedsNoStore) {
  write_file(folder_ / "m.gguf", "x");
  const auto file = resolve_model((folder_ / "m.gguf").string(), environment_of({}));
  ASSERT_TRUE(file.ok());
  EXPECT_FALSE(file->name);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "home"));
}

TEST_F(ResolveTest, ANameGivesItsBlob) {
  const auto blob = add("tiny:1");
  const auto file = resolve_model("tiny:1", environment_);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->path, blob);
  EXPECT_EQ(file->name->text(), "tiny:1");
}

TEST_F(ResolveTest, AMissingPathIsNotLookedUpInTheStore) {
  const auto file = resolve_model((folder_ / "none.gguf").string(), environment_);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::usage);
  EXPECT_NE(file.error().what.en.find("no such file"), std::string::npos);
}

TEST_F(ResolveTest, AnUnknownNameOfTheCatalogueTellsHowToPullIt) {
  const auto file = resolve_model("gemma3:270m-base", environment_);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::usage);
  EXPECT_NE(file.error().hint.en.find("premise pull gemma3:270m-base"), std::string::npos);
}

TEST_F(ResolveTest, ALostBlobIsNamed) {
  std::filesystem::remove(add("tiny:1"));
  const auto file = resolve_model("tiny:1", environment_);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::bad_input);
}

}  // namespace
}  // namespace premise
