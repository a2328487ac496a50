// The link between card and processor. Width tells of the slot or of a badly seated card; the
// generation is not judged, since every card lowers it while it idles.
#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

bool is_narrow(const NvmlGpu& gpu) {
  return gpu.pcie_width && gpu.pcie_width_max && *gpu.pcie_width > 0 &&
         *gpu.pcie_width < *gpu.pcie_width_max;
}

Finding link(const Gpus& gpus) {
  constexpr const char* id = "gpu.pcie";
  if (const auto narrow = cards_where(gpus, is_narrow); !narrow.empty()) {
    const NvmlGpu& first = *narrow.front().gpu;
    const Text which = numbers_of(narrow);
    const Text what = text({": PCIe link of {} lanes where the card could use {}",
                            "：PCIe 链路为 x{}，而显卡支持 x{}"},
                           *first.pcie_width, *first.pcie_width_max);
    return warning(id, *first.pcie_width, {which.en + what.en, which.zh + what.zh},
                   text({"put the card into a slot of full width, seat it firmly; then: "
                         "nvidia-smi -q -d PCI",
                         "将显卡插到全宽插槽并插紧；然后执行：nvidia-smi -q -d PCI"}));
  }
  const NvmlGpu& first = *working_cards(gpus).front().gpu;
  if (!first.pcie_width) {
    return info(id, {},
                text({"the driver does not say the PCIe link", "驱动未给出 PCIe 链路信息"}));
  }
  return ok(id, *first.pcie_width,
            text({"PCIe generation {} with {} lanes, all that the card can use",
                  "PCIe {}.0 x{}，已达显卡上限"},
                 first.pcie_generation_max.value_or(0), *first.pcie_width));
}

void probe_gpu_pcie(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  if (!working_cards(gpus).empty()) findings.push_back(link(gpus));
}

}  // namespace

extern const Probe gpu_pcie;
const Probe gpu_pcie{"gpu_pcie", 550, probe_gpu_pcie};

}  // namespace premise
