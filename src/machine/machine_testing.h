// A machine made of a few lines, for tests: what was not put in is not there.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "machine/probe.h"

namespace premise {

class SmallMachine final : public MachineSource {
 public:
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> links;
  std::map<std::string, AnswerState> states;
  std::map<std::vector<std::string>, CommandAnswer> commands;
  std::map<std::string, std::string> variables;
  std::map<std::string, FileSystemAnswer> file_systems;
  ProcessorTrial trial;
  std::string store;

  void says(std::vector<std::string> argv, std::string out, int exit_code = 0) {
    commands[std::move(argv)] = {CommandState::exited, exit_code, std::move(out), {}};
  }

  FileAnswer read_file(std::string_view path, std::size_t limit) override {
    if (const auto state = states.find(std::string(path)); state != states.end())
      return {.state = state->second, .text = {}};
    const auto found = files.find(std::string(path));
    if (found == files.end()) return {};
    return {AnswerState::given, found->second.substr(0, limit), found->second.size() > limit};
  }
  FolderAnswer list_folder(std::string_view path) override {
    std::set<std::string> names;
    const std::string prefix = std::string(path) + "/";
    for (const auto& [file, text] : files) {
      if (!file.starts_with(prefix)) continue;
      const std::string below = file.substr(prefix.size());
      names.insert(below.substr(0, below.find('/')));
    }
    if (names.empty()) return {};
    return {AnswerState::given, {names.begin(), names.end()}};
  }
  FileAnswer read_link(std::string_view path) override {
    const auto found = links.find(std::string(path));
    if (found == links.end()) return {};
    return {AnswerState::given, found->second};
  }
  CommandAnswer run_command(const std::vector<std::string>& argv,
                            std::chrono::milliseconds) override {
    const auto found = commands.find(argv);
    return found == commands.end() ? CommandAnswer{} : found->second;
  }
  std::optional<std::string> environment(const std::string& name) override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<FileSystemAnswer> file_system(std::string_view path) override {
    const auto found = file_systems.find(std::string(path));
    return found == file_systems.end() ? std::nullopt : std::optional(found->second);
  }
  FileAnswer nvml_json() override { return {}; }
  ProcessorTrial processor_trial() override { return trial; }
  std::string store_folder() override { return store; }
};

/// What one probe says, by id.
inline std::map<std::string, Finding> ask(const Probe& probe, MachineSource& machine) {
  Findings findings;
  probe.run(machine, findings);
  std::map<std::string, Finding> by_id;
  for (Finding& finding : findings) by_id.emplace(finding.id, std::move(finding));
  return by_id;
}

/// A folder that goes with the test.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "premise-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace premise
