#include "machine/recording_machine.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "machine/recording_format.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

Error cannot_write(const fs::path& path, const std::string& reason) {
  return error(ErrorCode::no_resources, {"{}: cannot be written: {}", "{}：无法写入：{}"},
               path.string(), reason);
}

/// A text as the list of its lines, so that people can read and review a recording.
OrderedJson lines_as_json(const std::string& text) {
  if (text.empty()) return "";
  if (text.back() != '\n') return text;
  OrderedJson lines = OrderedJson::array();
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// "pip check" → "pip-check": letters and digits of the words, at most 60.
std::string file_name_of(const std::vector<std::string>& argv) {
  std::string name;
  for (const std::string& word : argv) {
    for (const char c : word.substr(word.rfind('/') + 1)) {
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                         (c >= 'A' && c <= 'Z') || c == '_' || c == '+';
      if (plain) {
        name += c;
      } else if (!name.empty() && name.back() != '-') {
        name += '-';
      }
    }
    if (!name.empty() && name.back() != '-') name += '-';
  }
  name = name.substr(0, 60);
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "command" : name;
}

std::string dump(const OrderedJson& document) {
  return document.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace

Result<std::unique_ptr<RecordingMachine>> RecordingMachine::create(MachineSource& machine,
                                                                   const fs::path& folder,
                                                                   Redactor redactor) {
  std::error_code failure;
  if (fs::exists(folder, failure) && !fs::is_empty(folder, failure)) {
    return error(ErrorCode::usage, {"{}: is there already and not empty", "{}：已存在且不为空"},
                 folder.string())
        .with_hint(text({"name a folder that does not exist yet", "请给出一个尚不存在的文件夹"}));
  }
  fs::create_directories(folder, failure);
  if (failure) return cannot_write(folder, failure.message());
  return std::unique_ptr<RecordingMachine>(
      new RecordingMachine(machine, folder, std::move(redactor)));
}

void RecordingMachine::write(const fs::path& below, std::string_view text) {
  if (!status_.ok()) return;
  const fs::path path = folder_ / below;
  std::error_code failure;
  fs::create_directories(path.parent_path(), failure);
  if (failure) {
    status_ = cannot_write(path, failure.message());
    return;
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) status_ = cannot_write(path, std::strerror(errno));
}

void RecordingMachine::write_at(std::string_view top, std::string_view path,
                                std::string_view text) {
  if (const auto below = recorded_path(top, redactor_(path))) write(*below, redactor_(text));
}

void RecordingMachine::note_state(std::string_view path, AnswerState state) {
  if (state == AnswerState::denied || state == AnswerState::failed)
    states_[redactor_(path)] = state;
}

FileAnswer RecordingMachine::read_file(std::string_view path, std::size_t limit) {
  FileAnswer answer = machine_.read_file(path, limit);
  note_state(path, answer.state);
  // A probe that looks at one byte, to see whether a file is there, must not shorten it.
  if (!answer) return answer;
  const auto [longest, first] = file_bytes_.try_emplace(std::string(path), answer.text.size());
  if (first || longest->second <= answer.text.size()) {
    longest->second = answer.text.size();
    write_at("root", path, answer.text);
  }
  return answer;
}

FolderAnswer RecordingMachine::list_folder(std::string_view path) {
  FolderAnswer answer = machine_.list_folder(path);
  note_state(path, answer.state);
  if (answer) {
    std::string names;
    for (const std::string& name : answer.names) names += name + "\n";
    write_at("root", std::string(path) + "/" + std::string(entries_file), names);
  }
  return answer;
}

FileAnswer RecordingMachine::read_link(std::string_view path) {
  FileAnswer answer = machine_.read_link(path);
  if (answer) write_at("links", path, answer.text + "\n");
  return answer;
}

CommandAnswer RecordingMachine::run_command(const std::vector<std::string>& argv,
                                            std::chrono::milliseconds time_limit) {
  CommandAnswer answer = machine_.run_command(argv, time_limit);
  if (answer.state == CommandState::not_found || commands_[argv]) return answer;
  commands_[argv] = true;
  OrderedJson words = OrderedJson::array();
  for (const std::string& word : argv) words.push_back(redactor_(word));
  const std::string name = redactor_(file_name_of(argv));
  const int number = ++command_names_[name];
  const OrderedJson document{{"argv", words},
                             {"state", name_of(answer.state)},
                             {"exit_code", std::max(0, answer.exit_code)},
                             {"out", lines_as_json(redactor_(answer.out))},
                             {"err", lines_as_json(redactor_(answer.err))}};
  write(fs::path("commands") / (name + (number > 1 ? "-" + std::to_string(number) : "") + ".json"),
        dump(document));
  return answer;
}

std::optional<std::string> RecordingMachine::environment(const std::string& name) {
  auto value = machine_.environment(name);
  if (value) environment_[name] = redactor_(*value);
  return value;
}

std::optional<FileSystemAnswer> RecordingMachine::file_system(std::string_view path) {
  const auto answer = machine_.file_system(path);
  if (answer) file_systems_[redactor_(path)] = *answer;
  return answer;
}

FileAnswer RecordingMachine::nvml_json() {
  FileAnswer answer = machine_.nvml_json();
  if (answer) write("nvml.json", redactor_(answer.text));
  return answer;
}

ProcessorTrial RecordingMachine::processor_trial() {
  trial_ = machine_.processor_trial();
  return *trial_;
}

Status RecordingMachine::finish(const std::optional<std::string>& measured_json) {
  OrderedJson document{{"format", recording_format},
                       {"store_folder", redactor_(machine_.store_folder())}};
  if (trial_) {
    document["processor_trial"] = {{"widest_isa", trial_->widest_isa},
                                   {"amx", name_of(trial_->amx)}};
  }
  document["environment"] = OrderedJson::object();
  for (const auto& [name, value] : environment_) document["environment"][name] = value;
  document["file_systems"] = OrderedJson::object();
  for (const auto& [path, answer] : file_systems_) {
    document["file_systems"][path] = {{"total_bytes", answer.total_bytes},
                                      {"available_bytes", answer.available_bytes},
                                      {"read_only", answer.read_only},
                                      {"silent", answer.silent}};
  }
  document["denied"] = OrderedJson::array();
  document["failed"] = OrderedJson::array();
  for (const auto& [path, state] : states_)
    document[state == AnswerState::denied ? "denied" : "failed"].push_back(path);
  write("machine.json", dump(document));
  if (measured_json) write("measured.json", redactor_(*measured_json) + "\n");
  return status_;
}

}  // namespace premise
