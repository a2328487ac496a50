#include "machine/live_machine.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "machine/child_process.h"
#include "machine/regular_file.h"
#include "machine/tile_trial.h"
#include "numerics/kernels/usable_isa.h"

namespace premise {

FileAnswer LiveMachine::read_file(std::string_view path, std::size_t limit) {
  return read_regular_file(std::filesystem::path(path), limit);
}

FolderAnswer LiveMachine::list_folder(std::string_view path) {
  return list_names(std::filesystem::path(path));
}

FileAnswer LiveMachine::read_link(std::string_view path) {
  std::array<char, PATH_MAX> target;
  const ssize_t bytes = ::readlink(std::string(path).c_str(), target.data(), target.size());
  // EINVAL: it is there, and no link.
  if (bytes < 0) {
    const AnswerState state = errno == EINVAL ? AnswerState::missing : state_of_errno(errno);
    return {.state = state, .text = {}};
  }
  return {.state = AnswerState::given,
          .text = std::string(target.data(), static_cast<std::size_t>(bytes))};
}

CommandAnswer LiveMachine::run_command(const std::vector<std::string>& argv,
                                       std::chrono::milliseconds time_limit) {
  using Clock = std::chrono::steady_clock;
  const auto left = options_.command_budget - commands_took_;
  if (left <= left.zero()) return {.state = CommandState::timed_out, .out = {}, .err = {}};
  const Clock::time_point start = Clock::now();
  CommandAnswer answer = run_child(argv, std::min({time_limit, options_.command_limit, left}));
  commands_took_ += std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  return answer;
}

std::optional<std::string> LiveMachine::environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::optional<FileSystemAnswer> LiveMachine::file_system(std::string_view path) {
  // A share whose server is gone blocks for ever.
  struct Answer {
    int failed;
    std::uint64_t total, available;
    bool read_only;
  };
  static_assert(sizeof(Answer) <= 64);
  const std::string name(path);
  const auto end = try_in_fork(
      [&](char* buffer) {
        struct statvfs status{};
        Answer answer{.failed = ::statvfs(name.c_str(), &status),
                      .total = 0,
                      .available = 0,
                      .read_only = (status.f_flag & ST_RDONLY) != 0};
        answer.total = std::uint64_t{status.f_blocks} * status.f_frsize;
        answer.available = std::uint64_t{status.f_bavail} * status.f_frsize;
        std::memcpy(buffer, &answer, sizeof answer);
        return sizeof answer;
      },
      std::min(command_time_limit, options_.command_limit));
  if (end && end->timed_out) return FileSystemAnswer{.silent = true};
  if (!end || end->bytes.size() != sizeof(Answer)) return std::nullopt;
  Answer answer{};
  std::memcpy(&answer, end->bytes.data(), sizeof answer);
  if (answer.failed != 0) return std::nullopt;
  return FileSystemAnswer{.total_bytes = answer.total,
                          .available_bytes = answer.available,
                          .read_only = answer.read_only};
}

FileAnswer LiveMachine::nvml_json() {
  if (!nvml_) {
    nvml_ = FileAnswer{};
    if (options_.ask_nvml) {
      if (std::optional<std::string> document = options_.ask_nvml()) {
        nvml_ = FileAnswer{.state = AnswerState::given, .text = std::move(*document)};
      }
    }
  }
  return *nvml_;
}

ProcessorTrial LiveMachine::processor_trial() {
  if (!trial_) {
    const auto usable = usable_isa(std::nullopt);
    const Isa isa = usable ? usable->isa : Isa::ref;
    trial_ = ProcessorTrial{.widest_isa = std::string(name_of(isa)), .amx = try_tiles()};
  }
  return *trial_;
}

}  // namespace premise
