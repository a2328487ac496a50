#include "machine/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace premise {
namespace {

/// Reads until the end, the limit, or an error. Files of /proc and /sys state no size, so that it
/// is found by reading; sysfs gives its errors only then.
FileAnswer read_all(int descriptor, std::size_t limit) {
  FileAnswer answer{.state = AnswerState::given, .text = {}};
  constexpr std::size_t piece = 16384;
  while (true) {
    const std::size_t have = answer.text.size();
    const std::size_t wanted = std::min(piece, limit - have + 1);
    answer.text.resize(have + wanted);
    const ssize_t got = ::read(descriptor, answer.text.data() + have, wanted);
    if (got < 0 && errno == EINTR) {
      answer.text.resize(have);
      continue;
    }
    if (got < 0) return {.state = state_of_errno(errno), .text = {}};
    answer.text.resize(have + static_cast<std::size_t>(got));
    if (got == 0) return answer;
    if (answer.text.size() > limit) {
      answer.text.resize(limit);
      answer.cut = true;
      return answer;
    }
  }
}

}  // namespace

AnswerState state_of_errno(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case ENXIO:
      return AnswerState::missing;
    case EACCES:
    case EPERM:
      return AnswerState::denied;
    default:
      return AnswerState::failed;
  }
}

FileAnswer read_regular_file(const std::filesystem::path& path, std::size_t limit) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return {.state = state_of_errno(errno), .text = {}};
  struct stat status{};
  FileAnswer answer{.state = AnswerState::failed, .text = {}};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    answer = read_all(descriptor, limit);
  }
  ::close(descriptor);
  return answer;
}

FolderAnswer list_names(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::directory_iterator entry(path, failure);
  FolderAnswer answer{.state = AnswerState::given, .names = {}};
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    answer.names.push_back(entry->path().filename().string());
  }
  if (failure) return {.state = state_of_errno(failure.value()), .names = {}};
  std::sort(answer.names.begin(), answer.names.end());
  return answer;
}

}  // namespace premise
