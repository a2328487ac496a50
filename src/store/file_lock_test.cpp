#include "store/file_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "store/test_support.h"

namespace premise {
namespace {

TEST(FileLockTest, OneHolderAtATime) {
  const TempFolder folder;
  int inside = 0;  // not atomic on purpose: the lock is what guards it
  int most = 0;
  int entered = 0;
  const auto work = [&] {
    for (int round = 0; round < 5; ++round) {
      const auto lock = FileLock::acquire(folder / "a.lock", "a", {});
      ASSERT_TRUE(lock.ok());
      most = std::max(most, ++inside);
      ++entered;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --inside;
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(entered, 10);
  EXPECT_EQ(files_in(folder.path()), 0u);
}

TEST(FileLockTest, WaitingIsSaidOnceAndCanBeStopped) {
  const TempFolder folder;
  const auto held = FileLock::acquire(folder / "a.lock", "gemma3:270m-base", {});
  ASSERT_TRUE(held.ok());
  int said = 0;
  int asked = 0;
  const WorkHooks hooks{.progress = {},
                        .notice =
                            [&](const Text& line) {
                              ++said;
                              EXPECT_NE(line.en.find("gemma3:270m-base"), std::string::npos);
                            },
                        .stopped = [&] { return ++asked == 3; }};
  const auto second = FileLock::acquire(folder / "a.lock", "gemma3:270m-base", hooks);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::cancelled);
  EXPECT_EQ(said, 1);
}

TEST(FileLockTest, AKilledHolderBlocksNobody) {
  const TempFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = FileLock::acquire(folder / "a.lock", "a", {});
    [[maybe_unused]] const ssize_t told = ::write(ready[1], held.ok() ? "y" : "n", 1);
    ::pause();
    ::_exit(0);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::acquire(folder / "a.lock", "a", {}).ok());
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace premise
