// Every question to NVML, one after another. A card that refuses a question leaves that value out;
// a card that refuses everything (it fell off the bus, its power cable is missing) is still a card,
// with the code of the refusal.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <tuple>
#include <type_traits>

#include "machine/gpu/nvml_library.h"
#include "machine/gpu/nvml_report.h"

namespace premise {
namespace {

using nvml::Device;
using nvml::Functions;
using nvml::Return;

constexpr unsigned gpus_asked_max = 64;
constexpr unsigned processes_max = 256;

NvmlState state_of(Return code) {
  switch (code) {
    case nvml::success:
      return NvmlState::ok;
    case nvml::driver_not_loaded:
      return NvmlState::driver_not_loaded;
    case nvml::version_mismatch:
      return NvmlState::version_mismatch;
    case nvml::no_permission:
    case nvml::operating_system:
      return NvmlState::no_permission;
    default:
      return NvmlState::failed;
  }
}

// A function whose last argument takes one number, and what the number becomes.
template <typename Value, typename... Parameters, typename... Fixed>
std::optional<Value> ask(Return (*function)(Parameters...), Device device, Fixed... fixed) {
  using Last = std::tuple_element_t<sizeof...(Parameters) - 1, std::tuple<Parameters...>>;
  std::remove_pointer_t<Last> raw{};
  if (!function || function(device, fixed..., &raw) != nvml::success) return std::nullopt;
  return static_cast<Value>(raw);
}

std::string text_of(const char* text, std::size_t capacity) {
  return {text, strnlen(text, capacity)};
}

std::optional<std::string> ask_text(Return (*function)(char*, unsigned)) {
  std::array<char, nvml::text_bytes> text{};
  if (!function || function(text.data(), text.size()) != nvml::success) return std::nullopt;
  return text_of(text.data(), text.size());
}

// NVML writes "00000000:01:00.0", Linux names the same device "0000:01:00.0".
std::string linux_bus_id(const nvml::PciInfo& pci) {
  std::string id = text_of(pci.bus_id, sizeof pci.bus_id);
  std::transform(id.begin(), id.end(), id.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (id.size() == 16 && id.starts_with("0000")) id.erase(0, 4);
  return id;
}

void ask_identity(const Functions& f, Device device, NvmlGpu& gpu) {
  std::array<char, nvml::text_bytes> name{};
  if (f.name && f.name(device, name.data(), name.size()) == nvml::success) {
    gpu.name = text_of(name.data(), name.size());
  }
  nvml::PciInfo pci{};
  if (f.pci_info && f.pci_info(device, &pci) == nvml::success) gpu.bus_id = linux_bus_id(pci);
  Version capability;
  if (f.capability && f.capability(device, &capability.major, &capability.minor) == nvml::success) {
    gpu.capability = capability;
  }
}

void ask_memory(const Functions& f, Device device, NvmlGpu& gpu) {
  nvml::Memory memory{};
  if (f.memory && f.memory(device, &memory) == nvml::success) {
    gpu.memory_total_bytes = memory.total;
    gpu.memory_used_bytes = memory.used;
  }
  gpu.memory_bus_bits = ask<std::int64_t>(f.memory_bus_width, device);
  gpu.memory_clock_mhz_max = ask<std::int64_t>(f.max_clock, device, nvml::clock_of_memory);
}

void ask_power(const Functions& f, Device device, NvmlGpu& gpu) {
  const auto watts = [](std::optional<double> milliwatts) -> std::optional<double> {
    if (!milliwatts) return std::nullopt;
    return *milliwatts / 1000;
  };
  gpu.power_limit_watts = watts(ask<double>(f.power_limit, device));
  gpu.power_default_watts = watts(ask<double>(f.power_default, device));
  unsigned least = 0, most = 0;
  if (f.power_bounds && f.power_bounds(device, &least, &most) == nvml::success) {
    gpu.power_max_watts = watts(most);
  }
  gpu.temperature_celsius = ask<std::int64_t>(f.temperature, device, nvml::temperature_of_die);
  gpu.slowdown_celsius =
      ask<std::int64_t>(f.temperature_threshold, device, nvml::threshold_slowdown);
  gpu.throttle_reasons = ask<std::uint64_t>(f.throttle_reasons, device);
}

void ask_bus(const Functions& f, Device device, NvmlGpu& gpu) {
  gpu.pcie_generation = ask<std::int64_t>(f.pcie_generation, device);
  gpu.pcie_width = ask<std::int64_t>(f.pcie_width, device);
  gpu.pcie_generation_max = ask<std::int64_t>(f.pcie_generation_max, device);
  gpu.pcie_width_max = ask<std::int64_t>(f.pcie_width_max, device);
}

void ask_health(const Functions& f, Device device, NvmlGpu& gpu) {
  int now = 0, after_reset = 0;
  if (f.ecc_mode && f.ecc_mode(device, &now, &after_reset) == nvml::success) gpu.ecc = now != 0;
  if (gpu.ecc == true) {
    const auto count = [&](int kind, int counter) {
      return ask<std::uint64_t>(f.ecc_errors, device, kind, counter);
    };
    gpu.ecc_corrected = count(nvml::error_corrected, nvml::counter_since_boot);
    gpu.ecc_uncorrected = count(nvml::error_uncorrected, nvml::counter_since_boot);
    gpu.ecc_uncorrected_total = count(nvml::error_uncorrected, nvml::counter_of_life);
  }
  unsigned corrected = 0, uncorrected = 0, pending = 0, failed = 0;
  if (f.remapped_rows &&
      f.remapped_rows(device, &corrected, &uncorrected, &pending, &failed) == nvml::success) {
    gpu.remap_pending = pending != 0;
    gpu.remap_failed = failed != 0;
  }
}

void ask_modes(const Functions& f, Device device, NvmlGpu& gpu) {
  gpu.persistence = ask<bool>(f.persistence, device);
  gpu.compute_mode = ask<std::int64_t>(f.compute_mode, device);
  unsigned now = 0, pending = 0;
  if (f.mig_mode && f.mig_mode(device, &now, &pending) == nvml::success) gpu.mig = now != 0;
}

NvmlLink::Peer peer_of(int type) {
  switch (type) {
    case 0:
      return NvmlLink::Peer::gpu;
    case 1:
      return NvmlLink::Peer::processor;
    case 2:
      return NvmlLink::Peer::nvswitch;
    default:
      return NvmlLink::Peer::unknown;
  }
}

void ask_links(const Functions& f, Device device, NvmlGpu& gpu) {
  if (!f.link_state) return;
  for (unsigned index = 0; index < nvml::links_max; ++index) {
    int active = 0;
    if (f.link_state(device, index, &active) != nvml::success) continue;
    NvmlLink link{.link = index, .active = active != 0, .peer_bus_id = {}};
    int type = 0;
    if (f.link_peer_type && f.link_peer_type(device, index, &type) == nvml::success) {
      link.peer = peer_of(type);
    }
    nvml::PciInfo pci{};
    if (link.active && f.link_peer && f.link_peer(device, index, &pci) == nvml::success) {
      link.peer_bus_id = linux_bus_id(pci);
    }
    gpu.links.push_back(std::move(link));
  }
}

// Only the name of the program: its folder may hold a user's name.
std::string name_of_process(const Functions& f, unsigned pid) {
  std::array<char, 1024> path{};
  if (!f.process_name || f.process_name(pid, path.data(), path.size()) != nvml::success) return {};
  std::string name = text_of(path.data(), path.size());
  name = name.substr(0, name.find(' '));
  return name.substr(name.rfind('/') + 1).substr(0, nvml::text_bytes);
}

void ask_processes(const Functions& f, Device device, NvmlGpu& gpu) {
  if (!f.compute_processes) return;
  std::vector<nvml::ProcessInfo> infos(processes_max);
  unsigned count = processes_max;
  if (f.compute_processes(device, &count, infos.data()) != nvml::success) return;
  for (unsigned i = 0; i < std::min(count, processes_max); ++i) {
    NvmlProcess process{
        .pid = infos[i].pid, .name = name_of_process(f, infos[i].pid), .memory_bytes = {}};
    if (infos[i].used_bytes != ~0ULL) process.memory_bytes = infos[i].used_bytes;
    gpu.processes.push_back(std::move(process));
  }
}

NvmlGpu ask_gpu(const Functions& f, unsigned index) {
  NvmlGpu gpu;
  Device device = nullptr;
  if (const Return code = f.device_by_index(index, &device); code != nvml::success) {
    gpu.error = code;
    return gpu;
  }
  ask_identity(f, device, gpu);
  ask_memory(f, device, gpu);
  ask_power(f, device, gpu);
  ask_bus(f, device, gpu);
  ask_health(f, device, gpu);
  ask_modes(f, device, gpu);
  ask_links(f, device, gpu);
  ask_processes(f, device, gpu);
  return gpu;
}

}  // namespace

std::string_view name_of(NvmlState state) {
  switch (state) {
    case NvmlState::ok:
      return "ok";
    case NvmlState::driver_not_loaded:
      return "driver_not_loaded";
    case NvmlState::version_mismatch:
      return "version_mismatch";
    case NvmlState::no_permission:
      return "no_permission";
    case NvmlState::timed_out:
      return "timed_out";
    case NvmlState::failed:
      break;
  }
  return "failed";
}

NvmlReport query_nvml(const nvml::Functions& f) {
  NvmlReport report;
  report.library_version = ask_text(f.library_version);
  if (const Return code = f.init(); code != nvml::success) {
    report.state = state_of(code);
    report.error = code;
    return report;
  }
  report.driver_version = ask_text(f.driver_version);
  if (int cuda = 0; f.cuda_version && f.cuda_version(&cuda) == nvml::success && cuda > 0) {
    report.cuda_version = Version{cuda / 1000, cuda % 1000 / 10, 0};
  }
  unsigned count = 0;
  const Return counted = f.device_count(&count);
  report.state = state_of(counted);
  report.error = counted;
  if (counted == nvml::success) {
    for (unsigned i = 0; i < std::min(count, gpus_asked_max); ++i)
      report.gpus.push_back(ask_gpu(f, i));
  }
  f.shutdown();
  return report;
}

std::optional<NvmlReport> query_nvml() {
  const std::unique_ptr<nvml::Library> library = nvml::Library::load();
  if (!library) return std::nullopt;
  return query_nvml(library->functions());
}

}  // namespace premise
