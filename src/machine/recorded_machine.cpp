#include "machine/recorded_machine.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "machine/recording_format.h"
#include "machine/regular_file.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Error damaged(const fs::path& file, const Text& what) {
  return error(ErrorCode::bad_input, {"{}: {}", "{}：{}"}, file.string(), what.en)
      .with_hint(text({"record the machine again: premise doctor --record DIR",
                       "请重新记录该机器：premise doctor --record DIR"}));
}

Error wrong_field(const fs::path& file, std::string_view field) {
  return at(text({"{}", "{}"}, file.string()),
            error(ErrorCode::bad_input,
                  {"field \"{}\" is missing or of another type", "字段“{}”缺失或类型不符"}, field));
}

/// A JSON object of at most `file_bytes_max` bytes.
Result<Json> read_object(const fs::path& file) {
  const FileAnswer answer = read_regular_file(file, file_bytes_max);
  if (!answer) {
    return error(ErrorCode::bad_input, {"{}: cannot be read", "{}：无法读取"}, file.string())
        .with_hint(text({"--probe-root wants a folder that premise doctor --record has written",
                         "--probe-root 需要由 premise doctor --record 写出的文件夹"}));
  }
  if (answer.cut) return damaged(file, text({"is too large", "文件过大"}));
  Json document = Json::parse(answer.text, nullptr, false);
  if (!document.is_object()) {
    return error(ErrorCode::bad_input, {"{}: is no JSON object", "{}：不是 JSON 对象"},
                 file.string());
  }
  return document;
}

const Json* find(const Json& object, const char* key) {
  const auto place = object.find(key);
  return place == object.end() ? nullptr : &*place;
}

/// A text, also one that is written as a list of its lines so that people can read it.
std::optional<std::string> text_of(const Json* value) {
  if (value == nullptr) return "";
  if (value->is_string()) return value->get<std::string>();
  if (!value->is_array()) return std::nullopt;
  std::string joined;
  for (const Json& line : *value) {
    if (!line.is_string()) return std::nullopt;
    joined += line.get_ref<const std::string&>() + "\n";
  }
  return joined;
}

std::optional<std::uint64_t> count_of(const Json& object, const char* key) {
  const Json* value = find(object, key);
  if (value == nullptr || !value->is_number_unsigned()) return std::nullopt;
  return value->get<std::uint64_t>();
}

/// False where it is absent, nothing where it is neither.
std::optional<bool> yes_or_no(const Json& object, const char* key) {
  const Json* value = find(object, key);
  if (value == nullptr) return false;
  return value->is_boolean() ? std::optional(value->get<bool>()) : std::nullopt;
}

Result<ProcessorTrial> trial_of(const fs::path& file, const Json& object) {
  ProcessorTrial trial;
  const Json* value = find(object, "processor_trial");
  if (value == nullptr) return trial;
  if (!value->is_object()) return wrong_field(file, "processor_trial");
  const Json* isa = find(*value, "widest_isa");
  const Json* amx = find(*value, "amx");
  if (isa == nullptr || !isa->is_string()) return wrong_field(file, "processor_trial.widest_isa");
  const auto state = amx != nullptr && amx->is_string()
                         ? amx_from_name(amx->get_ref<const std::string&>())
                         : std::nullopt;
  if (!state) return wrong_field(file, "processor_trial.amx");
  return ProcessorTrial{.widest_isa = isa->get<std::string>(), .amx = *state};
}

Result<std::map<std::string, FileSystemAnswer>> file_systems_of(const fs::path& file,
                                                                const Json& object) {
  std::map<std::string, FileSystemAnswer> found;
  const Json* list = find(object, "file_systems");
  if (list == nullptr) return found;
  if (!list->is_object()) return wrong_field(file, "file_systems");
  for (const auto& [path, entry] : list->items()) {
    if (!entry.is_object()) return wrong_field(file, "file_systems");
    const auto total = count_of(entry, "total_bytes");
    const auto available = count_of(entry, "available_bytes");
    const auto read_only = yes_or_no(entry, "read_only");
    const auto silent = yes_or_no(entry, "silent");
    if (!total || !available || !read_only || !silent)
      return wrong_field(file, "file_systems." + path);
    found[path] = {*total, *available, *read_only, *silent};
  }
  return found;
}

