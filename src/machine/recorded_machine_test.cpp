#include "machine/recorded_machine.h"

#include <gmock/gmock.h>

#include <fstream>

#include "machine/machine_testing.h"
#include "machine/recording_machine.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

Result<std::unique_ptr<RecordedMachine>> opened(const TestFolder& folder, std::string_view json) {
  write(folder.path() / "machine.json", json);
  return RecordedMachine::open(folder.path());
}

TEST(RecordedMachine, what_is_not_in_the_folder_was_not_there) {
  TestFolder folder;
  auto machine = opened(folder, R"({"format": 1})");
  ASSERT_TRUE(machine.ok()) << machine.error().what.en;
  EXPECT_EQ((*machine)->read_file("/proc/cpuinfo").state, AnswerState::missing);
  EXPECT_EQ((*machine)->list_folder("/sys/class/net").state, AnswerState::missing);
  EXPECT_EQ((*machine)->run_command({"nvidia-smi"}).state, CommandState::not_found);
  EXPECT_EQ((*machine)->environment("HOME"), std::nullopt);
  EXPECT_EQ((*machine)->file_system("/"), std::nullopt);
  EXPECT_EQ((*machine)->nvml_json().state, AnswerState::missing);
}

TEST(RecordedMachine, every_probe_ends_well_on_a_machine_of_which_nothing_is_known) {
  TestFolder folder;
  auto machine = opened(folder, R"({"format": 1})");
  ASSERT_TRUE(machine.ok());
  for (const Finding& finding : examine(**machine).findings)
    EXPECT_FALSE(finding.why.empty()) << finding.id;
}

TEST(RecordedMachine, files_stand_in_the_tree_or_in_the_document) {
  TestFolder folder;
  write(folder.path() / "root/sys/block/sda/size", "8\n");
  auto machine = opened(folder, R"({"format": 1, "files": {"/sys/block/sdb/size": ["16"]}})");
  ASSERT_TRUE(machine.ok());
  EXPECT_EQ(read_number(**machine, "/sys/block/sda/size"), 8);
  EXPECT_EQ(read_number(**machine, "/sys/block/sdb/size"), 16);
  EXPECT_THAT((*machine)->list_folder("/sys/block").names, ElementsAre("sda", "sdb"));
  EXPECT_TRUE((*machine)->read_file("/sys/block/sdb/size", 1).cut);
}

TEST(RecordedMachine, damage_is_told_by_file_and_field) {
  const std::pair<const char*, const char*> damaged[] = {
      {"", "machine.json"},
      {"[1", "no JSON object"},
      {"[]", "no JSON object"},
      {"{}", "\"format\""},
      {R"({"format": 2})", "format 2 is unknown"},
      {R"({"format": "1"})", "\"format\""},
      {R"({"format": 1, "store_folder": 7})", "\"store_folder\""},
      {R"({"format": 1, "processor_trial": {"widest_isa": "avx2", "amx": "maybe"}})",
       "\"processor_trial.amx\""},
      {R"({"format": 1, "environment": {"A": 1}})", "\"environment.A\""},
      {R"({"format": 1, "file_systems": {"/": {"total_bytes": -1}}})", "\"file_systems./\""},
      {R"({"format": 1, "denied": ["/a", 2]})", "\"denied\""},
      {R"({"format": 1, "files": {"relative": "x"}})", "\"files.relative\""},
      {R"({"format": 1, "files": {"/a/../../b": "x"}})", "\"files./a/../../b\""},
      {R"({"format": 1, "files": {"/a": [1]}})", "\"files./a\""},
      {R"({"format": 1, "commands": [{"argv": []}]})", "\"argv\""},
      {R"({"format": 1, "commands": [{"argv": ["a"], "exit_code": 999}]})", "\"exit_code\""},
      {R"({"format": 1, "commands": [{"argv": ["a"], "state": "lost"}]})", "\"state\""}};
  for (const auto& [json, says] : damaged) {
    TestFolder folder;
    const auto machine = opened(folder, json);
    ASSERT_FALSE(machine.ok()) << json;
    EXPECT_EQ(machine.error().code, ErrorCode::bad_input);
    EXPECT_THAT(machine.error().what.en, HasSubstr(says));
    EXPECT_THAT(machine.error().what.en, HasSubstr("machine.json"));
  }
}

TEST(RecordedMachine, a_damaged_command_is_told_by_its_file) {
  TestFolder folder;
  write(folder.path() / "commands/smi.json", "{\"argv\": 3}");
  const auto machine = opened(folder, R"({"format": 1})");
  ASSERT_FALSE(machine.ok());
  EXPECT_THAT(machine.error().what.en, HasSubstr("smi.json"));
}

TEST(RecordedMachine, no_folder_and_an_empty_folder_are_errors_with_a_hint) {
  TestFolder folder;
  for (const fs::path& path : {folder.path(), folder.path() / "none"}) {
    const auto machine = RecordedMachine::open(path);
    ASSERT_FALSE(machine.ok());
    EXPECT_EQ(machine.error().code, ErrorCode::bad_input);
    EXPECT_THAT(machine.error().hint.en, HasSubstr("--record"));
  }
}

