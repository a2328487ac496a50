#include "base/atomic_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

namespace premise {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public testing::Test {
 protected:
  AtomicFileTest() {
    std::string pattern = (fs::temp_directory_path() / "premise-atomic-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ / "settings.json";
  }
  ~AtomicFileTest() override { fs::remove_all(folder_); }

  std::string contents() const {
    std::ifstream stream(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  std::size_t files_in_folder() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
  fs::path path_;
};

TEST_F(AtomicFileTest, MakesAndReplacesAFile) {
  ASSERT_TRUE(replace_file(path_, "one").ok());
  EXPECT_EQ(contents(), "one");
  ASSERT_TRUE(replace_file(path_, std::string(1 << 20, 'x')).ok());
  EXPECT_EQ(contents(), std::string(1 << 20, 'x'));
  EXPECT_EQ(files_in_folder(), 1U);
}

TEST_F(AtomicFileTest, ShowsNothingBeforeCommit) {
  ASSERT_TRUE(replace_file(path_, "old").ok());
  Result<AtomicFile> file = AtomicFile::create(path_);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->write("new").ok());
  EXPECT_EQ(contents(), "old");
  ASSERT_TRUE(file->commit().ok());
  EXPECT_EQ(contents(), "new");
}

TEST_F(AtomicFileTest, LeavesNothingBehindWithoutCommit) {
  {
    Result<AtomicFile> file = AtomicFile::create(path_);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->write("half").ok());
  }
  EXPECT_EQ(files_in_folder(), 0U);
}

TEST_F(AtomicFileTest, TwoWritersDoNotMix) {
  Result<AtomicFile> first = AtomicFile::create(path_);
  Result<AtomicFile> second = AtomicFile::create(path_);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(second.ok());
  ASSERT_TRUE(first->write("first").ok());
  ASSERT_TRUE(second->write("second").ok());
  ASSERT_TRUE(first->commit().ok());
  ASSERT_TRUE(second->commit().ok());
  EXPECT_EQ(contents(), "second");
  EXPECT_EQ(files_in_folder(), 1U);
}

TEST_F(AtomicFileTest, KeepsTheUsersMode) {
  const mode_t before = umask(027);
  ASSERT_TRUE(replace_file(path_, "one").ok());
  umask(before);
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms(0640));
}

TEST_F(AtomicFileTest, NamesTheFileItCannotWrite) {
  const Status status = replace_file(folder_ / "missing" / "settings.json", "one");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::bad_input);
  EXPECT_NE(status.error().what.en.find("missing/settings.json"), std::string::npos);
}

TEST_F(AtomicFileTest, AFileThatOutgrowsItsLimitLeavesTheOldOne) {
  ASSERT_TRUE(replace_file(path_, "old").ok());
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{4096, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);  // EFBIG instead
  setrlimit(RLIMIT_FSIZE, &small);
  const Status status = replace_file(path_, std::string(8192, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::no_resources);
  EXPECT_EQ(contents(), "old");
  EXPECT_EQ(files_in_folder(), 1U);
}

}  // namespace
}  // namespace premise