Result<std::pair<std::vector<std::string>, CommandAnswer>> command_of(const fs::path& file,
                                                                      const Json& object) {
  std::vector<std::string> argv;
  const Json* words = find(object, "argv");
  if (words == nullptr || !words->is_array() || words->empty()) return wrong_field(file, "argv");
  for (const Json& word : *words) {
    if (!word.is_string()) return wrong_field(file, "argv");
    argv.push_back(word.get<std::string>());
  }
  CommandAnswer answer{.state = CommandState::exited, .exit_code = 0, .out = {}, .err = {}};
  if (const Json* state = find(object, "state")) {
    const auto known = state->is_string()
                           ? command_state_from_name(state->get_ref<const std::string&>())
                           : std::nullopt;
    if (!known) return wrong_field(file, "state");
    answer.state = *known;
  }
  if (const Json* code = find(object, "exit_code")) {
    if (!code->is_number_integer() || code->get<std::int64_t>() < 0 ||
        code->get<std::int64_t>() > 255)
      return wrong_field(file, "exit_code");
    answer.exit_code = code->get<int>();
  }
  if (answer.state != CommandState::exited) answer.exit_code = -1;
  auto out = text_of(find(object, "out"));
  auto err = text_of(find(object, "err"));
  if (!out) return wrong_field(file, "out");
  if (!err) return wrong_field(file, "err");
  answer.out = std::move(*out);
  answer.err = std::move(*err);
  return std::pair{std::move(argv), std::move(answer)};
}

/// Adds the paths of a list that are in `state`.
Status read_states(const fs::path& file, const Json& object, const char* key, AnswerState state,
                   std::map<std::string, AnswerState, std::less<>>& states) {
  const Json* paths = find(object, key);
  if (paths == nullptr) return {};
  if (!paths->is_array()) return wrong_field(file, key);
  for (const Json& path : *paths) {
    if (!path.is_string()) return wrong_field(file, key);
    states[path.get<std::string>()] = state;
  }
  return {};
}

/// Adds an object of texts by path.
Status read_texts(const fs::path& file, const Json& object, const char* key,
                  std::map<std::string, std::string, std::less<>>& texts) {
  const Json* entries = find(object, key);
  if (entries == nullptr) return {};
  if (!entries->is_object()) return wrong_field(file, key);
  for (const auto& [path, value] : entries->items()) {
    auto text = text_of(&value);
    if (!text || !recorded_path("", path)) return wrong_field(file, std::string(key) + "." + path);
    texts[path] = std::move(*text);
  }
  return {};
}

/// Whether a link in the recording leads out of it: one that came from somebody else shall not show
/// what lies on this machine.
bool stays_inside(const fs::path& folder, const fs::path& path) {
  std::error_code failure;
  const fs::path top = fs::canonical(folder, failure);
  if (failure) return false;
  const fs::path real = fs::weakly_canonical(path, failure);
  if (failure) return false;
  return std::mismatch(top.begin(), top.end(), real.begin(), real.end()).first == top.end();
}

}  // namespace

Result<std::unique_ptr<RecordedMachine>> RecordedMachine::open(const fs::path& folder) {
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) {
    return error(ErrorCode::bad_input, {"{}: no such folder", "{}：没有此文件夹"}, folder.string())
        .with_hint(text({"premise doctor --record {} writes a recording of this machine",
                         "premise doctor --record {} 可写出本机的记录"},
                        folder.string()));
  }
  std::unique_ptr<RecordedMachine> machine(new RecordedMachine(folder));
  PREMISE_CHECK(machine->read_description());
  PREMISE_CHECK(machine->read_commands());
  return machine;
}

Status RecordedMachine::read_description() {
  const fs::path file = folder_ / "machine.json";
  PREMISE_TRY(const Json object, read_object(file));
  const auto format = count_of(object, "format");
  if (!format) return wrong_field(file, "format");
  if (*format != recording_format) {
    return error(ErrorCode::bad_input,
                 {"{}: format {} is unknown; this version reads format {}",
                  "{}：未知的格式 {}；此版本只读取格式 {}"},
                 file.string(), *format, recording_format);
  }
  PREMISE_TRY(trial_, trial_of(file, object));
  PREMISE_TRY(file_systems_, file_systems_of(file, object));
  if (const Json* store = find(object, "store_folder")) {
    if (!store->is_string()) return wrong_field(file, "store_folder");
    store_folder_ = store->get<std::string>();
  }
  if (const Json* variables = find(object, "environment")) {
    if (!variables->is_object()) return wrong_field(file, "environment");
    for (const auto& [name, value] : variables->items()) {
      if (!value.is_string()) return wrong_field(file, "environment." + name);
      environment_[name] = value.get<std::string>();
    }
  }
  PREMISE_CHECK(read_texts(file, object, "files", files_));
  PREMISE_CHECK(read_texts(file, object, "links", links_));
  if (const Json* commands = find(object, "commands")) {
    if (!commands->is_array()) return wrong_field(file, "commands");
    for (const Json& entry : *commands) {
      if (!entry.is_object()) return wrong_field(file, "commands");
      PREMISE_TRY(auto command, command_of(file, entry));
      commands_.insert(std::move(command));
    }
  }
  PREMISE_CHECK(read_states(file, object, "denied", AnswerState::denied, states_));
  return read_states(file, object, "failed", AnswerState::failed, states_);
}

