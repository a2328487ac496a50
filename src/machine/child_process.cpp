#include "machine/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

extern char** environ;

namespace premise {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }

  int number() const { return number_; }
  bool open() const { return number_ >= 0; }
  void close() {
    if (open()) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor read;
  Descriptor write;

  bool create() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
    return ::fcntl(read.number(), F_SETFL, O_NONBLOCK) == 0;
  }
};

/// Takes what is there now; closes the pipe at its end. Bytes beyond the limit are dropped, so that
/// a talkative child is not held up.
void take_what_is_there(Descriptor& pipe, std::string& into) {
  std::array<char, 8192> piece;
  while (pipe.open()) {
    const ssize_t got = ::read(pipe.number(), piece.data(), piece.size());
    if (got > 0) {
      const std::size_t room = command_output_max - std::min(command_output_max, into.size());
      into.append(piece.data(), std::min(room, static_cast<std::size_t>(got)));
    } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    } else {
      pipe.close();
    }
  }
}

milliseconds until(Clock::time_point deadline) {
  return std::max(milliseconds(0),
                  std::chrono::duration_cast<milliseconds>(deadline - Clock::now()));
}

/// The child's status, once it has ended; nothing while it runs.
std::optional<int> ended(pid_t child) {
  int status = 0;
  const pid_t which = ::waitpid(child, &status, WNOHANG);
  if (which == child) return status;
  if (which < 0 && errno != EINTR) return 0;  // nobody to wait for: not our child any more
  return std::nullopt;
}

/// Reads both pipes until the child has ended or the time is over. Nothing: it was killed for time.
std::optional<int> watch(pid_t child, Descriptor& out, Descriptor& err, CommandAnswer& answer,
                         Clock::time_point deadline) {
  std::optional<int> status;
  while (true) {
    take_what_is_there(out, answer.out);
    take_what_is_there(err, answer.err);
    if (status) return status;  // looked once more after its end
    status = ended(child);
    if (status) continue;
    if (Clock::now() >= deadline) return std::nullopt;
    if (!out.open() && !err.open()) {
      std::this_thread::sleep_for(milliseconds(1));
      continue;
    }
    std::array<pollfd, 2> wanted{pollfd{out.number(), POLLIN, 0}, pollfd{err.number(), POLLIN, 0}};
    // The end of a child whose pipes a grandchild holds open makes nothing readable: look often.
    ::poll(wanted.data(), wanted.size(),
           static_cast<int>(std::min(milliseconds(10), until(deadline)).count()));
  }
}

/// Ends the whole group; a process that hangs in the kernel is left to it.
std::optional<int> kill_group(pid_t child) {
  ::kill(-child, SIGKILL);
  ::kill(child, SIGKILL);
  for (int i = 0; i < 200; ++i) {
    if (const auto status = ended(child)) return status;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return std::nullopt;
}

/// Our environment, with output in English and plain.
std::vector<std::string> plain_environment() {
  std::vector<std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const bool language = text.starts_with("LC_") || text.starts_with("LANG") ||
                          text.starts_with("COLUMNS=") || text.starts_with("TERM=");
    if (!language) variables.emplace_back(text);
  }
  variables.insert(variables.end(), {"LC_ALL=C", "TERM=dumb", "NO_COLOR=1"});
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

/// 0, or errno. A session of its own: no terminal to ask for a password on, and a group to kill.
int spawn(const std::vector<std::string>& argv, int out, int err, pid_t& child) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (::posix_spawn_file_actions_init(&actions) != 0) return ENOMEM;
  if (::posix_spawnattr_init(&attributes) != 0) {
    ::posix_spawn_file_actions_destroy(&actions);
    return ENOMEM;
  }
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> words = argv;
  std::vector<std::string> variables = plain_environment();
  const int failure = ::posix_spawnp(&child, words.front().c_str(), &actions, &attributes,
                                     pointers(words).data(), pointers(variables).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return failure;
}

}  // namespace

CommandAnswer run_child(const std::vector<std::string>& argv, milliseconds time_limit) {
  CommandAnswer answer;
  Pipe out;
  Pipe err;
  pid_t child = -1;
  if (argv.empty() || !out.create() || !err.create()) return answer;
  const Clock::time_point deadline = Clock::now() + time_limit;
  if (spawn(argv, out.write.number(), err.write.number(), child) != 0) return answer;
  out.write.close();
  err.write.close();
  const std::optional<int> status = watch(child, out.read, err.read, answer, deadline);
  // Also after a child that ended by itself: what it started and left behind shall not stay.
  if (status) {
    ::kill(-child, SIGKILL);
    answer.state = CommandState::exited;
    answer.exit_code = WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
  } else {
    kill_group(child);
    answer.state = CommandState::timed_out;
  }
  return answer;
}

std::optional<TrialEnd> try_in_fork(const std::function<std::size_t(char*)>& question,
                                    milliseconds time_limit) {
  Pipe pipe;
  if (!pipe.create()) return std::nullopt;
  const Clock::time_point deadline = Clock::now() + time_limit;
  const pid_t child = ::fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    for (const int number : {SIGILL, SIGSEGV, SIGBUS, SIGFPE}) std::signal(number, SIG_DFL);
    std::array<char, 64> buffer{};
    const std::size_t bytes = question(buffer.data());
    const ssize_t written = ::write(pipe.write.number(), buffer.data(), bytes);
    ::_exit(written == static_cast<ssize_t>(bytes) ? 0 : 1);
  }
  pipe.write.close();
  Descriptor none;
  CommandAnswer answer;
  std::optional<int> status = watch(child, pipe.read, none, answer, deadline);
  TrialEnd end{.timed_out = !status, .signal = 0, .bytes = std::move(answer.out)};
  if (!status) kill_group(child);
  if (status && WIFSIGNALED(*status)) end.signal = WTERMSIG(*status);
  return end;
}

}  // namespace premise
