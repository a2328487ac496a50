#include "model/formats/gguf_writer.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/mapped_file.h"
#include "model/formats/gguf.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path written_goldens = PREMISE_SOURCE_DIR "/tests/golden/gguf";

Shape matrix(std::uint64_t rows, std::uint64_t columns) { return {{rows, columns, 1, 1}, 2}; }

std::vector<std::byte> filled(std::size_t size, int value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

class GgufWriterTest : public testing::Test {
 protected:
  GgufWriterTest() {
    std::string pattern = (fs::temp_directory_path() / "premise-gguf-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~GgufWriterTest() override { fs::remove_all(folder_); }

  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(GgufWriterTest, WhatIsWrittenIsRead) {
  const auto weights = filled(2 * 34, 1);
  const auto norm = filled(12, 2);
  GgufWriter writer;
  writer.set("general.architecture", "test");
  writer.set("test.block_count", std::uint32_t{2});
  writer.set("test.eps", 1e-6f);
  writer.set("test.names", std::vector<std::string>{"a", "模型"});
  writer.set("test.flags", std::vector<bool>{true, false});
  writer.add_tensor("weights", DType::q8_0, matrix(2, 32), weights);
  writer.add_tensor("norm", DType::f32, {{3, 1, 1, 1}, 1}, norm);
  ASSERT_TRUE(writer.write(folder_ / "model.gguf").ok());

  const auto source = open_gguf(folder_ / "model.gguf");
  ASSERT_TRUE(source.ok()) << source.error().what.en;
  const Metadata& metadata = (*source)->metadata();
  EXPECT_EQ(*metadata.string("general.architecture"), "test");
  EXPECT_EQ(*metadata.u64("test.block_count"), 2u);
  EXPECT_EQ(*metadata.number("test.eps"), static_cast<double>(1e-6f));
  EXPECT_EQ((*metadata.strings("test.names"))[1], "模型");
  EXPECT_EQ(*metadata.booleans("test.flags"), (std::vector<bool>{true, false}));
  ASSERT_EQ((*source)->tensors().size(), 2u);
  EXPECT_EQ((*source)->tensors()[0].shape, matrix(2, 32));
  EXPECT_EQ(std::memcmp((*source)->view(0).bytes.data(), weights.data(), weights.size()), 0);
  EXPECT_EQ(std::memcmp((*source)->view(1).bytes.data(), norm.data(), norm.size()), 0);
  EXPECT_TRUE((*source)->check_unchanged().ok());
}

// A file of the reference writer, read and written again, is the same but for the order of keys.
TEST_F(GgufWriterTest, CopiesAReferenceFileWithoutLoss) {
  for (const char* name : {"values-v3", "tensors", "aligned-128", "vocabulary-only"}) {
    const fs::path path = written_goldens / (std::string(name) + ".gguf");
    const auto file = MappedFile::open(path);
    ASSERT_TRUE(file.ok());
    const auto content = parse_gguf(file->bytes(), name);
    ASSERT_TRUE(content.ok());
    GgufWriter writer(content->alignment);
    writer.copy(content->metadata);
    for (std::size_t i = 0; i < content->tensors.size(); ++i) {
      const TensorInfo& info = content->tensors[i];
      writer.add_tensor(info.name, info.dtype, info.shape,
                        file->bytes().subspan(content->offsets[i], info.bytes));
    }
    const auto written = writer.to_bytes();
    ASSERT_TRUE(written.ok()) << written.error().what.en;
    ASSERT_EQ(written->size(), file->bytes().size());
    const auto again = parse_gguf(*written, name);
    ASSERT_TRUE(again.ok()) << again.error().what.en;
    EXPECT_EQ(again->metadata.values(), content->metadata.values());
    for (const auto& [key, value] : content->metadata.values())
      EXPECT_EQ(again->metadata.bits(key), content->metadata.bits(key)) << key;
    EXPECT_EQ(again->offsets, content->offsets);
    const std::size_t data = std::min<std::size_t>(content->data_offset, written->size());
    EXPECT_EQ(
        std::memcmp(written->data() + data, file->bytes().data() + data, written->size() - data),
        0);
  }
}

TEST_F(GgufWriterTest, CopyLeavesOutWhatDescribesTheOldFile) {
  Metadata metadata;
  metadata.set("general.alignment", std::uint64_t{64}, 32);
  metadata.set("split.count", std::uint64_t{3}, 16);
  metadata.set("general.name", std::string("kept"));
  GgufWriter writer;
  writer.copy(metadata);
  const auto bytes = writer.to_bytes();
  ASSERT_TRUE(bytes.ok());
  const auto content = parse_gguf(*bytes, "f");
  ASSERT_TRUE(content.ok()) << content.error().what.en;
  EXPECT_EQ(content->metadata.values().size(), 1u);
  EXPECT_EQ(content->alignment, 32u);
}

TEST_F(GgufWriterTest, NumbersOfUnknownWidthTakeTheOneThatReadersExpect) {
  const auto holds = [](const GgufValue& value, auto expected) {
    return std::get_if<decltype(expected)>(&value) &&
           std::get<decltype(expected)>(value) == expected;
  };
  EXPECT_TRUE(holds(gguf_value(std::uint64_t{7}, 0), std::uint32_t{7}));
  EXPECT_TRUE(holds(gguf_value(std::uint64_t{1} << 40, 0), std::uint64_t{1} << 40));
  EXPECT_TRUE(holds(gguf_value(std::int64_t{-7}, 0), std::int32_t{-7}));
  EXPECT_TRUE(holds(gguf_value(0.5, 0), 0.5f));
  EXPECT_TRUE(holds(gguf_value(0.1, 0), 0.1));
  EXPECT_TRUE(holds(gguf_value(std::uint64_t{7}, 16), std::uint16_t{7}));
  EXPECT_TRUE(
      holds(gguf_value(std::vector<std::int64_t>{1, -2}, 0), std::vector<std::int32_t>{1, -2}));
  EXPECT_TRUE(
      holds(gguf_value(std::vector<std::uint64_t>{1, 255}, 8), std::vector<std::uint8_t>{1, 255}));
  EXPECT_TRUE(holds(gguf_value(std::vector<double>{0.5}, 32), std::vector<float>{0.5f}));
  EXPECT_TRUE(holds(gguf_value(std::string("x"), 0), std::string("x")));
}

TEST_F(GgufWriterTest, SettingAKeyAgainChangesIt) {
  GgufWriter writer;
  writer.set("a", std::uint32_t{1});
  writer.set("a", std::uint32_t{2});
  const auto bytes = writer.to_bytes();
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(*parse_gguf(*bytes, "f")->metadata.u64("a"), 2u);
}

TEST_F(GgufWriterTest, RefusesWhatItsReaderWouldRefuse) {
  const auto problem = [](const GgufWriter& writer) {
    const Status status = writer.check();
    return status.ok() ? "" : status.error().what.en;
  };
  const auto four = filled(4, 0);
  GgufWriter twice;
  twice.add_tensor("x", DType::f32, matrix(1, 1), four);
  twice.add_tensor("x", DType::f32, matrix(1, 1), four);
  EXPECT_THAT(problem(twice), HasSubstr("tensor \"x\" was added twice"));
  GgufWriter row;
  row.add_tensor("x", DType::q4_0, matrix(1, 33), four);
  EXPECT_THAT(problem(row), HasSubstr("no whole number of q4_0 blocks"));
  GgufWriter empty;
  empty.add_tensor("x", DType::f32, matrix(0, 4), four);
  EXPECT_THAT(problem(empty), HasSubstr("has no elements"));
  GgufWriter nameless;
  nameless.add_tensor("", DType::f32, matrix(1, 1), four);
  EXPECT_THAT(problem(nameless), HasSubstr("is empty or too long"));
  GgufWriter key;
  key.set("", true);
  EXPECT_THAT(problem(key), HasSubstr("key \"\""));
  EXPECT_THAT(problem(GgufWriter(24)), HasSubstr("alignment 24"));
}

TEST_F(GgufWriterTest, BytesThatDisagreeWithTheShapeLeaveNoFile) {
  const auto three = filled(3, 0);
  GgufWriter writer;
  writer.add_tensor("x", DType::f32, matrix(1, 1), three);
  const Status status = writer.write(folder_ / "model.gguf");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().what.en,
              HasSubstr("tensor \"x\" has 3 bytes, its shape and type need 4"));
  EXPECT_EQ(files(), 0u);
}

// Pieces larger than what goes to the disk at once, and a last one that is smaller.
TEST_F(GgufWriterTest, PiecesMakeATensor) {
  constexpr std::size_t piece_size = std::size_t{40} << 20;
  constexpr std::size_t last_size = 4000;
  std::vector<std::vector<std::byte>> pieces{filled(piece_size, 1), filled(piece_size, 2),
                                             filled(last_size, 3)};
  std::size_t asked = 0;
  GgufWriter writer;
  writer.add_tensor_in_pieces("x", DType::f32, matrix(1, (2 * piece_size + last_size) / 4),
                              [&]() -> Result<std::span<const std::byte>> {
                                return std::span<const std::byte>(pieces[asked++]);
                              });
  ASSERT_TRUE(writer.write(folder_ / "model.gguf").ok());
  EXPECT_EQ(asked, 3u);
  EXPECT_EQ(fs::file_size(folder_ / "model.gguf"), writer.file_bytes());
  const auto source = open_gguf(folder_ / "model.gguf");
  ASSERT_TRUE(source.ok()) << source.error().what.en;
  std::span<const std::byte> bytes = (*source)->view(0).bytes;
  for (const auto& piece : pieces) {
    EXPECT_TRUE(std::ranges::equal(bytes.first(piece.size()), piece));
    bytes = bytes.subspan(piece.size());
  }
}

TEST_F(GgufWriterTest, PiecesThatDoNotFitTheTensorLeaveNoFile) {
  for (const std::size_t second : {0, 8}) {  // none, and one too long
    const auto first = filled(8, 1), next = filled(second, 1);
    bool begun = false;
    GgufWriter writer;
    writer.add_tensor_in_pieces("x", DType::f32, matrix(1, 3), [&] {
      const bool again = std::exchange(begun, true);
      return Result<std::span<const std::byte>>(std::span<const std::byte>(again ? next : first));
    });
    const Status status = writer.write(folder_ / "model.gguf");
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::bad_input);
    EXPECT_EQ(files(), 0u);
  }
}

TEST_F(GgufWriterTest, AFailingProducerLeavesTheOldFileAlone) {
  std::ofstream(folder_ / "model.gguf") << "old";
  GgufWriter writer;
  writer.add_tensor("x", DType::f32, matrix(1, 1), []() -> Result<std::span<const std::byte>> {
    return error(ErrorCode::cancelled, {"stopped", "已停止"});
  });
  const Status status = writer.write(folder_ / "model.gguf");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::cancelled);
  EXPECT_EQ(files(), 1u);
  EXPECT_EQ(fs::file_size(folder_ / "model.gguf"), 3u);
}

TEST_F(GgufWriterTest, AFolderThatIsNotThereIsNamed) {
  const Status status = GgufWriter().write(folder_ / "none" / "model.gguf");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().what.en, HasSubstr("none/model.gguf: cannot be written"));
}

TEST_F(GgufWriterTest, AFullDiskIsToldFromABadFile) {
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit small = before;
  small.rlim_cur = 1000;
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto big = filled(4096, 1);
  GgufWriter writer;
  writer.add_tensor("x", DType::f32, matrix(1, 1024), big);
  const Status status = writer.write(folder_ / "model.gguf");
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::no_resources);
  EXPECT_EQ(files(), 0u);
}

TEST_F(GgufWriterTest, ALinkPlantedAsTheTemporaryFileIsNotFollowed) {
  const fs::path victim = folder_ / "victim";
  std::ofstream(victim) << "safe";
  fs::create_symlink(victim, folder_ / fmt::format(".m.gguf.{}-0.partial", ::getpid()));
  ASSERT_TRUE(GgufWriter().write(folder_ / "m.gguf").ok());
  EXPECT_EQ(fs::file_size(victim), 4u);
  EXPECT_TRUE(open_gguf(folder_ / "m.gguf").ok());
}

}  // namespace
}  // namespace premise
