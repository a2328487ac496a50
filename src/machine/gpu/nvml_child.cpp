// NVML asked from a child process. Why not a thread: a driver in trouble leaves its caller in an
// uninterruptible sleep, a thread in it keeps the whole program from ending, a child does not. The
// child gets a time limit, is killed when it is over, and is not waited for if even that does not
// reach it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "machine/gpu/nvml_report.h"

namespace premise {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t answer_bytes_max = std::size_t{1} << 20;

void write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(to, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Never returns. _exit: nothing of the parent's (buffers, handlers) may run twice.
[[noreturn]] void answer_and_leave(int to) {
  if (const std::optional<NvmlReport> report = query_nvml()) write_all(to, nvml_to_json(*report));
  _exit(0);
}

// Everything that comes before the deadline; nothing where the end does not come in time.
std::optional<std::string> read_until(int from, Clock::time_point deadline) {
  std::string answer;
  std::array<char, 4096> chunk;
  while (answer.size() <= answer_bytes_max) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd ready{from, POLLIN, 0};
    const int events = poll(&ready, 1, static_cast<int>(left.count()));
    if (events < 0 && errno == EINTR) continue;
    if (events <= 0) return std::nullopt;
    const ssize_t n = read(from, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return answer;
    answer.append(chunk.data(), static_cast<std::size_t>(n));
  }
  return std::nullopt;
}

// Waits for the end of a child for a moment only: even after its last word it may hang, in the
// driver's own cleaning up. Nothing where it has not ended; it stays behind then, and init takes
// it.
std::optional<int> end_of(pid_t child) {
  int status = 0;
  for (int tries = 0; tries < 100; ++tries) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) return std::nullopt;
    usleep(tries < 10 ? 200 : 5000);
  }
  return std::nullopt;
}

// The library, which is not ours, may have crashed the child.
bool crashed(pid_t child) {
  const std::optional<int> status = end_of(child);
  return status && (!WIFEXITED(*status) || WEXITSTATUS(*status) != 0);
}

std::string report_of(NvmlState state) {
  NvmlReport report;
  report.state = state;
  return nvml_to_json(report);
}

}  // namespace

std::optional<std::string> ask_nvml(std::chrono::milliseconds time_limit) {
  const Clock::time_point deadline = Clock::now() + time_limit;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return report_of(NvmlState::failed);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    answer_and_leave(ends[1]);
  }
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return report_of(NvmlState::failed);
  }
  std::optional<std::string> answer = read_until(ends[0], deadline);
  close(ends[0]);
  if (!answer) {
    kill(child, SIGKILL);
    end_of(child);
    return report_of(NvmlState::timed_out);
  }
  if (crashed(child)) return report_of(NvmlState::failed);
  if (answer->empty()) return std::nullopt;
  return answer;
}

}  // namespace premise
