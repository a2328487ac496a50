// The diagnoses of driver and toolkit, each with a machine that has the trouble and one without.
#include <gmock/gmock.h>

#include "machine/gpu/gpu_machine_testing.h"
#include "machine/gpu/kernel_findings.h"
#include "machine/gpu/nvml_abi.h"

namespace premise {

extern const Probe nvidia_driver, nvidia_nodes, nvidia_container, nvidia_smi, nvidia_xid,
    cuda_toolkit, cuda_libraries, cuda_engine;

namespace {

using ::testing::HasSubstr;

GpuMachine healthy() { return machine_with({healthy_card()}); }

GpuMachine in_state(NvmlState state, std::int64_t code) {
  GpuMachine machine = healthy();
  machine.nvml = NvmlReport{.state = state, .error = code, .library_version = "12.535.129.03"};
  return machine;
}

void set_driver(GpuMachine& machine, const std::string& driver, Version cuda) {
  machine.nvml->driver_version = driver;
  machine.nvml->cuda_version = cuda;
  machine.files["/sys/module/nvidia/version"] = driver + "\n";
}

TEST(NvidiaDriver, a_working_one_names_the_cuda_that_it_runs) {
  GpuMachine machine = healthy();
  const Finding finding = finding_of(nvidia_driver, machine, "nvidia.driver");
  EXPECT_EQ(finding.status, ok_status);
  EXPECT_THAT(finding.why.en, HasSubstr("CUDA 13.0"));
}

TEST(NvidiaDriver, is_not_missed_where_there_is_no_card) {
  GpuMachine machine;
  EXPECT_TRUE(findings_of(nvidia_driver, machine).empty());
}

TEST(NvidiaDriver, is_missed_where_there_is_a_card) {
  GpuMachine machine = healthy();
  machine.nvml.reset();
  machine.files["/etc/os-release"] = "ID=ubuntu\nVERSION_ID=\"24.04\"\n";
  const Finding finding = finding_of(nvidia_driver, machine, "nvidia.driver");
  EXPECT_EQ(finding.status, FindingStatus::failure);
  EXPECT_THAT(finding.fix.en, HasSubstr("sudo ubuntu-drivers install"));
  machine.folders["/sys/module/nouveau"] = {"version"};
  EXPECT_THAT(finding_of(nvidia_driver, machine, "nvidia.driver").why.en, HasSubstr("nouveau"));
}

TEST(NvidiaDriver, a_library_of_another_release_is_the_mismatch_that_a_restart_mends) {
  GpuMachine machine = in_state(NvmlState::version_mismatch, 18);
  const Finding finding = finding_of(nvidia_driver, machine, "nvidia.driver");
  EXPECT_EQ(finding.status, FindingStatus::failure);
  EXPECT_THAT(finding.why.en, HasSubstr("NVML: Driver/library version mismatch"));
  EXPECT_THAT(finding.why.en, HasSubstr("580.95.05"));
  EXPECT_THAT(finding.why.en, HasSubstr("535.129.03"));
  EXPECT_EQ(finding.fix.en, "sudo reboot");
}

TEST(NvidiaDriver, one_that_is_not_loaded_hangs_or_refuses_is_a_failure) {
  for (const NvmlState state : {NvmlState::driver_not_loaded, NvmlState::timed_out,
                                NvmlState::no_permission, NvmlState::failed}) {
    GpuMachine machine = in_state(state, 999);
    EXPECT_EQ(finding_of(nvidia_driver, machine, "nvidia.driver").status, FindingStatus::failure)
        << name_of(state);
  }
}

TEST(NvidiaDriver, a_library_without_a_card_is_no_failure) {
  GpuMachine machine;
  machine.nvml = NvmlReport{.state = NvmlState::driver_not_loaded, .error = 9};
  EXPECT_EQ(finding_of(nvidia_driver, machine, "nvidia.driver").status, FindingStatus::info);
}

FindingStatus branch_status(const std::string& driver, const std::string& day) {
  GpuMachine machine = healthy();
  set_driver(machine, driver, {13, 0, 0});
  machine.says({"date", "-u", "+%Y-%m-%d"}, day + "\n");
  return finding_of(nvidia_driver, machine, "nvidia.branch").status;
}

TEST(NvidiaBranch, the_long_term_branch_is_fine_while_it_is_supported) {
  EXPECT_EQ(branch_status("580.95.05", "2026-11-22"), ok_status);
  EXPECT_EQ(branch_status("580.95.05", "2028-07-01"), FindingStatus::warning);
}

TEST(NvidiaBranch, another_supported_branch_is_worth_knowing_and_an_ended_one_a_warning) {
  EXPECT_EQ(branch_status("595.71.05", "2026-11-22"), FindingStatus::info);
  EXPECT_EQ(branch_status("570.86.10", "2026-11-22"), FindingStatus::warning);
  EXPECT_EQ(branch_status("550.54.14", "2024-05-01"), FindingStatus::warning);
}

TEST(NvidiaBranch, one_that_the_table_does_not_know_is_not_judged) {
  EXPECT_EQ(branch_status("999.10.01", "2030-01-01"), FindingStatus::info);
}

TEST(NvidiaNodes, without_nvidia_uvm_every_cuda_program_fails) {
  GpuMachine machine = healthy();
  machine.folders["/dev"] = {"nvidia0", "nvidiactl"};
  const Finding finding = finding_of(nvidia_nodes, machine, "nvidia.nodes");
  EXPECT_EQ(finding.status, FindingStatus::failure);
  EXPECT_EQ(finding.fix.en, "sudo nvidia-modprobe -u -c=0");
}

TEST(NvidiaNodes, each_card_has_one) {
  GpuMachine machine = machine_with({healthy_card(), healthy_card("NVIDIA A10", {8, 6, 0}, 2)});
  EXPECT_EQ(finding_of(nvidia_nodes, machine, "nvidia.nodes").status, ok_status);
  machine.folders["/dev"] = {"nvidia0", "nvidiactl", "nvidia-uvm"};
  EXPECT_EQ(finding_of(nvidia_nodes, machine, "nvidia.nodes").status, FindingStatus::failure);
}

TEST(NvidiaContainer, one_that_was_given_no_gpu_computes_on_the_processor) {
  GpuMachine machine = healthy();
  machine.files["/.dockerenv"] = "";
  EXPECT_EQ(finding_of(nvidia_container, machine, "nvidia.container").status, ok_status);
  machine.nvml.reset();
  const Finding finding = finding_of(nvidia_container, machine, "nvidia.container");
  EXPECT_EQ(finding.status, FindingStatus::warning);
  EXPECT_THAT(finding.fix.en, HasSubstr("--gpus all"));
  EXPECT_TRUE(findings_of(nvidia_driver, machine).empty()) << "the driver belongs to the host";
}

TEST(NvidiaContainer, an_engine_without_the_toolkit_cannot_hand_gpus_over) {
  GpuMachine machine = healthy();
  EXPECT_TRUE(findings_of(nvidia_container, machine).empty()) << "no container engine";
  machine.folders["/usr/bin"] = {"docker"};
  EXPECT_THAT(finding_of(nvidia_container, machine, "nvidia.container").why.en,
              HasSubstr("could not select device driver"));
  machine.folders["/usr/bin"] = {"docker", "nvidia-ctk"};
  EXPECT_EQ(finding_of(nvidia_container, machine, "nvidia.container").status,
            FindingStatus::warning);
  machine.files["/etc/docker/daemon.json"] = R"({"runtimes": {"nvidia": {}}})";
  EXPECT_EQ(finding_of(nvidia_container, machine, "nvidia.container").status, ok_status);
}

TEST(NvidiaSmi, hanging_failing_or_of_another_driver_is_said) {
  GpuMachine machine = healthy();
  EXPECT_EQ(finding_of(nvidia_smi, machine, "nvidia.smi").status, FindingStatus::info);
  machine.hangs({"nvidia-smi"});
  EXPECT_EQ(finding_of(nvidia_smi, machine, "nvidia.smi").status, FindingStatus::failure);
  machine.says({"nvidia-smi"}, "No devices were found\n", 6);
  EXPECT_THAT(finding_of(nvidia_smi, machine, "nvidia.smi").why.en, HasSubstr("No devices"));
  machine.says({"nvidia-smi"}, "| NVIDIA-SMI 570.1  Driver Version: 570.1  CUDA Version: 12.8 |");
  EXPECT_EQ(finding_of(nvidia_smi, machine, "nvidia.smi").status, FindingStatus::warning);
  machine.says({"nvidia-smi"},
               "| NVIDIA-SMI 580.95.05  Driver Version: 580.95.05  CUDA Version: 13.0 |");
  EXPECT_EQ(finding_of(nvidia_smi, machine, "nvidia.smi").status, ok_status);
}

TEST(NvidiaXid, faults_of_programs_and_of_hardware_are_told_apart) {
  GpuMachine machine = healthy();
  const auto finding = [&](const std::string& log) {
    machine.says({"dmesg", "--facility=kern"}, log);
    return finding_of(nvidia_xid, machine, "nvidia.xid");
  };
  EXPECT_EQ(finding_of(nvidia_xid, machine, "nvidia.xid").status, FindingStatus::info);  // no root
  EXPECT_EQ(finding("[1.0] usb 1-1: new device\n").status, ok_status);
  const std::string fault = "[5.1] NVRM: Xid (PCI:0000:01:00): 31, pid=9, Ch 0000000b\n";
  EXPECT_EQ(finding(fault).status, FindingStatus::info);
  const Finding lost =
      finding(fault + "[9.2] NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off\n");
  EXPECT_EQ(lost.status, FindingStatus::warning);
  EXPECT_EQ(lost.value, FindingValue(std::int64_t{79}));
  EXPECT_EQ(finding("NVRM: Xid (").status, ok_status);
}

FindingStatus toolkit_status(GpuMachine& machine, const std::string& release) {
  machine.says({"nvcc", "--version"},
               "Cuda compilation tools, release " + release + ", V" + release + ".1\n");
  return finding_of(cuda_toolkit, machine, "cuda.toolkit").status;
}

TEST(CudaToolkit, one_newer_than_the_driver_is_a_warning_and_a_newer_minor_worth_knowing) {
  GpuMachine machine = healthy();
  EXPECT_EQ(finding_of(cuda_toolkit, machine, "cuda.toolkit").status, FindingStatus::info);
  EXPECT_EQ(toolkit_status(machine, "13.0"), ok_status);
  EXPECT_EQ(toolkit_status(machine, "12.4"), ok_status);
  EXPECT_EQ(toolkit_status(machine, "13.2"), FindingStatus::info);
  set_driver(machine, "550.54.14", {12, 4, 0});
  EXPECT_EQ(toolkit_status(machine, "13.0"), FindingStatus::warning);
  EXPECT_THAT(finding_of(cuda_toolkit, machine, "cuda.toolkit").why.en,
              HasSubstr("CUDA driver version is insufficient for CUDA runtime version"));
}

TEST(CudaToolkit, one_that_makes_no_code_for_the_card_is_a_warning) {
  GpuMachine machine = machine_with({healthy_card("NVIDIA GeForce RTX 4090", {8, 9, 0})});
  EXPECT_EQ(toolkit_status(machine, "11.7"), FindingStatus::warning);
  EXPECT_EQ(toolkit_status(machine, "11.8"), ok_status);
  GpuMachine old = machine_with({healthy_card("Tesla V100-SXM2-16GB", {7, 0, 0})});
  EXPECT_EQ(toolkit_status(old, "13.0"), FindingStatus::warning);
  EXPECT_THAT(finding_of(cuda_toolkit, old, "cuda.toolkit").fix.en, HasSubstr("12.9"));
}

TEST(CudaToolkit, one_that_is_not_in_the_path_is_found_at_its_usual_place) {
  GpuMachine machine = healthy();
  machine.says({"/usr/local/cuda/bin/nvcc", "--version"}, "release 12.8, V12.8.93\n");
  const Finding finding = finding_of(cuda_toolkit, machine, "cuda.toolkit");
  EXPECT_EQ(finding.status, FindingStatus::info);
  EXPECT_THAT(finding.fix.en, HasSubstr("PATH"));
}

TEST(CudaLibraries, libcuda_comes_with_the_driver) {
  GpuMachine machine = healthy();
  machine.says({"ldconfig", "-p"}, "2 libs found\n\tlibm.so.6 (libc6,x86-64) => /lib/libm.so.6\n");
  EXPECT_EQ(finding_of(cuda_libraries, machine, "cuda.libcuda").status, FindingStatus::failure);
  machine.says({"ldconfig", "-p"}, "\tlibcuda.so.1 (libc6,x86-64) => /lib/libcuda.so.1\n");
  EXPECT_EQ(finding_of(cuda_libraries, machine, "cuda.libcuda").status, ok_status);
}

TEST(CudaLibraries, those_of_the_toolkit_must_be_known_to_the_loader) {
  GpuMachine machine = healthy();
  machine.says({"ldconfig", "-p"}, "\tlibcuda.so.1 (libc6,x86-64) => /lib/libcuda.so.1\n");
  machine.folders["/usr/local/cuda/lib64"] = {"libcudart.so.12"};
  EXPECT_THAT(finding_of(cuda_libraries, machine, "cuda.libcudart").why.en,
              HasSubstr("cannot open shared object file"));
  machine.variables["LD_LIBRARY_PATH"] = "/usr/local/cuda/lib64";
  EXPECT_EQ(finding_of(cuda_libraries, machine, "cuda.libcudart").status, ok_status);
}

TEST(KernelTrouble, is_said_before_a_kernel_is_started_on_a_card_that_it_was_not_built_for) {
  GpuMachine machine = machine_with({healthy_card("NVIDIA GeForce RTX 5090", {12, 0, 0})});
  const Gpus gpus = read_gpus(machine);
  const auto trouble = kernel_trouble(gpus, "Premise", {"sm_80", "sm_90"}, true);
  ASSERT_TRUE(trouble);
  EXPECT_THAT(trouble->en, HasSubstr("no kernel image is available for execution on the device"));
  EXPECT_FALSE(kernel_trouble(gpus, "Premise", {"sm_80", "sm_120"}, true));
  EXPECT_FALSE(kernel_trouble(gpus, "Premise", {"sm_80", "compute_90"}, true));
  EXPECT_THAT(kernel_trouble(gpus, "Premise", {"sm_80", "compute_90"}, false)->en,
              HasSubstr("unsupported toolchain"));
}

TEST(CudaEngine, says_what_this_program_was_built_for) {
  GpuMachine machine = healthy(), bare;
  EXPECT_EQ(findings_of(cuda_engine, machine).size(), 1U);
  EXPECT_TRUE(findings_of(cuda_engine, bare).empty());
}

}  // namespace
}  // namespace premise
