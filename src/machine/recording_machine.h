// Examines another source and writes down what the probes asked of it and were told, without what
// is private (redactor.h): the recording holds what the findings hang on, and nothing else.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "base/result.h"
#include "machine/redactor.h"
#include "machine/source.h"

namespace premise {

class RecordingMachine final : public MachineSource {
 public:
  /// `folder` is made, or is there and empty (usage, where it is not). Borrows `machine`.
  static Result<std::unique_ptr<RecordingMachine>> create(MachineSource& machine,
                                                          const std::filesystem::path& folder,
                                                          Redactor redactor);

  FileAnswer read_file(std::string_view path, std::size_t limit = file_bytes_max) override;
  FolderAnswer list_folder(std::string_view path) override;
  FileAnswer read_link(std::string_view path) override;
  CommandAnswer run_command(const std::vector<std::string>& argv,
                            std::chrono::milliseconds time_limit = command_time_limit) override;
  std::optional<std::string> environment(const std::string& name) override;
  std::optional<FileSystemAnswer> file_system(std::string_view path) override;
  FileAnswer nvml_json() override;
  ProcessorTrial processor_trial() override;
  std::string store_folder() override { return machine_.store_folder(); }

  /// Writes what belongs to the whole: machine.json, and measured.json where there is one. The
  /// first error of all writing, if any.
  Status finish(const std::optional<std::string>& measured_json);

 private:
  RecordingMachine(MachineSource& machine, std::filesystem::path folder, Redactor redactor)
      : machine_(machine), folder_(std::move(folder)), redactor_(std::move(redactor)) {}
  void write(const std::filesystem::path& below, std::string_view text);
  void write_at(std::string_view top, std::string_view path, std::string_view text);
  void note_state(std::string_view path, AnswerState state);

  MachineSource& machine_;
  std::filesystem::path folder_;
  Redactor redactor_;
  Status status_;
  std::map<std::string, std::string> environment_;
  std::map<std::string, FileSystemAnswer> file_systems_;
  std::map<std::string, AnswerState> states_;  // of paths that were neither given nor missing
  std::map<std::string, std::size_t> file_bytes_;
  std::map<std::string, int> command_names_;
  std::map<std::vector<std::string>, bool> commands_;
  std::optional<ProcessorTrial> trial_;
};

}  // namespace premise