TEST(RecordedMachine, shows_nothing_of_this_machine_through_links_or_paths_that_climb) {
  TestFolder folder;
  fs::create_directories(folder.path() / "root/etc");
  fs::create_symlink("/etc/passwd", folder.path() / "root/etc/passwd");
  fs::create_directory_symlink("/etc", folder.path() / "root/outside");
  auto machine = opened(folder, R"({"format": 1})");
  ASSERT_TRUE(machine.ok());
  EXPECT_FALSE((*machine)->read_file("/etc/passwd"));
  EXPECT_FALSE((*machine)->read_file("/outside/passwd"));
  EXPECT_FALSE((*machine)->list_folder("/outside"));
  EXPECT_FALSE((*machine)->read_file("/../machine.json"));
  EXPECT_FALSE((*machine)->read_file("machine.json"));
}

TEST(RecordingMachine, a_recording_answers_what_was_asked_as_the_machine_did) {
  SmallMachine original;
  original.files["/proc/x"] = "a\nb\n";
  original.files["/sys/class/net/eth0/speed"] = "1000\n";
  original.links["/proc/self/exe"] = "/home/wang/premise";
  original.states["/root/secret"] = AnswerState::denied;
  original.states["/sys/class/net/eth1/speed"] = AnswerState::failed;
  original.says({"ldd", "/home/wang/premise"}, "libx.so => not found\n", 1);
  original.commands[{"hangs"}] = {CommandState::timed_out, -1, "so far", "no newline"};
  original.variables["CUDA_VISIBLE_DEVICES"] = "0,1";
  original.file_systems["/home/wang"] = {
      .total_bytes = 10, .available_bytes = 3, .read_only = true};
  original.trial = {.widest_isa = "avx512", .amx = ProcessorTrial::Amx::refused};
  original.store = "/home/wang/.premise";

  TestFolder folder;
  Redactor redactor({.host_name = "h", .user_name = "wang", .home = "/home/wang"});
  auto recording = RecordingMachine::create(original, folder.path() / "new", redactor);
  ASSERT_TRUE(recording.ok()) << recording.error().what.en;
  MachineSource& source = **recording;
  source.read_file("/proc/x");
  source.read_file("/proc/x", 1);  // a later look at less must not shorten the record
  source.read_file("/root/secret");
  source.read_file("/sys/class/net/eth1/speed");
  source.list_folder("/sys/class/net");
  source.read_link("/proc/self/exe");
  source.run_command({"ldd", "/home/wang/premise"});
  source.run_command({"hangs"});
  source.environment("CUDA_VISIBLE_DEVICES");
  source.file_system("/home/wang");
  source.processor_trial();
  ASSERT_TRUE((*recording)->finish(std::nullopt).ok());

  auto replay = RecordedMachine::open(folder.path() / "new");
  ASSERT_TRUE(replay.ok()) << replay.error().what.en;
  EXPECT_EQ((*replay)->read_file("/proc/x").text, "a\nb\n");
  EXPECT_EQ((*replay)->read_file("/root/secret").state, AnswerState::denied);
  EXPECT_EQ((*replay)->read_file("/sys/class/net/eth1/speed").state, AnswerState::failed);
  EXPECT_THAT((*replay)->list_folder("/sys/class/net").names, ElementsAre("eth0"));
  EXPECT_EQ((*replay)->read_link("/proc/self/exe").text, "/home/user/premise");
  const CommandAnswer ldd = (*replay)->run_command({"ldd", "/home/user/premise"});
  EXPECT_EQ(ldd.exit_code, 1);
  EXPECT_EQ(ldd.out, "libx.so => not found\n");
  const CommandAnswer hangs = (*replay)->run_command({"hangs"});
  EXPECT_EQ(hangs.state, CommandState::timed_out);
  EXPECT_EQ(hangs.out, "so far");
  EXPECT_EQ((*replay)->environment("CUDA_VISIBLE_DEVICES"), "0,1");
  EXPECT_EQ((*replay)->file_system("/home/user"), original.file_systems["/home/wang"]);
  EXPECT_EQ((*replay)->processor_trial(), original.trial);
  EXPECT_EQ((*replay)->store_folder(), "/home/user/.premise");
}

TEST(RecordingMachine, does_not_write_into_a_folder_that_holds_something) {
  TestFolder folder;
  write(folder.path() / "precious", "x");
  SmallMachine machine;
  const auto recording = RecordingMachine::create(machine, folder.path(), Redactor({}));
  ASSERT_FALSE(recording.ok());
  EXPECT_EQ(recording.error().code, ErrorCode::usage);
}

TEST(RecordingMachine, says_where_it_could_not_write) {
  SmallMachine machine;
  const auto recording = RecordingMachine::create(machine, "/proc/premise", Redactor({}));
  ASSERT_FALSE(recording.ok());
  EXPECT_EQ(recording.error().code, ErrorCode::no_resources);
}

}  // namespace
}  // namespace premise
