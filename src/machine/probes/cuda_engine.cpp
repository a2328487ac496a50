// What this very program can do with the GPUs: the CUDA architectures that its engine was built
// for.
#include "machine/facts/words.h"
#include "machine/gpu/engine_architectures.h"
#include "machine/gpu/kernel_findings.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr const char* cuda_engine_id = "cuda.engine";

Finding engine(const Gpus& gpus) {
  const std::vector<std::string> built_for = engine_cuda_architectures();
  if (built_for.empty()) {
    return info(cuda_engine_id, false,
                text({"this Premise is built without CUDA kernels: its engine computes on the "
                      "processor, whatever GPUs there are",
                      "此版 Premise 未包含 CUDA 内核：无论有无 GPU，引擎都在处理器上计算"}));
  }
  const std::string list = joined(built_for, " ");
  if (const auto trouble = kernel_trouble(gpus, "Premise", built_for, true)) {
    return failure(
        cuda_engine_id, list, *trouble,
        text({"install the Premise package for this card", "请安装适用于该显卡的 Premise"}));
  }
  return ok(cuda_engine_id, list,
            text({"the engine has kernels for {}", "引擎包含 {} 的内核"}, list));
}

void probe_cuda_engine(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  if (gpus.any()) findings.push_back(engine(gpus));
}

}  // namespace

extern const Probe cuda_engine;
const Probe cuda_engine{"cuda_engine", 624, probe_cuda_engine};

}  // namespace premise
