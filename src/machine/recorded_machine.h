// A machine that lies in a folder (the layout stands in source.h), whatever it was recorded on.
#pragma once

#include <filesystem>
#include <map>
#include <memory>

#include "base/result.h"
#include "machine/source.h"

namespace premise {

class RecordedMachine final : public MachineSource {
 public:
  /// Reads machine.json and the commands; files are read when they are asked for. Errors
  /// (bad_input): no such folder, no machine.json in it, a document that is damaged or has another
  /// form, a format this version does not know.
  static Result<std::unique_ptr<RecordedMachine>> open(const std::filesystem::path& folder);

  FileAnswer read_file(std::string_view path, std::size_t limit = file_bytes_max) override;
  FolderAnswer list_folder(std::string_view path) override;
  FileAnswer read_link(std::string_view path) override;
  CommandAnswer run_command(const std::vector<std::string>& argv,
                            std::chrono::milliseconds time_limit = command_time_limit) override;
  std::optional<std::string> environment(const std::string& name) override;
  std::optional<FileSystemAnswer> file_system(std::string_view path) override;
  FileAnswer nvml_json() override;
  ProcessorTrial processor_trial() override { return trial_; }
  std::string store_folder() override { return store_folder_; }

  const std::filesystem::path& folder() const { return folder_; }

 private:
  explicit RecordedMachine(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Status read_description();
  Status read_commands();
  FolderAnswer list_recorded(std::string_view path);

  std::filesystem::path folder_;
  std::map<std::vector<std::string>, CommandAnswer> commands_;
  using Texts = std::map<std::string, std::string, std::less<>>;  // by path

  Texts files_;
  Texts links_;
  std::map<std::string, std::string> environment_;
  std::map<std::string, FileSystemAnswer> file_systems_;
  std::map<std::string, AnswerState, std::less<>> states_;  // of paths denied or failed
  ProcessorTrial trial_;
  std::string store_folder_;
};

}  // namespace premise
