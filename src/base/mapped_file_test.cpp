#include "base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace premise {
namespace {

namespace fs = std::filesystem;

class MappedFileTest : public testing::Test {
 protected:
  MappedFileTest() {
    std::string pattern = (fs::temp_directory_path() / "premise-mapped-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~MappedFileTest() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }

  fs::path folder_;
};

std::string as_string(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Pages of a range that this process has mapped, in KiB, from /proc/self/smaps.
long resident_kib(std::span<const std::byte> range) {
  std::ifstream maps("/proc/self/smaps");
  const auto begin = reinterpret_cast<std::uintptr_t>(range.data());
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long low = 0;
    unsigned long high = 0;
    long kib = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &low, &high) == 2)
      inside = low <= begin && begin < high;
    if (inside && std::sscanf(line.c_str(), "Rss: %ld kB", &kib) == 1) return kib;
  }
  return -1;
}

TEST_F(MappedFileTest, ShowsTheBytesOfTheFile) {
  const auto file = MappedFile::open(write("a", "weights"));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(as_string(file->bytes()), "weights");
  EXPECT_EQ(file->path(), (folder_ / "a").string());
}

TEST_F(MappedFileTest, AnEmptyFileHasNoBytes) {
  const auto file = MappedFile::open(write("empty", ""));
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->bytes().empty());
  EXPECT_TRUE(file->check_unchanged().ok());
}

TEST_F(MappedFileTest, MovingKeepsTheBytesWhereTheyAre) {
  auto file = MappedFile::open(write("a", "weights"));
  ASSERT_TRUE(file.ok());
  const std::byte* before = file->bytes().data();
  const MappedFile moved = std::move(*file);
  EXPECT_EQ(moved.bytes().data(), before);
  EXPECT_EQ(as_string(moved.bytes()), "weights");
}

TEST_F(MappedFileTest, AMissingFileIsNamed) {
  const auto file = MappedFile::open(folder_ / "missing.gguf");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::bad_input);
  EXPECT_NE(file.error().what.en.find("missing.gguf: no such file"), std::string::npos);
}

TEST_F(MappedFileTest, AFolderIsRefused) {
  const auto file = MappedFile::open(folder_);
  ASSERT_FALSE(file.ok());
  EXPECT_NE(file.error().what.en.find("is a folder"), std::string::npos);
}

TEST_F(MappedFileTest, APipeIsRefusedWithoutWaitingForAWriter) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto file = MappedFile::open(pipe);
  ASSERT_FALSE(file.ok());
  EXPECT_NE(file.error().what.en.find("only a regular file"), std::string::npos);
}

TEST_F(MappedFileTest, ReleasedPagesLeaveResidentMemoryAndReadTheSameAgain) {
  const std::string content(4 << 20, 'x');
  const auto file = MappedFile::open(write("big", content));
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(as_string(file->bytes()), content);
  ASSERT_GT(resident_kib(file->bytes()), 4000);
  file->release(file->bytes());
  EXPECT_EQ(resident_kib(file->bytes()), 0);
  EXPECT_EQ(as_string(file->bytes()), content);
}

TEST_F(MappedFileTest, ReleaseKeepsPagesThatTheRangeOnlyTouches) {
  const auto file = MappedFile::open(write("a", std::string(3 * 4096, 'x')));
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(as_string(file->bytes()).size(), 3u * 4096);
  const long before = resident_kib(file->bytes());
  file->release(file->bytes().subspan(1, 4096));
  EXPECT_EQ(resident_kib(file->bytes()), before);
}

TEST_F(MappedFileTest, AdviceIsAcceptedForAnyRange) {
  const auto file = MappedFile::open(write("a", std::string(10000, 'x')));
  ASSERT_TRUE(file.ok());
  using enum MappedFile::Access;
  for (const auto access : {normal, sequential, random, will_need})
    file->advise(file->bytes().subspan(4097, 17), access);
  file->advise({}, will_need);
  EXPECT_EQ(as_string(file->bytes().first(1)), "x");
}

TEST_F(MappedFileTest, ATruncatedFileIsFoundChanged) {
  const fs::path path = write("a", std::string(8192, 'x'));
  const auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->check_unchanged().ok());
  fs::resize_file(path, 100);
  const Status status = file->check_unchanged();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().what.en.find("8192 bytes when opened, 100 bytes now"),
            std::string::npos);
}

TEST_F(MappedFileTest, AFileReplacedByRenameStaysWhole) {
  const fs::path path = write("a", "old weights");
  const auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  fs::rename(write("b", "new"), path);
  EXPECT_EQ(as_string(file->bytes()), "old weights");
  EXPECT_TRUE(file->check_unchanged().ok());
}

}  // namespace
}  // namespace premise
