// What NVML says of the GPUs of a machine, as plain data, and its JSON form (nvml.json of a
// recording). Both live and recorded machines hand the JSON over, so that there is one way in.
//
// A value that the driver does not give ("not supported": half of them on a desktop card) is
// nothing, never zero: "no ECC errors" and "no ECC" are different findings.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "machine/compatibility/version.h"

namespace premise {

enum class NvmlState {
  ok,
  driver_not_loaded,
  version_mismatch,  // "Driver/library version mismatch": updated, not rebooted
  no_permission,     // device nodes or cgroup refuse
  timed_out,         // the driver hangs
  failed,            // any other code, in `error`
};
std::string_view name_of(NvmlState state);

struct NvmlProcess {
  std::uint32_t pid = 0;
  std::string name{};  // without its folder; empty where it may not be read (another container)
  std::optional<std::uint64_t> memory_bytes{};

  bool operator==(const NvmlProcess&) const = default;
};

struct NvmlLink {
  enum class Peer { unknown, gpu, nvswitch, processor };
  unsigned link = 0;
  bool active = false;
  Peer peer = Peer::unknown;
  std::string peer_bus_id{};  // as NvmlGpu::bus_id, where the peer has one

  bool operator==(const NvmlLink&) const = default;
};

struct NvmlGpu {
  std::optional<std::int64_t> error{};  // the code with which NVML refused the whole card
  std::optional<std::string> name{};
  std::optional<std::string> bus_id{};  // as in /sys/bus/pci/devices: "0000:01:00.0"
  std::optional<Version> capability{};  // 8.6
  std::optional<std::uint64_t> memory_total_bytes{};
  std::optional<std::uint64_t> memory_used_bytes{};
  std::optional<std::int64_t> memory_bus_bits{};
  std::optional<std::int64_t> memory_clock_mhz_max{};
  std::optional<double> power_limit_watts{};    // what holds now
  std::optional<double> power_default_watts{};  // what the card is made for
  std::optional<double> power_max_watts{};
  std::optional<std::int64_t> temperature_celsius{};
  std::optional<std::int64_t> slowdown_celsius{};
  std::optional<std::uint64_t> throttle_reasons{};  // bits: nvml_abi.h
  std::optional<std::int64_t> pcie_generation{};    // at this moment: falls while a card idles
  std::optional<std::int64_t> pcie_width{};
  std::optional<std::int64_t> pcie_generation_max{};
  std::optional<std::int64_t> pcie_width_max{};
  std::optional<bool> ecc{};
  std::optional<std::uint64_t> ecc_corrected{};          // since the driver was loaded
  std::optional<std::uint64_t> ecc_uncorrected{};        // since the driver was loaded
  std::optional<std::uint64_t> ecc_uncorrected_total{};  // in the life of the card
  std::optional<bool> remap_pending{};
  std::optional<bool> remap_failed{};
  std::optional<bool> persistence{};
  std::optional<bool> mig{};
  std::optional<std::int64_t> compute_mode{};  // 0 default, 2 prohibited, 3 exclusive process
  std::vector<NvmlLink> links{};
  std::vector<NvmlProcess> processes{};

  bool operator==(const NvmlGpu&) const = default;
};

struct NvmlReport {
  NvmlState state = NvmlState::ok;
  std::int64_t error = 0;  // NVML's code where the state is not ok
  std::optional<std::string> driver_version{};
  std::optional<std::string> library_version{};
  std::optional<Version> cuda_version{};  // the newest CUDA that the driver runs
  std::vector<NvmlGpu> gpus{};

  bool operator==(const NvmlReport&) const = default;
};

/// Loads NVML and asks for everything above. Nothing where no NVML library is installed. Blocks for
/// as long as the driver does: ask_nvml() does not.
std::optional<NvmlReport> query_nvml();

/// query_nvml() in a child process of its own, as JSON; a child that does not answer in time is
/// killed and the state is `timed_out`. A driver in trouble blocks whoever asks it beyond the reach
/// of signals, so a thread would not do: the program could never end.
std::optional<std::string> ask_nvml(
    std::chrono::milliseconds time_limit = std::chrono::milliseconds{5000});

std::string nvml_to_json(const NvmlReport& report);

/// Reads what nvml_to_json() wrote, or a person. Every type, count and size is checked; unknown
/// keys are left alone, since a later Premise may have recorded them.
Result<NvmlReport> parse_nvml_json(std::string_view json);

}  // namespace premise
