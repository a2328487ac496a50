// The machine that this program runs on.
#pragma once

#include <functional>

#include "machine/source.h"

namespace premise {

class LiveMachine final : public MachineSource {
 public:
  struct Options {
    std::string store_folder;
    /// No command may take longer, whatever the probe grants it (`--quick`).
    std::chrono::milliseconds command_limit{10000};
    /// Nor all of them together: once it is used up, commands count as timed out unasked.
    std::chrono::milliseconds command_budget{8000};
    /// Asks NVML; nothing where no library is installed. Called once, when first wanted.
    std::function<std::optional<std::string>()> ask_nvml;
  };

  explicit LiveMachine(Options options) : options_(std::move(options)) {}

  FileAnswer read_file(std::string_view path, std::size_t limit = file_bytes_max) override;
  FolderAnswer list_folder(std::string_view path) override;
  FileAnswer read_link(std::string_view path) override;
  CommandAnswer run_command(const std::vector<std::string>& argv,
                            std::chrono::milliseconds time_limit = command_time_limit) override;
  std::optional<std::string> environment(const std::string& name) override;
  std::optional<FileSystemAnswer> file_system(std::string_view path) override;
  FileAnswer nvml_json() override;
  ProcessorTrial processor_trial() override;
  std::string store_folder() override { return options_.store_folder; }

 private:
  Options options_;
  std::chrono::milliseconds commands_took_{0};
  std::optional<FileAnswer> nvml_;
  std::optional<ProcessorTrial> trial_;
};

}  // namespace premise
