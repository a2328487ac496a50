// The diagnoses of cards: each with a machine that has the trouble and one that does not.
#include <gmock/gmock.h>

#include "machine/gpu/gpu_machine_testing.h"
#include "machine/gpu/nvml_abi.h"

namespace premise {

extern const Probe gpu_cards, gpu_alike, gpu_nvlink, gpu_power, gpu_thermal, gpu_ecc, gpu_pcie,
    gpu_processes;

namespace {

using ::testing::HasSubstr;

GpuMachine one_card(const std::function<void(NvmlGpu&)>& change = {}) {
  NvmlGpu card = healthy_card();
  if (change) change(card);
  return machine_with({card});
}

GpuMachine two_cards(const std::function<void(NvmlGpu&, NvmlGpu&)>& change = {}) {
  NvmlGpu a = healthy_card(), b = healthy_card("NVIDIA GeForce RTX 3090", {8, 6, 0}, 2);
  if (change) change(a, b);
  return machine_with({a, b});
}

TEST(GpuProbes, without_a_gpu_one_row_says_not_found_and_nothing_else_is_said) {
  GpuMachine machine;
  const Finding finding = finding_of(gpu_cards, machine, "gpu.cards");
  EXPECT_EQ(finding.status, FindingStatus::info);
  EXPECT_EQ(finding.value, FindingValue(std::int64_t{0}));
  for (const Probe* probe :
       {&gpu_alike, &gpu_nvlink, &gpu_power, &gpu_thermal, &gpu_ecc, &gpu_pcie, &gpu_processes}) {
    EXPECT_TRUE(findings_of(*probe, machine).empty()) << probe->name;
  }
}

TEST(GpuProbes, a_damaged_recording_is_said_and_never_taken_for_a_machine_without_gpu) {
  GpuMachine machine;
  for (const char* damage : {"{", R"({"format": 1, "state": "ok", "gpus": 3})"}) {
    machine.nvml_text = damage;
    EXPECT_EQ(finding_of(gpu_cards, machine, "gpu.cards").status, FindingStatus::warning);
  }
}

TEST(GpuCards, are_counted_by_model_with_their_architecture) {
  GpuMachine machine = two_cards();
  const Finding finding = finding_of(gpu_cards, machine, "gpu.cards");
  EXPECT_EQ(finding.status, ok_status);
  EXPECT_EQ(finding.why.en, "2 × GeForce RTX 3090 (Ampere, 8.6)");
  EXPECT_EQ(finding.value, FindingValue(std::int64_t{2}));
}

TEST(GpuCards, memory_is_added_up_in_bytes) {
  GpuMachine machine = two_cards();
  EXPECT_EQ(finding_of(gpu_cards, machine, "gpu.memory").value,
            FindingValue(std::int64_t{48} << 30));
}

TEST(GpuCards, bandwidth_is_clock_times_two_times_width) {
  GpuMachine machine = one_card();
  const Finding finding = finding_of(gpu_cards, machine, "gpu.bandwidth");
  EXPECT_EQ(finding.status, ok_status);
  EXPECT_NEAR(std::get<double>(finding.value), 936.1e9, 0.1e9);
}

TEST(GpuCards, less_than_600_GB_a_second_is_a_warning) {
  GpuMachine machine = one_card([](NvmlGpu& gpu) { gpu.memory_bus_bits = 192; });
  EXPECT_EQ(finding_of(gpu_cards, machine, "gpu.bandwidth").status, FindingStatus::warning);
}

TEST(GpuCards, an_old_driver_leaves_bandwidth_to_the_data_sheet_and_an_unknown_card_open) {
  GpuMachine known = one_card([](NvmlGpu& gpu) { gpu.memory_bus_bits.reset(); });
  EXPECT_EQ(finding_of(gpu_cards, known, "gpu.bandwidth").value, FindingValue(936e9));
  GpuMachine unknown = one_card([](NvmlGpu& gpu) {
    gpu.memory_bus_bits.reset();
    gpu.name = "NVIDIA Something New";
  });
  EXPECT_EQ(finding_of(gpu_cards, unknown, "gpu.bandwidth").status, FindingStatus::info);
}

TEST(GpuCards, one_that_fell_off_the_bus_is_a_failure_of_its_own) {
  GpuMachine machine =
      two_cards([](NvmlGpu&, NvmlGpu& b) { b = NvmlGpu{.error = nvml::gpu_is_lost}; });
  EXPECT_THAT(finding_of(gpu_cards, machine, "gpu.lost.1").why.en, HasSubstr("Xid 79"));
  EXPECT_EQ(finding_of(gpu_cards, machine, "gpu.lost.1").status, FindingStatus::failure);
  EXPECT_EQ(finding_of(gpu_cards, machine, "gpu.cards").value, FindingValue(std::int64_t{1}));
}

TEST(GpuAlike, unlike_cards_end_with_tensors_on_different_devices) {
  GpuMachine machine = two_cards([](NvmlGpu& a, NvmlGpu&) {
    a.name = "NVIDIA GeForce RTX 3060";
    a.memory_total_bytes = 12ULL << 30;
  });
  const Finding finding = finding_of(gpu_alike, machine, "gpu.alike");
  EXPECT_EQ(finding.status, FindingStatus::warning);
  EXPECT_THAT(finding.why.en, HasSubstr("Expected all tensors to be on the same device"));
  EXPECT_EQ(finding.fix.en, "export CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=1");
}

TEST(GpuAlike, like_cards_and_a_single_one_are_fine) {
  GpuMachine two = two_cards(), one = one_card();
  EXPECT_EQ(finding_of(gpu_alike, two, "gpu.alike").status, ok_status);
  EXPECT_EQ(finding_of(gpu_alike, one, "gpu.alike").status, ok_status);
}

TEST(GpuVisible, the_variable_is_read_as_cuda_reads_it) {
  GpuMachine machine = two_cards();
  const auto status = [&](const char* value) {
    machine.variables["CUDA_VISIBLE_DEVICES"] = value;
    return finding_of(gpu_alike, machine, "gpu.visible").status;
  };
  EXPECT_EQ(finding_of(gpu_alike, machine, "gpu.visible").status, ok_status);
  EXPECT_EQ(status("0,1"), FindingStatus::info);
  EXPECT_EQ(status("1"), FindingStatus::info);
  EXPECT_EQ(status("GPU-5a1b"), FindingStatus::info);
  for (const char* hides : {"", "-1", "2", "0,7,1", "all", "99999999999999999999"}) {
    EXPECT_EQ(status(hides), FindingStatus::warning) << hides;
  }
}

void join(NvmlGpu& a, NvmlGpu& b) {
  a.links = {{0, true, NvmlLink::Peer::gpu, *b.bus_id}};
  b.links = {{0, true, NvmlLink::Peer::gpu, *a.bus_id}};
}

TEST(GpuNvlink, names_the_pair_that_it_joins) {
  GpuMachine machine = two_cards(join);
  const Finding finding = finding_of(gpu_nvlink, machine, "gpu.nvlink");
  EXPECT_EQ(finding.status, ok_status);
  EXPECT_THAT(finding.why.en, HasSubstr("0-1"));
}

TEST(GpuNvlink, a_missing_bridge_is_worth_knowing_and_a_dead_link_is_a_warning) {
  GpuMachine bare = two_cards();
  EXPECT_THAT(finding_of(gpu_nvlink, bare, "gpu.nvlink").why.en, HasSubstr("could be joined"));
  GpuMachine broken = two_cards([](NvmlGpu& a, NvmlGpu& b) {
    join(a, b);
    a.links.push_back({1, false, NvmlLink::Peer::unknown, ""});
  });
  EXPECT_EQ(finding_of(gpu_nvlink, broken, "gpu.nvlink").status, FindingStatus::warning);
}

TEST(GpuNvlink, nvswitch_wants_its_service) {
  GpuMachine machine = two_cards([](NvmlGpu& a, NvmlGpu& b) {
    a.links = b.links = {{0, true, NvmlLink::Peer::nvswitch, ""}};
  });
  EXPECT_EQ(finding_of(gpu_nvlink, machine, "gpu.fabric_manager").status, FindingStatus::info);
  machine.says({"systemctl", "is-active", "nvidia-fabricmanager"}, "active\n");
  EXPECT_EQ(finding_of(gpu_nvlink, machine, "gpu.fabric_manager").status, ok_status);
  machine.says({"systemctl", "is-active", "nvidia-fabricmanager"}, "inactive\n", 3);
  EXPECT_THAT(finding_of(gpu_nvlink, machine, "gpu.fabric_manager").why.en,
              HasSubstr("system not yet initialized"));
}

TEST(GpuPower, a_cap_below_the_default_is_a_warning_with_the_command_that_lifts_it) {
  GpuMachine machine = one_card([](NvmlGpu& gpu) { gpu.power_limit_watts = 250; });
  const Finding finding = finding_of(gpu_power, machine, "gpu.power");
  EXPECT_EQ(finding.status, FindingStatus::warning);
  EXPECT_EQ(finding.fix.en, "sudo nvidia-smi -i 0 -pl 350");
}

TEST(GpuPower, the_default_limit_and_more_are_fine) {
  GpuMachine machine = one_card([](NvmlGpu& gpu) { gpu.power_limit_watts = 366; });
  EXPECT_EQ(finding_of(gpu_power, machine, "gpu.power").status, ok_status);
}

TEST(GpuPower, the_brake_of_a_server_is_a_warning) {
  GpuMachine machine =
      one_card([](NvmlGpu& gpu) { gpu.throttle_reasons = nvml::reason_power_brake; });
  EXPECT_EQ(finding_of(gpu_power, machine, "gpu.power").status, FindingStatus::warning);
}

TEST(GpuPower, one_large_card_wants_a_supply_of_850_watts_and_a_small_one_its_data_sheets) {
  GpuMachine large = one_card();
  EXPECT_EQ(finding_of(gpu_power, large, "gpu.supply").value, FindingValue(850.0));
  GpuMachine small = one_card([](NvmlGpu& gpu) {
    gpu.name = "NVIDIA GeForce RTX 3060";
    gpu.power_limit_watts = gpu.power_default_watts = 170;
  });
  EXPECT_EQ(finding_of(gpu_power, small, "gpu.supply").value, FindingValue(550.0));
}

TEST(GpuPower, two_large_cards_want_both_their_watts_with_headroom_and_the_machines) {
  GpuMachine machine = two_cards();  // 700 W × 1.25 + 250 W = 1125 W
  EXPECT_EQ(finding_of(gpu_power, machine, "gpu.supply").value, FindingValue(1150.0));
}

TEST(GpuThermal, throttling_and_nearness_to_it_are_warnings) {
  for (const auto reason : {nvml::reason_thermal_software, nvml::reason_thermal_hardware}) {
    GpuMachine machine = one_card([&](NvmlGpu& gpu) { gpu.throttle_reasons = reason; });
    EXPECT_THAT(finding_of(gpu_thermal, machine, "gpu.thermal").why.en,
                HasSubstr("thermal throttling"));
  }
  GpuMachine near = one_card([](NvmlGpu& gpu) { gpu.temperature_celsius = 91; });
  EXPECT_EQ(finding_of(gpu_thermal, near, "gpu.thermal").status, FindingStatus::warning);
}

TEST(GpuThermal, a_cool_card_and_one_that_idles_or_reaches_its_power_limit_are_fine) {
  for (const auto reason : {nvml::reason_idle, nvml::reason_power_cap}) {
    GpuMachine machine = one_card([&](NvmlGpu& gpu) { gpu.throttle_reasons = reason; });
    EXPECT_EQ(finding_of(gpu_thermal, machine, "gpu.thermal").status, ok_status);
  }
  GpuMachine mute = one_card([](NvmlGpu& gpu) { gpu.temperature_celsius.reset(); });
  EXPECT_EQ(finding_of(gpu_thermal, mute, "gpu.thermal").status, FindingStatus::info);
}

FindingStatus ecc_status(const std::function<void(NvmlGpu&)>& change) {
  GpuMachine machine = one_card([&](NvmlGpu& gpu) {
    gpu.ecc = true;
    gpu.ecc_corrected = gpu.ecc_uncorrected = gpu.ecc_uncorrected_total = 0;
    gpu.remap_pending = gpu.remap_failed = false;
    change(gpu);
  });
  return finding_of(gpu_ecc, machine, "gpu.ecc").status;
}

TEST(GpuEcc, errors_that_ended_programs_and_rows_that_cannot_be_replaced_are_failures) {
  EXPECT_EQ(ecc_status([](NvmlGpu& gpu) { gpu.ecc_uncorrected = 1; }), FindingStatus::failure);
  EXPECT_EQ(ecc_status([](NvmlGpu& gpu) { gpu.remap_failed = true; }), FindingStatus::failure);
}

TEST(GpuEcc, a_pending_row_many_corrections_and_ecc_switched_off_are_warnings) {
  EXPECT_EQ(ecc_status([](NvmlGpu& gpu) { gpu.remap_pending = true; }), FindingStatus::warning);
  EXPECT_EQ(ecc_status([](NvmlGpu& gpu) { gpu.ecc_corrected = 5000; }), FindingStatus::warning);
  EXPECT_EQ(ecc_status([](NvmlGpu& gpu) { gpu.ecc = false; }), FindingStatus::warning);
}

TEST(GpuEcc, a_healthy_card_is_fine_with_old_errors_too_and_a_desktop_card_has_none) {
  EXPECT_EQ(ecc_status([](NvmlGpu&) {}), ok_status);
  EXPECT_EQ(ecc_status([](NvmlGpu& gpu) { gpu.ecc_uncorrected_total = 2; }), ok_status);
  EXPECT_EQ(ecc_status([](NvmlGpu& gpu) { gpu.ecc.reset(); }), FindingStatus::info);
}

TEST(GpuPcie, a_link_narrower_than_the_card_is_a_warning) {
  GpuMachine machine = one_card([](NvmlGpu& gpu) { gpu.pcie_width = 4; });
  const Finding finding = finding_of(gpu_pcie, machine, "gpu.pcie");
  EXPECT_EQ(finding.status, FindingStatus::warning);
  EXPECT_THAT(finding.why.en, HasSubstr("4 lanes"));
}

TEST(GpuPcie, a_low_generation_at_rest_is_fine) {
  GpuMachine machine = one_card([](NvmlGpu& gpu) { gpu.pcie_generation = 1; });
  EXPECT_EQ(finding_of(gpu_pcie, machine, "gpu.pcie").status, ok_status);
}

TEST(GpuProcesses, another_program_that_holds_memory_is_named) {
  GpuMachine machine = one_card([](NvmlGpu& gpu) {
    gpu.processes = {{4242, "python3", 11ULL << 30}};
    gpu.memory_used_bytes = 11ULL << 30;
  });
  const Finding finding = finding_of(gpu_processes, machine, "gpu.processes");
  EXPECT_EQ(finding.status, FindingStatus::warning);
  EXPECT_THAT(finding.why.en, HasSubstr("python3 (process 4242)"));
}

TEST(GpuProcesses, memory_that_no_visible_program_holds_is_a_warning) {
  GpuMachine machine = one_card([](NvmlGpu& gpu) { gpu.memory_used_bytes = 9ULL << 30; });
  EXPECT_EQ(finding_of(gpu_processes, machine, "gpu.processes").status, FindingStatus::warning);
}

TEST(GpuProcesses, premise_itself_and_small_programs_are_not_in_the_way) {
  GpuMachine machine = one_card([](NvmlGpu& gpu) {
    gpu.processes = {{1, "premise", 20ULL << 30}, {2, "gnome-shell", 200ULL << 20}};
    gpu.memory_used_bytes = 21ULL << 30;
  });
  EXPECT_EQ(finding_of(gpu_processes, machine, "gpu.processes").status, ok_status);
}

TEST(GpuMode, prohibited_is_a_failure_and_exclusive_and_mig_are_worth_knowing) {
  const auto status = [](const std::function<void(NvmlGpu&)>& change) {
    GpuMachine machine = one_card(change);
    return finding_of(gpu_processes, machine, "gpu.mode").status;
  };
  EXPECT_EQ(status([](NvmlGpu& gpu) { gpu.compute_mode = 2; }), FindingStatus::failure);
  EXPECT_EQ(status([](NvmlGpu& gpu) { gpu.compute_mode = 3; }), FindingStatus::info);
  EXPECT_EQ(status([](NvmlGpu& gpu) { gpu.mig = true; }), FindingStatus::info);
  EXPECT_EQ(status([](NvmlGpu&) {}), ok_status);
}

}  // namespace
}  // namespace premise
