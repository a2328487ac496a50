// Where NVML lies: the loader's own search finds it after a normal installation and inside a
// container that was given a GPU; under WSL2 it lies in a folder of its own, which distributions do
// not always put into the loader's list.
#include "machine/gpu/nvml_library.h"

#include <dlfcn.h>

namespace premise::nvml {
namespace {

constexpr const char* names[] = {"libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"};

void* open_library() {
  for (const char* name : names) {
    if (void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return handle;
  }
  return nullptr;
}

template <typename Function>
void find(void* handle, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, symbol));
}

Functions find_functions(void* handle) {
  Functions f;
  find(handle, "nvmlInit_v2", f.init);
  find(handle, "nvmlShutdown", f.shutdown);
  find(handle, "nvmlSystemGetDriverVersion", f.driver_version);
  find(handle, "nvmlSystemGetNVMLVersion", f.library_version);
  find(handle, "nvmlSystemGetCudaDriverVersion_v2", f.cuda_version);
  find(handle, "nvmlDeviceGetCount_v2", f.device_count);
  find(handle, "nvmlDeviceGetHandleByIndex_v2", f.device_by_index);
  find(handle, "nvmlSystemGetProcessName", f.process_name);
  find(handle, "nvmlDeviceGetName", f.name);
  find(handle, "nvmlDeviceGetPciInfo_v3", f.pci_info);
  find(handle, "nvmlDeviceGetCudaComputeCapability", f.capability);
  find(handle, "nvmlDeviceGetMemoryInfo", f.memory);
  find(handle, "nvmlDeviceGetMemoryBusWidth", f.memory_bus_width);
  find(handle, "nvmlDeviceGetMaxClockInfo", f.max_clock);
  find(handle, "nvmlDeviceGetEnforcedPowerLimit", f.power_limit);
  find(handle, "nvmlDeviceGetPowerManagementDefaultLimit", f.power_default);
  find(handle, "nvmlDeviceGetPowerManagementLimitConstraints", f.power_bounds);
  find(handle, "nvmlDeviceGetTemperature", f.temperature);
  find(handle, "nvmlDeviceGetTemperatureThreshold", f.temperature_threshold);
  find(handle, "nvmlDeviceGetCurrentClocksThrottleReasons", f.throttle_reasons);
  find(handle, "nvmlDeviceGetCurrPcieLinkGeneration", f.pcie_generation);
  find(handle, "nvmlDeviceGetCurrPcieLinkWidth", f.pcie_width);
  find(handle, "nvmlDeviceGetMaxPcieLinkGeneration", f.pcie_generation_max);
  find(handle, "nvmlDeviceGetMaxPcieLinkWidth", f.pcie_width_max);
  find(handle, "nvmlDeviceGetEccMode", f.ecc_mode);
  find(handle, "nvmlDeviceGetTotalEccErrors", f.ecc_errors);
  find(handle, "nvmlDeviceGetRemappedRows", f.remapped_rows);
  find(handle, "nvmlDeviceGetPersistenceMode", f.persistence);
  find(handle, "nvmlDeviceGetMigMode", f.mig_mode);
  find(handle, "nvmlDeviceGetComputeMode", f.compute_mode);
  find(handle, "nvmlDeviceGetNvLinkState", f.link_state);
  find(handle, "nvmlDeviceGetNvLinkRemotePciInfo_v2", f.link_peer);
  find(handle, "nvmlDeviceGetNvLinkRemoteDeviceType", f.link_peer_type);
  find(handle, "nvmlDeviceGetComputeRunningProcesses_v3", f.compute_processes);
  return f;
}

}  // namespace

std::unique_ptr<Library> Library::load() {
  void* handle = open_library();
  if (!handle) return nullptr;
  const Functions f = find_functions(handle);
  if (!f.init || !f.shutdown || !f.device_count || !f.device_by_index) {
    dlclose(handle);
    return nullptr;
  }
  return std::unique_ptr<Library>(new Library(handle, f));
}

Library::~Library() { dlclose(handle_); }

}  // namespace premise::nvml
