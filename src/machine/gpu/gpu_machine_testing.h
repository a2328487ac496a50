// A machine made of a few lines, for the tests of GPU diagnoses: what was not put in is not there.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "machine/gpu/nvml_report.h"
#include "machine/probe.h"

namespace premise {

inline constexpr auto ok_status = FindingStatus::ok;  // ok() makes such a finding

class GpuMachine final : public MachineSource {
 public:
  std::map<std::string, std::string> files;
  std::map<std::string, std::vector<std::string>> folders;
  std::map<std::vector<std::string>, CommandAnswer> commands;
  std::map<std::string, std::string> variables;
  std::optional<NvmlReport> nvml;
  std::string nvml_text;  // instead of `nvml`: a damaged document

  void says(std::vector<std::string> argv, std::string out, int exit_code = 0,
            std::string err = {}) {
    commands[std::move(argv)] = {CommandState::exited, exit_code, std::move(out), std::move(err)};
  }
  void hangs(std::vector<std::string> argv) {
    commands[std::move(argv)] = {.state = CommandState::timed_out, .out = {}, .err = {}};
  }

  FileAnswer read_file(std::string_view path, std::size_t limit) override {
    const auto found = files.find(std::string(path));
    if (found == files.end()) return {};
    return {AnswerState::given, found->second.substr(0, limit), found->second.size() > limit};
  }
  FolderAnswer list_folder(std::string_view path) override {
    const auto found = folders.find(std::string(path));
    if (found == folders.end()) return {};
    std::vector<std::string> names = found->second;
    std::ranges::sort(names);
    return {AnswerState::given, std::move(names)};
  }
  FileAnswer read_link(std::string_view) override { return {}; }
  CommandAnswer run_command(const std::vector<std::string>& argv,
                            std::chrono::milliseconds) override {
    const auto found = commands.find(argv);
    return found == commands.end() ? CommandAnswer{} : found->second;
  }
  std::optional<std::string> environment(const std::string& name) override {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  }
  std::optional<FileSystemAnswer> file_system(std::string_view) override { return std::nullopt; }
  FileAnswer nvml_json() override {
    if (!nvml_text.empty()) return {AnswerState::given, nvml_text};
    if (!nvml) return {};
    return {AnswerState::given, nvml_to_json(*nvml)};
  }
  ProcessorTrial processor_trial() override { return {}; }
  std::string store_folder() override { return {}; }
};

/// A healthy card with everything a desktop driver says.
inline NvmlGpu healthy_card(std::string name = "NVIDIA GeForce RTX 3090",
                            Version capability = {8, 6, 0}, int number = 1) {
  NvmlGpu gpu;
  gpu.name = std::move(name);
  gpu.bus_id = fmt::format("0000:{:02x}:00.0", number);
  gpu.capability = capability;
  gpu.memory_total_bytes = 24ULL << 30;
  gpu.memory_used_bytes = 100ULL << 20;
  gpu.memory_bus_bits = 384;
  gpu.memory_clock_mhz_max = 9751;
  gpu.power_limit_watts = gpu.power_default_watts = 350;
  gpu.power_max_watts = 366;
  gpu.temperature_celsius = 45;
  gpu.slowdown_celsius = 95;
  gpu.throttle_reasons = 1;
  gpu.pcie_generation = 1;
  gpu.pcie_generation_max = 4;
  gpu.pcie_width = gpu.pcie_width_max = 16;
  gpu.compute_mode = 0;
  return gpu;
}

/// Driver 580.95.05 (CUDA 13.0, long-term branch) with these cards; nothing is wrong with it.
inline GpuMachine machine_with(std::vector<NvmlGpu> cards) {
  GpuMachine machine;
  machine.says({"date", "-u", "+%Y-%m-%d"}, "2026-11-22\n");
  std::vector<std::string> nodes = {"null", "nvidia-uvm", "nvidiactl"};
  for (std::size_t i = 0; i < cards.size(); ++i) {
    const std::string address = cards[i].bus_id.value_or("0000:7f:00.0");
    machine.folders["/sys/bus/pci/devices"].push_back(address);
    machine.files["/sys/bus/pci/devices/" + address + "/vendor"] = "0x10de\n";
    machine.files["/sys/bus/pci/devices/" + address + "/class"] = "0x030000\n";
    nodes.push_back("nvidia" + std::to_string(i));
  }
  machine.folders["/dev"] = nodes;
  machine.files["/sys/module/nvidia/version"] = "580.95.05\n";
  machine.nvml = NvmlReport{.driver_version = "580.95.05",
                            .library_version = "13.580.95.05",
                            .cuda_version = Version{13, 0, 0},
                            .gpus = std::move(cards)};
  return machine;
}

/// What one probe says.
inline Findings findings_of(const Probe& probe, MachineSource& machine) {
  Findings findings;
  probe.run(machine, findings);
  return findings;
}

/// The finding of an id; a test without it has failed.
inline Finding finding_of(const Probe& probe, MachineSource& machine, std::string_view id) {
  const Findings findings = findings_of(probe, machine);
  const auto found = std::ranges::find(findings, id, &Finding::id);
  if (found == findings.end()) {
    ADD_FAILURE() << "no finding " << id;
    return {};
  }
  EXPECT_FALSE(found->why.en.empty());
  EXPECT_FALSE(found->why.zh.empty());
  const bool bad =
      found->status == FindingStatus::warning || found->status == FindingStatus::failure;
  EXPECT_TRUE(!bad || !found->fix.en.empty()) << id << " says what is wrong and not what to do";
  return *found;
}

}  // namespace premise
