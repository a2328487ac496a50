// The part of NVML's binary interface that Premise uses, declared by ourselves.
//
// NVML (the NVIDIA Management Library, libnvidia-ml.so.1) comes with the driver and is loaded when
// the program runs; its header comes with the CUDA toolkit, which a machine that serves a model
// does not need and a machine that builds Premise need not have. Only functions that fill scalars,
// or structs that NVIDIA promises not to change (their successors have names of their own: _v2,
// _v3), are used; each is optional, since old drivers lack the newer ones.
//
// Source: NVML API reference manual, https://docs.nvidia.com/deploy/nvml-api/ .
#pragma once

namespace premise::nvml {

using Return = int;
using Device = struct DeviceHandle*;

// nvmlReturn_t, the ones that mean something to a user.
inline constexpr Return success = 0;
inline constexpr Return not_supported = 3;
inline constexpr Return no_permission = 4;
inline constexpr Return insufficient_size = 7;
inline constexpr Return insufficient_power = 8;  // an external power cable is missing
inline constexpr Return driver_not_loaded = 9;
inline constexpr Return gpu_is_lost = 15;  // fell off the bus (Xid 79)
inline constexpr Return reset_required = 16;
inline constexpr Return operating_system = 17;  // the control device is blocked (cgroup)
inline constexpr Return version_mismatch = 18;  // library and kernel module are of two releases

// Sizes that the manual guarantees to be enough.
inline constexpr unsigned text_bytes = 96;
inline constexpr unsigned links_max = 36;

inline constexpr int temperature_of_die = 0;
inline constexpr int threshold_slowdown = 1;
inline constexpr int clock_of_memory = 2;
inline constexpr int error_corrected = 0;
inline constexpr int error_uncorrected = 1;
inline constexpr int counter_since_boot = 0;
inline constexpr int counter_of_life = 1;

// Why clocks are below what they could be: bits of nvmlDeviceGetCurrentClocksThrottleReasons.
inline constexpr unsigned long long reason_idle = 0x1;
inline constexpr unsigned long long reason_application_clocks = 0x2;
inline constexpr unsigned long long reason_power_cap = 0x4;
inline constexpr unsigned long long reason_hardware_slowdown = 0x8;
inline constexpr unsigned long long reason_thermal_software = 0x20;
inline constexpr unsigned long long reason_thermal_hardware = 0x40;
inline constexpr unsigned long long reason_power_brake = 0x80;

struct Memory {  // nvmlMemory_t
  unsigned long long total, free, used;
};
static_assert(sizeof(Memory) == 24);

struct PciInfo {  // nvmlPciInfo_t since NVML 9 (nvmlDeviceGetPciInfo_v3)
  char bus_id_legacy[16];
  unsigned int domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};
static_assert(sizeof(PciInfo) == 68);

struct ProcessInfo {  // nvmlProcessInfo_t of the _v3 functions
  unsigned int pid;
  unsigned long long used_bytes;  // ~0 where the driver does not know
  unsigned int gpu_instance, compute_instance;
};
static_assert(sizeof(ProcessInfo) == 24);

}  // namespace premise::nvml
