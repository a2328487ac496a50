// The GPUs of a machine, from every source that names them: NVML, the PCI bus, the driver's own
// files. What the probes of gpu_* and nvidia_* have in common, so that each holds one diagnosis.
//
// When there is no GPU, only gpu.cards says so: ten rows of "not found" help nobody.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "machine/finding.h"
#include "machine/gpu/nvml_report.h"
#include "machine/source.h"

namespace premise {

struct Gpus {
  bool nvml_installed = false;
  std::optional<Error> damage;      // nvml.json cannot be read
  NvmlReport report;                // empty where NVML is not installed or its answer is damaged
  std::vector<std::string> on_bus;  // PCI addresses of NVIDIA's display and 3D controllers
  std::string kernel_driver;        // version of the loaded kernel module; empty: not loaded
  bool nouveau = false;             // the free driver without CUDA holds the cards

  bool any() const { return !on_bus.empty() || !report.gpus.empty(); }
  bool driver_works() const { return nvml_installed && report.state == NvmlState::ok && !damage; }

  /// The version of the driver, from NVML or from the kernel module; empty where neither says.
  std::string driver() const;
};

Gpus read_gpus(MachineSource& machine);

/// A card and its number in NVML's (and nvidia-smi's) order.
struct NumberedGpu {
  std::size_t index = 0;
  const NvmlGpu* gpu = nullptr;
};

/// The cards that answer, and those of them that fulfil a condition.
std::vector<NumberedGpu> working_cards(const Gpus& gpus);
std::vector<NumberedGpu> cards_where(const Gpus& gpus,
                                     const std::function<bool(const NvmlGpu&)>& condition);

/// "GeForce RTX 3090"; "GPU" where NVML does not say.
std::string model_of(const NvmlGpu& gpu);

/// "GPU 0" or "GPUs 0, 2, 5".
Text numbers_of(const std::vector<NumberedGpu>& cards);

/// "0,2,5", as nvidia-smi -i takes it.
std::string number_list_of(const std::vector<NumberedGpu>& cards);

/// "24 GiB", "0.4 GiB": cards are sold by powers of two, whatever their boxes call the unit.
std::string format_gpu_memory(std::uint64_t bytes);

/// Bytes a second: memory clock × 2 transfers × bus width, else what the data sheet says.
std::optional<double> memory_bandwidth(const NvmlGpu& gpu);

/// The day, as the machine sees it: "2026-11-22"; the day of the matrix where it does not say.
std::string today(MachineSource& machine);

}  // namespace premise
