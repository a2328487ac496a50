// NVML's functions, found when the program runs. Each is nothing where the installed driver does
// not have it; what is missing is simply not asked.
#pragma once

#include <memory>

#include "machine/gpu/nvml_abi.h"
#include "machine/gpu/nvml_report.h"

namespace premise::nvml {

struct Functions {
  Return (*init)() = nullptr;
  Return (*shutdown)() = nullptr;
  Return (*driver_version)(char*, unsigned) = nullptr;
  Return (*library_version)(char*, unsigned) = nullptr;
  Return (*cuda_version)(int*) = nullptr;
  Return (*device_count)(unsigned*) = nullptr;
  Return (*device_by_index)(unsigned, Device*) = nullptr;
  Return (*process_name)(unsigned, char*, unsigned) = nullptr;

  Return (*name)(Device, char*, unsigned) = nullptr;
  Return (*pci_info)(Device, PciInfo*) = nullptr;
  Return (*capability)(Device, int*, int*) = nullptr;
  Return (*memory)(Device, Memory*) = nullptr;
  Return (*memory_bus_width)(Device, unsigned*) = nullptr;
  Return (*max_clock)(Device, int, unsigned*) = nullptr;
  Return (*power_limit)(Device, unsigned*) = nullptr;
  Return (*power_default)(Device, unsigned*) = nullptr;
  Return (*power_bounds)(Device, unsigned*, unsigned*) = nullptr;
  Return (*temperature)(Device, int, unsigned*) = nullptr;
  Return (*temperature_threshold)(Device, int, unsigned*) = nullptr;
  Return (*throttle_reasons)(Device, unsigned long long*) = nullptr;
  Return (*pcie_generation)(Device, unsigned*) = nullptr;
  Return (*pcie_width)(Device, unsigned*) = nullptr;
  Return (*pcie_generation_max)(Device, unsigned*) = nullptr;
  Return (*pcie_width_max)(Device, unsigned*) = nullptr;
  Return (*ecc_mode)(Device, int*, int*) = nullptr;
  Return (*ecc_errors)(Device, int, int, unsigned long long*) = nullptr;
  Return (*remapped_rows)(Device, unsigned*, unsigned*, unsigned*, unsigned*) = nullptr;
  Return (*persistence)(Device, int*) = nullptr;
  Return (*mig_mode)(Device, unsigned*, unsigned*) = nullptr;
  Return (*compute_mode)(Device, int*) = nullptr;
  Return (*link_state)(Device, unsigned, int*) = nullptr;
  Return (*link_peer)(Device, unsigned, PciInfo*) = nullptr;
  Return (*link_peer_type)(Device, unsigned, int*) = nullptr;
  Return (*compute_processes)(Device, unsigned*, ProcessInfo*) = nullptr;
};

/// Holds the library open. Not initialized yet: init() may fail, and its code is the diagnosis.
class Library {
 public:
  /// Nothing where no NVML is installed, or it lacks the functions without which nothing works.
  static std::unique_ptr<Library> load();
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const Functions& functions() const { return functions_; }

 private:
  Library(void* handle, const Functions& functions) : handle_(handle), functions_(functions) {}
  void* handle_;
  Functions functions_;
};

}  // namespace premise::nvml

namespace premise {

/// Asks everything of NvmlReport through these functions; `init` is called and, where it succeeds,
/// `shutdown`. Tests hand in functions of their own.
NvmlReport query_nvml(const nvml::Functions& functions);

}  // namespace premise
