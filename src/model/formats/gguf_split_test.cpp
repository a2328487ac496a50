#include "model/formats/gguf_split.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "base/mapped_file.h"
#include "model/formats/gguf.h"
#include "model/formats/gguf_writer.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(SplitName, IsReadFromThePartsOfAModel) {
  const auto name = gguf::split_name("/models/big-model-00002-of-00013.gguf");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->prefix, "big-model");
  EXPECT_EQ(name->number, 2u);
  EXPECT_EQ(name->count, 13u);
  EXPECT_EQ(name->file(13), "big-model-00013-of-00013.gguf");
}

TEST(SplitName, IsNothingElse) {
  for (const char* other : {"model.gguf", "m-00000-of-00003.gguf", "m-00004-of-00003.gguf",
                            "m-0001-of-0003.gguf", "m-00001-of-00003.bin", "m-0000a-of-00003.gguf",
                            "m-00001-of-+0003.gguf", "m_00001-of-00003.gguf", "-of-00003.gguf", ""})
    EXPECT_FALSE(gguf::split_name(other)) << other;
}

class SplitModel : public testing::Test {
 protected:
  SplitModel() {
    std::string pattern = (fs::temp_directory_path() / "premise-split-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~SplitModel() override { fs::remove_all(folder_); }

  /// Writes part `index` (from 0) of 2 with one tensor, under the name of part `index`.
  void part(std::uint16_t index, const std::string& tensor, std::uint16_t count = 2,
            std::int32_t tensors = 2) {
    static constexpr std::byte data[4] = {};
    GgufWriter writer;
    writer.set("split.no", index);
    writer.set("split.count", count);
    writer.set("split.tensors.count", tensors);
    writer.add_tensor(tensor, DType::f32, {{1, 1, 1, 1}, 1}, data);
    ASSERT_TRUE(writer.write(file(index)).ok());
  }
  fs::path file(unsigned index) const {
    return folder_ / fmt::format("m-{:05}-of-00002.gguf", index + 1);
  }
  std::string problem(const fs::path& path) const {
    const auto source = open_gguf(path);
    return source.ok() ? "" : source.error().what.en;
  }

  fs::path folder_;
};

TEST_F(SplitModel, OpensByAnyPart) {
  part(0, "a");
  part(1, "b");
  EXPECT_EQ(problem(file(0)), "");
  EXPECT_EQ(problem(file(1)), "");
}

TEST_F(SplitModel, NamesThePartThatIsMissing) {
  part(1, "b");
  EXPECT_EQ(problem(file(1)),
            file(0).string() + ": this part of the model is missing (2 parts belong together)");
}

TEST_F(SplitModel, RefusesARenamedPart) {
  part(0, "a");
  part(1, "b");
  fs::rename(file(1), folder_ / "renamed.gguf");
  EXPECT_THAT(problem(folder_ / "renamed.gguf"),
              HasSubstr("this is part 2 of 2 of a split model, but its name does not say so"));
}

TEST_F(SplitModel, RefusesPartsThatChangedPlaces) {
  part(0, "a");
  part(1, "b");
  fs::rename(file(0), folder_ / "x");
  fs::rename(file(1), file(0));
  fs::rename(folder_ / "x", file(1));
  EXPECT_THAT(problem(file(0)), HasSubstr("its name does not say so"));
}

TEST_F(SplitModel, RefusesPartsOfDifferentModels) {
  part(0, "a");
  part(1, "b", 3);
  EXPECT_THAT(problem(file(0)), HasSubstr("do not say part 2 of 2 with 2 tensors in all"));
}

TEST_F(SplitModel, RefusesATensorThatIsInTwoParts) {
  part(0, "same");
  part(1, "same");
  EXPECT_THAT(problem(file(0)), HasSubstr("tensor \"same\" is in two parts of the model"));
}

TEST_F(SplitModel, ChecksTheNumberOfTensors) {
  part(0, "a", 2, 5);
  part(1, "b", 2, 5);
  EXPECT_THAT(problem(file(0)), HasSubstr("hold 2 tensors, split.tensors.count says 5"));
}

TEST_F(SplitModel, RefusesAPartNumberBeyondTheCount) {
  part(7, "a");
  EXPECT_THAT(problem(file(7)), HasSubstr("\"split.no\" is 7, but the model has 2 parts"));
}

TEST_F(SplitModel, RefusesANameOfAPartOnAWholeModel) {
  ASSERT_TRUE(GgufWriter().write(file(0)).ok());
  EXPECT_THAT(problem(file(0)), HasSubstr("its name says part 1 of 2, but it has no split.count"));
}

TEST_F(SplitModel, ADamagedPartIsNamed) {
  part(0, "a");
  part(1, "b");
  fs::resize_file(file(1), 40);
  EXPECT_THAT(problem(file(0)), HasSubstr("m-00002-of-00002.gguf: "));
}

TEST_F(SplitModel, CannotBeOpenedFromBytes) {
  part(0, "a");
  const auto mapped = MappedFile::open(file(0));
  ASSERT_TRUE(mapped.ok());
  const auto source = open_gguf_bytes(mapped->bytes(), "bytes");
  ASSERT_FALSE(source.ok());
  EXPECT_THAT(source.error().what.en, HasSubstr("part 1 of 2 of a split model"));
}

}  // namespace
}  // namespace premise