Status RecordedMachine::read_commands() {
  const FolderAnswer files = list_names(folder_ / "commands");
  if (files.state == AnswerState::missing) return {};
  if (!files) return damaged(folder_ / "commands", text({"cannot be read", "无法读取"}));
  for (const std::string& name : files.names) {
    const fs::path file = folder_ / "commands" / name;
    if (file.extension() != ".json") continue;
    PREMISE_TRY(const Json object, read_object(file));
    PREMISE_TRY(auto command, command_of(file, object));
    commands_.insert(std::move(command));
  }
  return {};
}

FileAnswer RecordedMachine::read_file(std::string_view path, std::size_t limit) {
  if (const auto noted = states_.find(path); noted != states_.end())
    return {.state = noted->second, .text = {}};
  if (const auto written = files_.find(path); written != files_.end()) {
    return {.state = AnswerState::given,
            .text = written->second.substr(0, limit),
            .cut = written->second.size() > limit};
  }
  const auto below = recorded_path("root", path);
  if (!below || !stays_inside(folder_, folder_ / *below)) return {};
  return read_regular_file(folder_ / *below, limit);
}

FolderAnswer RecordedMachine::list_folder(std::string_view path) {
  if (const auto noted = states_.find(path); noted != states_.end())
    return {.state = noted->second, .names = {}};
  FolderAnswer answer = list_recorded(path);
  // Folders of the files that machine.json holds: the next part of every path below this one.
  const std::string prefix = path == "/" ? "/" : std::string(path) + "/";
  for (auto file = files_.lower_bound(prefix);
       file != files_.end() && file->first.starts_with(prefix); ++file) {
    const std::string_view below = std::string_view(file->first).substr(prefix.size());
    answer.names.emplace_back(below.substr(0, below.find('/')));
    answer.state = AnswerState::given;
  }
  std::sort(answer.names.begin(), answer.names.end());
  answer.names.erase(std::unique(answer.names.begin(), answer.names.end()), answer.names.end());
  std::erase_if(answer.names,
                [](const std::string& name) { return name.empty() || name == entries_file; });
  return answer;
}

FolderAnswer RecordedMachine::list_recorded(std::string_view path) {
  const auto below = recorded_path("root", path);
  if (!below || !stays_inside(folder_, folder_ / *below)) return {};
  FolderAnswer answer = list_names(folder_ / *below);
  if (!answer) return answer;
  const FileAnswer written =
      read_regular_file(folder_ / *below / fs::path(entries_file), file_bytes_max);
  if (!written) return answer;
  answer.names.clear();
  std::istringstream lines(written.text);
  for (std::string name; std::getline(lines, name);) answer.names.push_back(name);
  return answer;
}

FileAnswer RecordedMachine::read_link(std::string_view path) {
  if (const auto written = links_.find(path); written != links_.end())
    return {.state = AnswerState::given, .text = written->second};
  const auto below = recorded_path("links", path);
  if (!below || !stays_inside(folder_, folder_ / *below)) return {};
  FileAnswer answer = read_regular_file(folder_ / *below, file_bytes_max);
  while (answer.text.ends_with('\n')) answer.text.pop_back();
  return answer;
}

CommandAnswer RecordedMachine::run_command(const std::vector<std::string>& argv,
                                           std::chrono::milliseconds) {
  const auto found = commands_.find(argv);
  return found == commands_.end() ? CommandAnswer{} : found->second;
}

std::optional<std::string> RecordedMachine::environment(const std::string& name) {
  const auto found = environment_.find(name);
  return found == environment_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<FileSystemAnswer> RecordedMachine::file_system(std::string_view path) {
  const auto found = file_systems_.find(std::string(path));
  return found == file_systems_.end() ? std::nullopt : std::optional(found->second);
}

FileAnswer RecordedMachine::nvml_json() {
  return read_regular_file(folder_ / "nvml.json", file_bytes_max);
}

}  // namespace premise
