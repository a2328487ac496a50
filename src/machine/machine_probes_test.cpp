// Diagnoses one by one: each is triggered by one small machine and not by its healthy neighbour.
#include <gmock/gmock.h>

#include "machine/machine_testing.h"

namespace premise {

extern const Probe cpu_amx;
extern const Probe cpu_cache;
extern const Probe cpu_isa;
extern const Probe cpu_model;
extern const Probe cpu_numa;
extern const Probe memory_ecc;
extern const Probe network_link;
extern const Probe network_nccl;
extern const Probe network_rdma;
extern const Probe os_clock;
extern const Probe os_control_group;
extern const Probe os_distribution;
extern const Probe os_kernel;
extern const Probe os_pseudo_files;
extern const Probe os_virtualization;
extern const Probe os_windows;
extern const Probe storage_store;

namespace {

using Amx = ProcessorTrial::Amx;
using ::testing::HasSubstr;

std::string cpuinfo(std::string_view vendor, int family, int model, std::string_view flags,
                    std::string_view name = "A processor") {
  return fmt::format(
      "processor\t: 0\nvendor_id\t: {}\ncpu family\t: {}\nmodel\t\t: {}\nmodel name\t: {}\n"
      "flags\t\t: {}\n\n",
      vendor, family, model, name, flags);
}

// Instruction sets

TEST(CpuAmx, is_judged_by_the_trial_and_not_by_the_flag) {
  SmallMachine machine;
  machine.files["/proc/cpuinfo"] =
      cpuinfo("GenuineIntel", 6, 143, "avx2 amx_tile amx_int8 amx_bf16");
  const std::pair<Amx, FindingStatus> cases[] = {{Amx::works, FindingStatus::ok},
                                                 {Amx::refused, FindingStatus::warning},
                                                 {Amx::faulted, FindingStatus::failure},
                                                 {Amx::absent, FindingStatus::info}};
  for (const auto& [amx, status] : cases) {
    machine.trial.amx = amx;
    EXPECT_EQ(ask(cpu_amx, machine).at("cpu.amx").status, status);
  }
}

TEST(CpuIsa, a_hypervisor_that_hides_what_the_chip_has_is_named_with_what_is_hidden) {
  SmallMachine machine;
  machine.trial.widest_isa = "avx2";
  machine.files["/proc/cpuinfo"] = cpuinfo("GenuineIntel", 6, 143, "avx2 hypervisor");
  const Finding hidden = ask(cpu_isa, machine).at("cpu.hypervisor_hides");
  EXPECT_EQ(hidden.status, FindingStatus::warning);
  EXPECT_EQ(std::get<std::string>(hidden.value), "AVX-512, AMX");
  EXPECT_THAT(hidden.fix.en, HasSubstr("host-passthrough"));

  machine.files["/proc/cpuinfo"] = cpuinfo("GenuineIntel", 6, 143, "sse4_2 hypervisor");
  EXPECT_EQ(ask(cpu_isa, machine).at("cpu.hypervisor_hides").status, FindingStatus::failure);

  machine.files["/proc/cpuinfo"] =
      cpuinfo("GenuineIntel", 6, 143, "avx2 avx512f avx512_vnni amx_tile hypervisor");
  EXPECT_EQ(ask(cpu_isa, machine).at("cpu.hypervisor_hides").status, FindingStatus::ok);
}

TEST(CpuIsa, the_remedy_is_that_of_the_hypervisor) {
  SmallMachine machine;
  machine.files["/proc/cpuinfo"] = cpuinfo("AuthenticAMD", 25, 17, "avx2 hypervisor");
  machine.files["/sys/class/dmi/id/sys_vendor"] = "VMware, Inc.";
  EXPECT_THAT(ask(cpu_isa, machine).at("cpu.hypervisor_hides").fix.en, HasSubstr("EVC"));
  machine.files["/sys/class/dmi/id/sys_vendor"] = "Microsoft Corporation";
  machine.files["/sys/class/dmi/id/product_name"] = "Virtual Machine";
  EXPECT_THAT(ask(cpu_isa, machine).at("cpu.hypervisor_hides").fix.en,
              HasSubstr("Set-VMProcessor"));
}

TEST(CpuIsa, avx512_without_vnni_is_said_not_to_be_used) {
  SmallMachine machine;
  machine.trial.widest_isa = "avx2";
  machine.files["/proc/cpuinfo"] = cpuinfo("GenuineIntel", 6, 85, "avx2 avx512f avx512bw");
  EXPECT_EQ(ask(cpu_isa, machine).at("cpu.avx512").status, FindingStatus::info);
  machine.files["/proc/cpuinfo"] = cpuinfo("GenuineIntel", 6, 85, "avx2 avx512f avx512_vnni");
  EXPECT_EQ(ask(cpu_isa, machine).at("cpu.avx512").status, FindingStatus::ok);
}

TEST(CpuModel, threads_are_the_cores_that_mask_and_quota_leave) {
  SmallMachine machine;
  machine.files["/sys/devices/system/cpu/online"] = "0-7\n";
  machine.files["/proc/self/status"] = "Cpus_allowed_list:\t0-5\n";
  const Finding masked = ask(cpu_model, machine).at("cpu.cores");
  EXPECT_EQ(masked.status, FindingStatus::info);
  EXPECT_THAT(masked.why.en, HasSubstr("computes with: 6"));
  machine.files["/proc/self/mountinfo"] = "30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  machine.files["/proc/self/cgroup"] = "0::/\n";
  machine.files["/sys/fs/cgroup/cpu.max"] = "250000 100000\n";
  EXPECT_THAT(ask(cpu_model, machine).at("cpu.cores").why.en, HasSubstr("computes with: 2"));
}

TEST(CpuCache, counts_a_shared_cache_once_and_adds_those_that_are_not) {
  SmallMachine machine;
  EXPECT_EQ(ask(cpu_cache, machine).at("cpu.cache").status, FindingStatus::info);
  machine.files["/sys/devices/system/cpu/online"] = "0-3\n";
  for (const char cpu : {'0', '1', '2', '3'}) {
    const std::string top = std::string("/sys/devices/system/cpu/cpu") + cpu + "/cache/";
    const std::string pair = cpu < '2' ? "0-1" : "2-3";  // two cores of two threads
    const auto put = [&](const char* index, const char* level, const char* type, const char* size,
                         const std::string& users) {
      const std::string folder = top + index + "/";
      machine.files[folder + "level"] = level;
      machine.files[folder + "type"] = type;
      machine.files[folder + "size"] = size;
      machine.files[folder + "shared_cpu_list"] = users;
    };
    put("index0", "1", "Data\n", "48K\n", pair);
    put("index1", "1", "Instruction\n", "32K\n", pair);
    put("index2", "2", "Unified\n", "2048K\n", pair);
    put("index3", "3", "Unified\n", "30720K\n", "0-3");
    put("index4", "four", "Unified\n", "999999999999999999M\n", "0-3");
  }
  const Finding found = ask(cpu_cache, machine).at("cpu.cache");
  EXPECT_EQ(found.why.en, "L1d 96 KiB (2×), L1i 64 KiB (2×), L2 4 MiB (2×), L3 30 MiB");
  EXPECT_EQ(std::get<std::int64_t>(found.value), 30 << 20);
}

TEST(OsPseudoFiles, that_are_not_mounted_are_a_warning_with_the_mount_that_is_missing) {
  SmallMachine machine;
  machine.files["/proc/meminfo"] = "MemTotal: 1 kB\n";
  const Finding without_sys = ask(os_pseudo_files, machine).at("os.pseudo_files");
  EXPECT_EQ(without_sys.status, FindingStatus::warning);
  EXPECT_EQ(without_sys.fix.en, "sudo mount -t sysfs sysfs /sys");
  machine.files["/sys/devices/system/cpu/online"] = "0\n";
  EXPECT_EQ(ask(os_pseudo_files, machine).at("os.pseudo_files").status, FindingStatus::ok);
}

TEST(CpuNuma, a_socket_without_memory_is_a_warning) {
  SmallMachine machine;
  machine.files["/sys/devices/system/node/online"] = "0-1\n";
  machine.files["/sys/devices/system/node/node0/meminfo"] = "Node 0 MemTotal:  1000000 kB\n";
  EXPECT_EQ(ask(cpu_numa, machine).at("cpu.numa").status, FindingStatus::warning);
  machine.files["/sys/devices/system/node/node1/meminfo"] = "Node 1 MemTotal:  1000000 kB\n";
  EXPECT_EQ(ask(cpu_numa, machine).at("cpu.numa").status, FindingStatus::info);
}

// Operating system

FindingStatus distribution(std::string_view id, std::string_view version,
                           std::string_view name = "x") {
  SmallMachine machine;
  machine.files["/etc/os-release"] =
      fmt::format("ID={}\nVERSION_ID=\"{}\"\nPRETTY_NAME='{}'\n", id, version, name);
  return ask(os_distribution, machine).at("os.distribution").status;
}

TEST(OsDistribution, knows_the_good_ones_from_their_first_good_release) {
  for (const auto& [id, version] : {std::pair{"ubuntu", "20.04"},
                                    {"ubuntu", "24.04"},
                                    {"debian", "12"},
                                    {"debian", "13"},
                                    {"centos", "8"},
                                    {"rhel", "9.4"},
                                    {"rocky", "8.10"},
                                    {"almalinux", "9.3"}})
    EXPECT_EQ(distribution(id, version), FindingStatus::ok) << id << version;
  for (const auto& [id, version] :
       {std::pair{"ubuntu", "18.04"}, {"debian", "11"}, {"centos", "7"}, {"rhel", "7.9"}})
    EXPECT_EQ(distribution(id, version), FindingStatus::warning) << id << version;
  for (const auto& [id, version] :
       {std::pair{"ubuntu", "24.10"}, {"ubuntu", "25.04"}, {"arch", ""}})
    EXPECT_EQ(distribution(id, version), FindingStatus::info) << id << version;
}

TEST(OsDistribution, centos_stream_is_not_centos_linux) {
  SmallMachine machine;
  machine.files["/etc/os-release"] = "ID=centos\nVERSION_ID=8\nPRETTY_NAME=\"CentOS Linux 8\"\n";
  EXPECT_EQ(ask(os_distribution, machine).at("os.updates").status, FindingStatus::warning);
  machine.files["/etc/os-release"] = "ID=centos\nVERSION_ID=8\nPRETTY_NAME=\"CentOS Stream 8\"\n";
  EXPECT_EQ(ask(os_distribution, machine).at("os.updates").status, FindingStatus::ok);
}

TEST(OsKernel, older_than_4_18_is_a_warning) {
  SmallMachine machine;
  machine.files["/proc/sys/kernel/osrelease"] = "3.10.0-1160.el7.x86_64\n";
  EXPECT_EQ(ask(os_kernel, machine).at("os.kernel").status, FindingStatus::warning);
  machine.files["/proc/sys/kernel/osrelease"] = "4.18.0\n";
  EXPECT_EQ(ask(os_kernel, machine).at("os.kernel").status, FindingStatus::ok);
}

TEST(OsVirtualization, knows_containers_by_what_they_leave) {
  const auto kind = [](SmallMachine& machine) {
    return std::get<std::string>(ask(os_virtualization, machine).at("os.container").value);
  };
  SmallMachine none;
  SmallMachine docker;
  docker.files["/.dockerenv"] = "";
  SmallMachine podman;
  podman.files["/run/.containerenv"] = "";
  SmallMachine pod;
  pod.files["/proc/self/cgroup"] = "5:cpu:/kubepods/besteffort/pod1/x\n";
  SmallMachine lxc;
  lxc.variables["container"] = "lxc";
  EXPECT_EQ(kind(none), "none");
  EXPECT_EQ(kind(docker), "docker");
  EXPECT_EQ(kind(podman), "podman");
  EXPECT_EQ(kind(pod), "kubernetes");
  EXPECT_EQ(kind(lxc), "lxc");
}

TEST(OsWindows, version_1_of_wsl_is_a_failure_and_an_old_windows_a_warning) {
  SmallMachine machine;
  machine.files["/proc/sys/kernel/osrelease"] = "4.4.0-19041-Microsoft\n";
  EXPECT_EQ(ask(os_windows, machine).at("os.wsl").status, FindingStatus::failure);
  machine.files["/proc/sys/kernel/osrelease"] = "5.15.1-microsoft-standard-WSL2\n";
  const std::string key = R"(HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion)";
  EXPECT_EQ(ask(os_windows, machine).at("os.windows").status, FindingStatus::info);
  machine.says({"reg.exe", "query", key, "/v", "EditionID"},
               "\r\n    EditionID    REG_SZ    Professional\r\n");
  machine.says({"reg.exe", "query", key, "/v", "CurrentBuildNumber"},
               "\r\n    CurrentBuildNumber    REG_SZ    18363\r\n");
  EXPECT_EQ(ask(os_windows, machine).at("os.windows").status, FindingStatus::warning);
  machine.says({"reg.exe", "query", key, "/v", "CurrentBuildNumber"},
               "\r\n    CurrentBuildNumber    REG_SZ    19045\r\n");
  const Finding windows = ask(os_windows, machine).at("os.windows");
  EXPECT_EQ(windows.status, FindingStatus::ok);
  EXPECT_THAT(windows.why.en, HasSubstr("Windows 10 Professional"));
}

TEST(OsClock, a_command_that_hangs_leaves_the_question_open) {
  SmallMachine machine;
  const std::vector<std::string> argv{"timedatectl", "show", "--property=NTPSynchronized",
                                      "--value"};
  machine.commands[argv] = {CommandState::timed_out, -1, {}, {}};
  EXPECT_EQ(ask(os_clock, machine).at("os.time_sync").status, FindingStatus::info);
  machine.says(argv, "no\n");
  EXPECT_EQ(ask(os_clock, machine).at("os.time_sync").status, FindingStatus::warning);
  machine.says(argv, "yes\n");
  EXPECT_EQ(ask(os_clock, machine).at("os.time_sync").status, FindingStatus::ok);
}

SmallMachine machine_with_group(std::string_view limit) {
  SmallMachine machine;
  machine.files["/proc/meminfo"] = "MemTotal:       32000000 kB\n";
  machine.files["/proc/self/mountinfo"] = "30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  machine.files["/proc/self/cgroup"] = "0::/a/b\n";
  machine.files["/sys/fs/cgroup/a/memory.max"] = std::string(limit);
  return machine;
}

TEST(OsControlGroup, a_limit_of_a_group_above_counts_and_may_promise_too_much) {
  SmallMachine fine = machine_with_group("16000000000");
  EXPECT_EQ(ask(os_control_group, fine).at("os.memory_limit").status, FindingStatus::info);
  SmallMachine over = machine_with_group("64000000000");
  const Finding finding = ask(os_control_group, over).at("os.memory_limit");
  EXPECT_EQ(finding.status, FindingStatus::warning);
  EXPECT_THAT(finding.why.en, HasSubstr("overcommitted"));
  SmallMachine none = machine_with_group("max");
  EXPECT_EQ(ask(os_control_group, none).at("os.memory_limit").status, FindingStatus::ok);
}

TEST(OsControlGroup, memory_that_is_nearly_used_up_is_a_warning_and_page_cache_is_not_used_up) {
  SmallMachine machine = machine_with_group("16000000000");
  machine.files["/sys/fs/cgroup/a/memory.current"] = "15500000000\n";
  EXPECT_EQ(ask(os_control_group, machine).at("os.memory_limit").status, FindingStatus::warning);
  machine.files["/sys/fs/cgroup/a/memory.stat"] = "anon 500000000\ninactive_file 15000000000\n";
  EXPECT_EQ(ask(os_control_group, machine).at("os.memory_limit").status, FindingStatus::info);
}

// Memory, storage

TEST(MemoryEcc, an_error_that_could_not_be_corrected_is_a_failure) {
  SmallMachine machine;
  const std::string controller = "/sys/devices/system/edac/mc/mc0/";
  machine.files[controller + "ce_count"] = "0\n";
  machine.files[controller + "ue_count"] = "1\n";
  EXPECT_EQ(ask(memory_ecc, machine).at("memory.ecc").status, FindingStatus::failure);
  machine.files[controller + "ue_count"] = "0\n";
  EXPECT_EQ(ask(memory_ecc, machine).at("memory.ecc").status, FindingStatus::info);
  machine.files[controller + "dimm0/dimm_edac_mode"] = "SECDED\n";
  EXPECT_EQ(ask(memory_ecc, machine).at("memory.ecc").status, FindingStatus::ok);
}

SmallMachine machine_with_mount(std::string_view line) {
  SmallMachine machine;
  machine.store = "/data/premise";
  machine.file_systems["/data"] = {.total_bytes = 4'000'000'000'000,
                                   .available_bytes = 2'000'000'000'000};
  machine.files["/proc/self/mountinfo"] =
      "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + std::string(line) + "\n";
  return machine;
}

TEST(StorageStore, knows_network_memory_and_foreign_mounts_by_their_type) {
  const std::pair<const char*, const char*> mounts[] = {
      {"30 20 0:50 / /data rw - nfs4 nas:/export rw", "network"},
      {"30 20 0:50 / /data rw - fuse.juicefs JuiceFS:x rw", "network"},
      {"30 20 0:50 / /data rw - tmpfs tmpfs rw", "memory"},
      {"30 20 0:50 / /data rw - overlay overlay rw", "container_layer"}};
  for (const auto& [line, kind] : mounts) {
    SmallMachine machine = machine_with_mount(line);
    const Finding finding = ask(storage_store, machine).at("storage.store");
    EXPECT_EQ(finding.status, FindingStatus::warning) << kind;
    EXPECT_EQ(std::get<std::string>(finding.value), kind);
  }
}

TEST(StorageStore, nvme_over_fabrics_is_the_network) {
  SmallMachine machine = machine_with_mount("30 20 259:1 / /data rw - xfs /dev/nvme2n1 rw");
  machine.files["/sys/block/nvme2n1/size"] = "1000\n";
  machine.files["/sys/class/nvme/nvme2/transport"] = "pcie\n";
  EXPECT_EQ(std::get<std::string>(ask(storage_store, machine).at("storage.store").value), "nvme");
  machine.files["/sys/class/nvme/nvme2/transport"] = "tcp\n";
  EXPECT_EQ(std::get<std::string>(ask(storage_store, machine).at("storage.store").value),
            "network");
}

TEST(StorageStore, a_later_mount_hides_an_earlier_one_and_names_do_not_match_halfway) {
  SmallMachine machine = machine_with_mount(
      "30 20 0:50 / /data rw - nfs4 nas:/a rw\n31 20 0:51 / /data rw - tmpfs t rw\n"
      "32 20 0:52 / /data/pre rw - overlay o rw");
  EXPECT_EQ(std::get<std::string>(ask(storage_store, machine).at("storage.store").value), "memory");
}

TEST(StorageStore, a_share_that_does_not_answer_is_a_failure) {
  SmallMachine machine = machine_with_mount("30 20 0:50 / /data rw - nfs4 nas:/export rw");
  machine.file_systems["/data/premise"] = {.silent = true};
  EXPECT_EQ(ask(storage_store, machine).at("storage.store").status, FindingStatus::failure);
}

TEST(StorageStore, a_folder_that_may_not_be_written_is_a_failure_with_a_remedy) {
  SmallMachine machine = machine_with_mount("30 20 8:2 / /data rw - ext4 /dev/sda2 rw");
  machine.says({"test", "-w", "/data"}, "", 1);
  const Finding finding = ask(storage_store, machine).at("storage.writable");
  EXPECT_EQ(finding.status, FindingStatus::failure);
  EXPECT_THAT(finding.fix.en, HasSubstr("PREMISE_HOME"));
  machine.says({"test", "-w", "/data"}, "", 0);
  EXPECT_EQ(ask(storage_store, machine).at("storage.writable").status, FindingStatus::ok);
}

TEST(StorageStore, without_any_folder_says_what_to_set) {
  SmallMachine machine;
  EXPECT_EQ(ask(storage_store, machine).at("storage.store").status, FindingStatus::warning);
}

// Network

TEST(NetworkLink, below_a_gigabit_is_a_warning_and_bridges_are_left_out) {
  SmallMachine machine;
  for (const char* name : {"eno1", "docker0", "veth12", "lo"}) {
    const std::string folder = std::string("/sys/class/net/") + name + "/";
    machine.files[folder + "operstate"] = "up\n";
    machine.files[folder + "speed"] = "100\n";
  }
  machine.files["/sys/class/net/eno1/device/uevent"] = "";
  auto findings = ask(network_link, machine);
  EXPECT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings.at("network.link.eno1").status, FindingStatus::warning);
  machine.files["/sys/class/net/eno1/speed"] = "1000\n";
  EXPECT_EQ(ask(network_link, machine).at("network.link.eno1").status, FindingStatus::ok);
}

TEST(NetworkLink, half_duplex_is_a_warning_and_driver_and_mtu_are_named) {
  SmallMachine machine;
  machine.files["/sys/class/net/eno1/operstate"] = "up\n";
  machine.files["/sys/class/net/eno1/speed"] = "1000\n";
  machine.files["/sys/class/net/eno1/duplex"] = "half\n";
  machine.files["/sys/class/net/eno1/mtu"] = "9000\n";
  machine.links["/sys/class/net/eno1/device/driver"] = "../../../bus/pci/drivers/ixgbe";
  EXPECT_EQ(ask(network_link, machine).at("network.link.eno1").status, FindingStatus::warning);
  machine.files["/sys/class/net/eno1/duplex"] = "full\n";
  const Finding full = ask(network_link, machine).at("network.link.eno1");
  EXPECT_EQ(full.status, FindingStatus::ok);
  EXPECT_EQ(full.why.en, "eno1 (ixgbe, MTU 9000): 1 Gb/s");
}

SmallMachine machine_with_rdma(std::string_view layer, std::string_view rate) {
  SmallMachine machine;
  const std::string port = "/sys/class/infiniband/mlx5_0/ports/1/";
  machine.files[port + "state"] = "4: ACTIVE\n";
  machine.files[port + "link_layer"] = std::string(layer);
  machine.files[port + "rate"] = std::string(rate);
  machine.files["/dev/infiniband/uverbs0"] = "";
  machine.files["/proc/self/limits"] =
      "Max locked memory         unlimited            unlimited            bytes\n";
  machine.says({"ldconfig", "-p"}, "\tlibibverbs.so.1 => /lib/libibverbs.so.1\n");
  return machine;
}

TEST(NetworkRdma, all_is_well_with_a_fast_port_nodes_and_unlimited_memlock) {
  SmallMachine machine = machine_with_rdma("InfiniBand", "400 Gb/sec (4X NDR)");
  for (const auto& [id, finding] : ask(network_rdma, machine))
    EXPECT_EQ(finding.status, FindingStatus::ok) << id;
}

TEST(NetworkRdma, too_little_memlock_says_what_ibv_reg_mr_will_say) {
  SmallMachine machine = machine_with_rdma("InfiniBand", "400 Gb/sec (4X NDR)");
  machine.files["/proc/self/limits"] =
      "Max locked memory         8388608              8388608              bytes\n";
  const Finding finding = ask(network_rdma, machine).at("network.rdma_memlock");
  EXPECT_EQ(finding.status, FindingStatus::failure);
  EXPECT_THAT(finding.why.en, HasSubstr("memlock is too low for RDMA"));
  EXPECT_THAT(finding.fix.en, HasSubstr("memlock unlimited"));
}

TEST(NetworkRdma, a_card_that_programs_cannot_reach_is_a_failure) {
  SmallMachine machine = machine_with_rdma("InfiniBand", "100 Gb/sec (4X EDR)");
  machine.says({"ldconfig", "-p"}, "\tlibc.so.6 => /lib/libc.so.6\n");
  EXPECT_EQ(ask(network_rdma, machine).at("network.rdma_usable").status, FindingStatus::failure);
  machine.files.erase("/dev/infiniband/uverbs0");
  EXPECT_THAT(ask(network_rdma, machine).at("network.rdma_usable").fix.en, HasSubstr("modprobe"));
}

TEST(NetworkRdma, a_port_that_is_down_or_slow_is_a_warning) {
  SmallMachine machine = machine_with_rdma("InfiniBand", "40 Gb/sec (4X QDR)");
  EXPECT_EQ(ask(network_rdma, machine).at("network.rdma.mlx5_0").status, FindingStatus::warning);
  machine.files["/sys/class/infiniband/mlx5_0/ports/1/state"] = "1: DOWN\n";
  EXPECT_EQ(ask(network_rdma, machine).at("network.rdma.mlx5_0").status, FindingStatus::warning);
}

TEST(NetworkNccl, prints_the_variables_that_fit) {
  SmallMachine machine = machine_with_rdma("Ethernet", "100 Gb/sec (4X EDR)");
  for (const char* name : {"docker0", "eno1"})
    machine.files[std::string("/sys/class/net/") + name + "/operstate"] = "up\n";
  const std::string types = "/sys/class/infiniband/mlx5_0/ports/1/gid_attrs/types/";
  machine.files[types + "0"] = "IB/RoCE v1\n";
  machine.files[types + "1"] = "RoCE v2\n";
  machine.files[types + "3"] = "RoCE v2\n";
  EXPECT_EQ(ask(network_nccl, machine).at("network.nccl").fix.en,
            "export NCCL_SOCKET_IFNAME=eno1 NCCL_IB_DISABLE=0 NCCL_IB_HCA==mlx5_0:1 "
            "NCCL_IB_GID_INDEX=3");
  SmallMachine plain;
  plain.files["/sys/class/net/eth0/operstate"] = "up\n";
  EXPECT_EQ(ask(network_nccl, plain).at("network.nccl").fix.en,
            "export NCCL_SOCKET_IFNAME=eth0 NCCL_IB_DISABLE=1");
}

}  // namespace
}  // namespace premise
