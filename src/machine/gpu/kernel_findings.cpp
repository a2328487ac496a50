#include "machine/gpu/kernel_findings.h"

#include "machine/compatibility/rules.h"
#include "machine/facts/words.h"

namespace premise {

std::optional<Text> kernel_trouble(const Gpus& gpus, const std::string& program,
                                   const std::vector<std::string>& architectures,
                                   bool driver_compiles) {
  for (const auto& [index, gpu] : working_cards(gpus)) {
    if (!gpu->capability) continue;
    const KernelFit fit = kernel_fit(architectures, *gpu->capability);
    const std::string card =
        fmt::format("{} (sm_{}{})", model_of(*gpu), gpu->capability->major, gpu->capability->minor);
    if (fit == KernelFit::none) {
      return text(
          {"{} is built for {}, not for {}: it ends with \"no kernel image is available for "
           "execution on the device\"",
           "{} 的构建架构为 {}，不含 {}：运行时会报 \"no kernel image is available for "
           "execution on the device\""},
          program, joined(architectures, " "), card);
    }
    if (fit == KernelFit::ptx && !driver_compiles) {
      return text({"{} holds only PTX for {}, and the driver is too old to compile it: \"the "
                   "provided PTX was compiled with an unsupported toolchain\"",
                   "{} 对 {} 仅含 PTX，而驱动过旧无法编译：\"the provided PTX was compiled with an "
                   "unsupported toolchain\""},
                  program, card);
    }
  }
  return std::nullopt;
}

}  // namespace premise
