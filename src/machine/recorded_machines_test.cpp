// The machines of tests/machines, examined as if they were this one. Each folder's expected.json
// states what a person who reads its files would say of it: the status of every finding in the
// areas that it names.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "machine/measure/measured.h"
#include "machine/probe.h"
#include "machine/recorded_machine.h"
#include "machine/regular_file.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using Statuses = std::map<std::string, std::string>;

const fs::path machines = fs::path(PREMISE_SOURCE_DIR) / "tests" / "machines";

std::vector<std::string> machine_names() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(machines))
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

Findings examine_recorded(const std::string& name) {
  auto machine = RecordedMachine::open(machines / name);
  EXPECT_TRUE(machine.ok()) << machine.error().what.en;
  if (!machine.ok()) return {};
  Findings findings = examine(**machine).findings;
  Measured measured;
  if (const FileAnswer file =
          read_regular_file(machines / name / "measured.json", file_bytes_max)) {
    auto read = measured_from_json(file.text);
    EXPECT_TRUE(read.ok()) << read.error().what.en;
    if (read.ok()) measured = std::move(read).value();
  }
  for (Finding& finding : judge(measured)) findings.push_back(std::move(finding));
  return findings;
}

class RecordedMachines : public ::testing::TestWithParam<std::string> {};

TEST_P(RecordedMachines, are_judged_as_a_person_would) {
  std::ifstream file(machines / GetParam() / "expected.json");
  const nlohmann::json document = nlohmann::json::parse(file, nullptr, false);
  ASSERT_TRUE(document.is_object());
  const auto areas = document["areas"].get<std::set<std::string>>();
  const auto expected = document["findings"].get<Statuses>();
  Statuses found;
  for (const Finding& finding : examine_recorded(GetParam())) {
    if (!expected.contains(finding.id) && !areas.contains(std::string(finding.area()))) continue;
    EXPECT_TRUE(found.emplace(finding.id, name_of(finding.status)).second)
        << finding.id << " is said twice";
  }
  EXPECT_EQ(found, expected);
}

TEST_P(RecordedMachines, get_a_reason_for_everything_and_a_remedy_for_what_is_wrong) {
  for (const Finding& finding : examine_recorded(GetParam())) {
    EXPECT_FALSE(finding.why.en.empty()) << finding.id;
    EXPECT_FALSE(finding.why.zh.empty()) << finding.id;
    EXPECT_EQ(finding.fix.en.empty(), finding.fix.zh.empty()) << finding.id;
    EXPECT_NE(finding.id.find('.'), std::string::npos) << finding.id;
    const bool wrong =
        finding.status == FindingStatus::warning || finding.status == FindingStatus::failure;
    if (wrong) {
      EXPECT_FALSE(finding.fix.empty()) << finding.id << ": " << finding.why.en;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, RecordedMachines, ::testing::ValuesIn(machine_names()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

/// Where a diagnosis is triggered by one machine and not by another, neither "always" nor "never"
/// would pass for a probe.
TEST(RecordedMachinesTogether, trigger_every_diagnosis_and_do_not) {
  std::map<std::string, std::set<FindingStatus>> statuses;
  for (const std::string& name : machine_names()) {
    for (const Finding& finding : examine_recorded(name))
      statuses[finding.id].insert(finding.status);
  }
  for (const char* id : {"os.updates",
                         "os.wsl_memory",
                         "os.time_sync",
                         "os.nofile",
                         "os.cpu_throttling",
                         "os.memory_limit",
                         "os.out_of_memory",
                         "os.huge_pages",
                         "os.libraries",
                         "cpu.isa",
                         "cpu.hypervisor_hides",
                         "memory.size",
                         "memory.swap",
                         "memory.ecc",
                         "storage.store",
                         "storage.free",
                         "storage.writable",
                         "storage.read_rate",
                         "power.governor",
                         "power.frequency",
                         "power.cap",
                         "power.thermal_throttling",
                         "power.temperature"}) {
    const auto& seen = statuses[id];
    const bool triggered =
        seen.contains(FindingStatus::warning) || seen.contains(FindingStatus::failure);
    const bool quiet = seen.contains(FindingStatus::ok) || seen.contains(FindingStatus::info);
    EXPECT_TRUE(triggered) << id;
    EXPECT_TRUE(quiet || id == std::string("os.wsl_memory")) << id;
  }
}

}  // namespace
}  // namespace premise
