// NVML asked through functions of our own, which answer as drivers do.
#include <gtest/gtest.h>

#include <cstring>

#include "machine/gpu/nvml_library.h"

namespace premise {
namespace {

using namespace nvml;

Return fine() { return success; }
Return count_of_two(unsigned* count) { return *count = 2, success; }
Return second_is_lost(unsigned index, Device* device) {
  *device = reinterpret_cast<Device>(std::uintptr_t{index} + 1);
  return index == 1 ? gpu_is_lost : success;
}
Return say_name(Device, char* text, unsigned size) {
  std::strncpy(text, "NVIDIA A100-SXM4-80GB", size);
  return success;
}
Return say_pci(Device, PciInfo* pci) {
  std::strcpy(pci->bus_id, "00000000:C1:00.0");
  return success;
}
Return say_capability(Device, int* major, int* minor) { return *major = 8, *minor = 0, success; }
Return say_memory(Device, Memory* memory) {
  *memory = {80ULL << 30, 79ULL << 30, 1ULL << 30};
  return success;
}
Return say_clock(Device, int type, unsigned* mhz) {
  *mhz = type == clock_of_memory ? 1593 : 1;
  return success;
}
Return say_watts(Device, unsigned* milliwatts) { return *milliwatts = 400000, success; }
Return say_ecc_on(Device, int* now, int* later) { return *now = *later = 1, success; }
Return say_errors(Device, int kind, int counter, unsigned long long* count) {
  *count = kind == error_uncorrected ? (counter == counter_of_life ? 9 : 2) : 5;
  return success;
}
Return refuse(Device, unsigned*) { return not_supported; }
Return say_cuda(int* version) { return *version = 12040, success; }
Return link_of_two(Device, unsigned link, int* active) {
  *active = link == 0;
  return link < 2 ? success : not_supported;
}
Return say_gpu_peer(Device, unsigned, int* type) { return *type = 0, success; }
Return say_peer(Device, unsigned, PciInfo* pci) {
  std::strcpy(pci->bus_id, "00000000:C2:00.0");
  return success;
}
Return one_process(Device, unsigned* count, ProcessInfo* infos) {
  EXPECT_GE(*count, 2U);
  infos[0] = {77, 3ULL << 30, ~0U, ~0U};
  infos[1] = {78, ~0ULL, ~0U, ~0U};
  *count = 2;
  return success;
}
Return say_process(unsigned, char* text, unsigned size) {
  std::strncpy(text, "/home/someone/bin/python3 train.py", size);
  return success;
}
Return mismatched() { return version_mismatch; }

Functions a_driver() {
  Functions f;
  f.init = f.shutdown = fine;
  f.device_count = count_of_two;
  f.device_by_index = second_is_lost;
  f.name = say_name;
  f.pci_info = say_pci;
  f.capability = say_capability;
  f.memory = say_memory;
  f.max_clock = say_clock;
  f.power_limit = say_watts;
  f.power_default = refuse;
  f.ecc_mode = say_ecc_on;
  f.ecc_errors = say_errors;
  f.cuda_version = say_cuda;
  f.link_state = link_of_two;
  f.link_peer_type = say_gpu_peer;
  f.link_peer = say_peer;
  f.compute_processes = one_process;
  f.process_name = say_process;
  return f;
}

TEST(NvmlQuery, answers_become_data_in_the_units_of_the_report) {
  const NvmlReport report = query_nvml(a_driver());
  EXPECT_EQ(report.state, NvmlState::ok);
  EXPECT_EQ(report.cuda_version, (Version{12, 4, 0}));
  ASSERT_EQ(report.gpus.size(), 2U);
  const NvmlGpu& gpu = report.gpus[0];
  EXPECT_EQ(gpu.name, "NVIDIA A100-SXM4-80GB");
  EXPECT_EQ(gpu.bus_id, "0000:c1:00.0");
  EXPECT_EQ(gpu.capability, (Version{8, 0, 0}));
  EXPECT_EQ(gpu.memory_used_bytes, 1ULL << 30);
  EXPECT_EQ(gpu.memory_clock_mhz_max, 1593);
  EXPECT_EQ(gpu.power_limit_watts, 400);
  EXPECT_EQ(gpu.ecc_corrected, 5U);
  EXPECT_EQ(gpu.ecc_uncorrected, 2U);
  EXPECT_EQ(gpu.ecc_uncorrected_total, 9U);
}

TEST(NvmlQuery, what_is_refused_or_not_in_the_library_is_left_out) {
  const NvmlGpu gpu = query_nvml(a_driver()).gpus[0];
  EXPECT_EQ(gpu.power_default_watts, std::nullopt);  // refused
  EXPECT_EQ(gpu.temperature_celsius, std::nullopt);  // not there
  EXPECT_EQ(gpu.mig, std::nullopt);
}

TEST(NvmlQuery, a_card_that_fell_off_the_bus_is_reported_with_its_code) {
  EXPECT_EQ(query_nvml(a_driver()).gpus[1].error, gpu_is_lost);
}

TEST(NvmlQuery, links_end_where_the_card_has_no_more_and_name_their_peers) {
  const NvmlGpu gpu = query_nvml(a_driver()).gpus[0];
  ASSERT_EQ(gpu.links.size(), 2U);
  EXPECT_EQ(gpu.links[0], (NvmlLink{0, true, NvmlLink::Peer::gpu, "0000:c2:00.0"}));
  EXPECT_FALSE(gpu.links[1].active);
}

TEST(NvmlQuery, of_a_process_only_the_name_is_kept) {
  const NvmlGpu gpu = query_nvml(a_driver()).gpus[0];
  ASSERT_EQ(gpu.processes.size(), 2U);
  EXPECT_EQ(gpu.processes[0], (NvmlProcess{77, "python3", 3ULL << 30}));
  EXPECT_EQ(gpu.processes[1].memory_bytes, std::nullopt);
}

TEST(NvmlQuery, a_failing_start_is_the_diagnosis_and_nothing_more_is_asked) {
  Functions f = a_driver();
  f.init = mismatched;
  const NvmlReport report = query_nvml(f);
  EXPECT_EQ(report.state, NvmlState::version_mismatch);
  EXPECT_EQ(report.error, version_mismatch);
  EXPECT_TRUE(report.gpus.empty());
}

TEST(NvmlQuery, cards_that_cannot_be_counted_are_trouble_and_not_an_empty_machine) {
  Functions f = a_driver();
  f.device_count = [](unsigned*) { return Return{999}; };
  const NvmlReport report = query_nvml(f);
  EXPECT_EQ(report.state, NvmlState::failed);
  EXPECT_EQ(report.error, 999);
}

TEST(NvmlChild, says_what_the_library_says_or_that_there_is_none) {
  const std::optional<std::string> answer = ask_nvml();
  if (!answer) {
    EXPECT_EQ(query_nvml(), std::nullopt);
  } else {
    EXPECT_TRUE(parse_nvml_json(*answer).ok());
  }
}

TEST(NvmlChild, a_child_that_has_no_time_is_given_up) {
  const std::optional<std::string> answer = ask_nvml(std::chrono::milliseconds{0});
  ASSERT_TRUE(answer);
  EXPECT_EQ(parse_nvml_json(*answer)->state, NvmlState::timed_out);
}

}  // namespace
}  // namespace premise
