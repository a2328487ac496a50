// flock(2) on a file beside the data: the kernel drops it with the process, so that a killed pull
// blocks nobody (a pid file would). The holder unlinks the file; somebody who opened it just before
// then holds a lock on a name that is gone, notices it by the inode, and tries again.
#include "store/file_lock.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

namespace premise {
namespace {

constexpr std::chrono::milliseconds poll_interval{100};

bool still_named(const File& file) {
  struct stat held{};
  struct stat named{};
  return ::fstat(file.descriptor(), &held) == 0 && ::stat(file.path().c_str(), &named) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

}  // namespace

Result<FileLock> FileLock::acquire(const std::filesystem::path& path, std::string_view what,
                                   const WorkHooks& hooks) {
  for (bool said = false;;) {
    PREMISE_TRY(File file, File::open_or_create(path));
    if (::flock(file.descriptor(), LOCK_EX | LOCK_NB) == 0) {
      if (still_named(file)) return FileLock(std::move(file));
      continue;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return error(ErrorCode::no_resources, {"{}: cannot be locked: {}", "{}：无法加锁：{}"},
                   path.string(), std::error_code(errno, std::generic_category()).message())
          .with_hint(text({"the store must be on a file system with locks",
                           "模型库须位于支持文件锁的文件系统上"}));
    }
    if (!said) {
      hooks.say(text({"another premise is working on {}; waiting for it",
                      "另一个 premise 进程正在处理 {}，等待其完成"},
                     what));
      said = true;
    }
    PREMISE_CHECK(hooks.check_stopped());
    std::this_thread::sleep_for(poll_interval);
  }
}

FileLock::~FileLock() {
  if (file_.descriptor() >= 0) ::unlink(file_.path().c_str());
}

}  // namespace premise
