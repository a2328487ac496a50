#include "store/files.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "store/test_support.h"

namespace premise {
namespace {

const WorkHooks no_hooks;

TEST(FilesTest, ACopyIsHashedAndEqual) {
  const TempFolder folder;
  const std::string bytes = noise(3'000'001, 1);
  write_file(folder / "from", bytes);
  write_file(folder / "to", "something longer lay here before" + bytes);
  EXPECT_EQ(*copy_file_hashed(folder / "from", folder / "to", no_hooks), sha256_of(bytes));
  EXPECT_EQ(read_whole(folder / "to"), bytes);
}

TEST(FilesTest, OnePassGivesSeveralDigests) {
  const TempFolder folder;
  write_file(folder / "abc", "abc");
  constexpr std::array kinds{HashKind::md5, HashKind::sha256};
  const auto digests = *hash_file(folder / "abc", kinds, no_hooks);
  ASSERT_EQ(digests.size(), 2u);
  EXPECT_EQ(digests[0], "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(digests[1], sha256_of("abc"));
}

TEST(FilesTest, WorkEndsWhereItIsStopped) {
  const TempFolder folder;
  write_file(folder / "from", noise(3'000'000, 2));
  std::uint64_t seen = 0;
  const WorkHooks hooks{
      .progress = [&](WorkStage, std::uint64_t done, std::uint64_t) { seen = done; },
      .notice = {},
      .stopped = [&] { return seen > 0; }};
  constexpr std::array kinds{HashKind::sha256};
  const auto digests = hash_file(folder / "from", kinds, hooks);
  ASSERT_FALSE(digests.ok());
  EXPECT_EQ(digests.error().code, ErrorCode::cancelled);
  EXPECT_LT(seen, 3'000'000u);
}

TEST(FilesTest, WhatIsNoRegularFileIsRefused) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const auto& path : {folder.path(), folder / "pipe", folder / "nothing"}) {
    const auto file = File::open(path);
    ASSERT_FALSE(file.ok()) << path;
    EXPECT_EQ(file.error().code, ErrorCode::bad_input);
  }
}

TEST(FilesTest, AFullDiskIsCalledSo) {
  File full = *File::open_or_create("/dev/full");
  const Status written = full.write(std::as_bytes(std::span("x", 1)));
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::no_resources);
  EXPECT_FALSE(written.error().hint.empty());
}

TEST(FilesTest, AFileSizeLimitIsAFullDisk) {
  const TempFolder folder;
  write_file(folder / "from", noise(200'000, 3));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 100'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto copied = copy_file_hashed(folder / "from", folder / "to", no_hooks);
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  if (copied.ok()) GTEST_SKIP() << "this file system shares blocks, which the limit does not count";
  EXPECT_EQ(copied.error().code, ErrorCode::no_resources);
}

TEST(FilesTest, MoreThanTheDiskHasIsRefusedBeforehand) {
  const TempFolder folder;
  EXPECT_TRUE(check_free_space(folder.path(), 1).ok());
  const Status space = check_free_space(folder.path(), std::uint64_t{1} << 60);
  ASSERT_FALSE(space.ok());
  EXPECT_EQ(space.error().code, ErrorCode::no_resources);
}

}  // namespace
}  // namespace premise
