#include "model/formats/model_file.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "model/formats/file_kind.h"
#include "model/formats/gguf_writer.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

FileKind kind_of_text(const std::string& head) {
  return file_kind(std::as_bytes(std::span(head)), head.size());
}

TEST(FileKind, TellsApartWhatPeopleHandInByMistake) {
  EXPECT_EQ(kind_of_text("GGUF\3"), FileKind::gguf);
  EXPECT_EQ(kind_of_text("tjgg\1"), FileKind::old_ggml);
  EXPECT_EQ(kind_of_text(std::string("\x10\0\0\0\0\0\0\0{\"a\":[1,2,3]}  \0\0", 26)),
            FileKind::safetensors);
  EXPECT_EQ(kind_of_text("PK\3\4archive/data.pkl"), FileKind::zip);
  EXPECT_EQ(kind_of_text("\x80\2}q"), FileKind::pickle);
  EXPECT_EQ(kind_of_text("\x89HDF\r\n\x1a\n"), FileKind::hdf5);
  EXPECT_EQ(kind_of_text("\n  <!DOCTYPE HTML><html>"), FileKind::html);
  EXPECT_EQ(kind_of_text("version https://git-lfs.github.com/spec/v1\noid sha256:"),
            FileKind::lfs_pointer);
  EXPECT_EQ(kind_of_text("{\"error\": \"not found\"}"), FileKind::json);
  EXPECT_EQ(kind_of_text("\x1f\x8b\x08"), FileKind::compressed);
  EXPECT_EQ(kind_of_text("\x28\xb5\x2f\xfd"), FileKind::compressed);
  EXPECT_EQ(kind_of_text(std::string(257, 'n') + "ustar"), FileKind::tar);
  EXPECT_EQ(kind_of_text("#!/bin/sh"), FileKind::program);
  EXPECT_EQ(kind_of_text(""), FileKind::empty);
  EXPECT_EQ(kind_of_text(std::string(512, '\0')), FileKind::zeros);
  EXPECT_EQ(kind_of_text("GGU"), FileKind::unknown);
}

TEST(FileKind, ASafetensorsHeaderMustFitTheFile) {
  const std::string head("\xff\0\0\0\0\0\0\0{\"a\":1}", 15);
  EXPECT_NE(kind_of_text(head), FileKind::safetensors);
  EXPECT_EQ(file_kind(std::as_bytes(std::span(head)), 5000), FileKind::safetensors);
}

TEST(FileKind, EveryKindHasANameInBothLanguages) {
  for (int kind = 0; kind <= static_cast<int>(FileKind::unknown); ++kind) {
    const auto text = describe(static_cast<FileKind>(kind));
    EXPECT_FALSE(text.name.en.empty());
    EXPECT_FALSE(text.name.zh.empty());
    EXPECT_EQ(text.hint.empty(), static_cast<FileKind>(kind) == FileKind::gguf);
  }
}

class ModelFileTest : public testing::Test {
 protected:
  ModelFileTest() {
    std::string pattern = (fs::temp_directory_path() / "premise-model-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ModelFileTest() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }
  void model(const std::string& name) const {
    ASSERT_TRUE(GgufWriter().write(folder_ / name).ok());
  }
  Error refusal(const fs::path& path) const {
    const auto source = open_model_file(path);
    EXPECT_FALSE(source.ok());
    return source.ok() ? Error{} : source.error();
  }

  fs::path folder_;
};

TEST_F(ModelFileTest, OpensByContentWhateverTheName) {
  model("weights.bin");
  const auto source = open_model_file(folder_ / "weights.bin");
  ASSERT_TRUE(source.ok()) << source.error().what.en;
  EXPECT_EQ((*source)->origin().format, "gguf");
}

TEST_F(ModelFileTest, SaysWhatAFileLooksLikeAndWhatToDo) {
  const Error page = refusal(write("model.gguf", "<html>sign in</html>"));
  EXPECT_EQ(page.code, ErrorCode::bad_input);
  EXPECT_THAT(page.what.en, HasSubstr("model.gguf: is no model file, it looks like a web page"));
  EXPECT_THAT(page.hint.en, HasSubstr("login or error page"));
  EXPECT_THAT(refusal(write("e", "")).what.en, HasSubstr("an empty file"));
}

TEST_F(ModelFileTest, NamesAFileThatIsNotThere) {
  EXPECT_THAT(refusal(folder_ / "none.gguf").what.en, HasSubstr("none.gguf: no such file"));
}

TEST_F(ModelFileTest, OpensTheOnlyModelOfAFolder) {
  write("README.md", "about");
  EXPECT_THAT(refusal(folder_).what.en, HasSubstr("no GGUF file in this folder"));
  model("a.gguf");
  EXPECT_TRUE(open_model_file(folder_).ok());
  model("b.gguf");
  EXPECT_THAT(refusal(folder_).what.en, HasSubstr("2 models in this folder"));
  EXPECT_THAT(refusal(folder_).hint.en, HasSubstr("a.gguf"));
}

TEST_F(ModelFileTest, CountsTheSplitPartsInAFolderAsOneModel) {
  const fs::path goldens = PREMISE_SOURCE_DIR "/tests/golden/gguf";
  for (const char* part :
       {"split-00001-of-00003.gguf", "split-00002-of-00003.gguf", "split-00003-of-00003.gguf"})
    fs::copy_file(goldens / part, folder_ / part);
  const auto source = open_model_file(folder_);
  ASSERT_TRUE(source.ok()) << source.error().what.en;
  EXPECT_EQ((*source)->tensors().size(), 5u);
}

}  // namespace
}  // namespace premise
