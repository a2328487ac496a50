// The one seam between the doctor and the world: everything that a probe wants to know of a machine
// is asked here, so that a machine can be recorded in one place and examined in another, and every
// diagnosis is tested without the hardware that has it.
//
// Three implementations: LiveMachine asks this machine, RecordedMachine (recorded_machine.h) a
// folder, RecordingMachine (recording_machine.h) another source while it writes the folder.
//
// Answers are data, never an Error: that a file is missing is a fact about the machine, and which
// finding it becomes is for the probe to say. Nothing here blocks for longer than the time limit of
// a command; a probe may ask for the same thing twice.
//
// A recording, DIR:
//   machine.json        {"format": 1, "store_folder": …, "processor_trial": {…}, "environment":
//                       {NAME: value}, "file_systems": {path: {…}}, "denied": [path, …],
//                       "failed": [path, …], "files": {path: text or [lines]}, "links": {path:
//                       target}, "commands": [{…}]}: the last three for machines that are written
//                       by hand, in the place of root/, links/ and commands/
//   root/…              files under their own paths: root/proc/meminfo
//   root/…/.entries     the names in a folder that was listed, one a line (else: what lies there)
//   links/…             symbolic links, as files that hold the target
//   commands/NAME.json  {"argv": […], "state": "exited|not_found|timed_out", "exit_code": 0,
//                       "out": text or [lines], "err": text or [lines]}
//   nvml.json           what NVML said (machine/gpu)
//   measured.json       what `premise doctor` measured
// What is not in the folder was not there: files are missing, commands not found, variables unset.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace premise {

/// Whether there was an answer. `denied`: it is there, and needs more rights. `failed`: it is there
/// and gave an error (the speed of a link that is down).
enum class AnswerState { given, missing, denied, failed };

struct FileAnswer {
  AnswerState state = AnswerState::missing;
  std::string text;  // as it lies there; empty unless given
  bool cut = false;  // there was more than the limit

  explicit operator bool() const { return state == AnswerState::given; }
  bool operator==(const FileAnswer&) const = default;
};

struct FolderAnswer {
  AnswerState state = AnswerState::missing;
  std::vector<std::string> names;  // sorted, without "." and ".."

  explicit operator bool() const { return state == AnswerState::given; }
  bool operator==(const FolderAnswer&) const = default;
};

enum class CommandState { exited, not_found, timed_out };

struct CommandAnswer {
  CommandState state = CommandState::not_found;
  int exit_code = -1;  // 128 + the signal where one ended it; only of `exited`
  std::string out;     // at most command_output_max bytes each; what came before a time-out too
  std::string err;

  /// Ran and said yes.
  explicit operator bool() const { return state == CommandState::exited && exit_code == 0; }
  bool operator==(const CommandAnswer&) const = default;
};

/// What statvfs(3) says of the file system under a path.
struct FileSystemAnswer {
  std::uint64_t total_bytes = 0;
  std::uint64_t available_bytes = 0;  // to users without privileges
  bool read_only = false;
  bool silent = false;  // no answer in time: a share whose server is gone

  bool operator==(const FileSystemAnswer&) const = default;
};

/// What only running instructions can tell, since flags and hypervisors lie.
struct ProcessorTrial {
  enum class Amx {
    absent,   // the processor does not name it
    refused,  // it does, and the kernel does not give the permission for tiles
    faulted,  // permission given, but the first tile instruction ended the trial
    works,
  };
  std::string widest_isa = "ref";  // what Premise computes with: name_of(usable_isa())
  Amx amx = Amx::absent;

  bool operator==(const ProcessorTrial&) const = default;
};

inline constexpr std::size_t file_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t command_output_max = std::size_t{1} << 20;
inline constexpr std::chrono::milliseconds command_time_limit{3000};

class MachineSource {
 public:
  virtual ~MachineSource() = default;

  /// A regular file of at most `limit` bytes; the rest is cut. `path` is absolute, also below.
  virtual FileAnswer read_file(std::string_view path, std::size_t limit = file_bytes_max) = 0;

  virtual FolderAnswer list_folder(std::string_view path) = 0;

  /// The target of a symbolic link, as written there.
  virtual FileAnswer read_link(std::string_view path) = 0;

  /// Runs a program without a shell, looked up in PATH, with closed input, LC_ALL=C and a group of
  /// its own, which is killed when the time is over.
  virtual CommandAnswer run_command(const std::vector<std::string>& argv,
                                    std::chrono::milliseconds time_limit = command_time_limit) = 0;

  virtual std::optional<std::string> environment(const std::string& name) = 0;

  /// Nothing where the path does not exist.
  virtual std::optional<FileSystemAnswer> file_system(std::string_view path) = 0;

  /// NVML's answers as the JSON document that machine/gpu writes and reads (nvml.json); missing
  /// where no NVML library is installed. Live and recorded GPUs thus take one way.
  virtual FileAnswer nvml_json() = 0;

  virtual ProcessorTrial processor_trial() = 0;

  /// Where models are kept: an absolute path, which need not exist; empty where nobody knows.
  virtual std::string store_folder() = 0;
};

/// The first line of a file without the white space at its end: the usual form of an answer in
/// /proc and /sys. Nothing where there is no such file or it is not readable.
std::optional<std::string> read_line(MachineSource& machine, std::string_view path);

/// read_line() as a whole number in decimal; nothing where it is none.
std::optional<std::int64_t> read_number(MachineSource& machine, std::string_view path);

}  // namespace premise
