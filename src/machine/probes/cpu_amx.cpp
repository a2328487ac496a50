// AMX, tried and not only read (machine/tile_trial.h): the flag in CPUID is no proof.
#include "machine/facts/processor.h"
#include "machine/probe.h"

namespace premise {
namespace {

void probe_cpu_amx(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "cpu.amx";
  using Amx = ProcessorTrial::Amx;
  const Processor processor = read_processor(machine);
  switch (machine.processor_trial().amx) {
    case Amx::works:
      findings.push_back(ok(id, true,
                            processor.has("amx_bf16")
                                ? text({"AMX works, int8 and bf16: a tile was multiplied",
                                        "AMX 可用（int8 与 bf16）：已实际完成一次矩阵块乘法"})
                                : text({"AMX works, int8: a tile was multiplied",
                                        "AMX 可用（int8）：已实际完成一次矩阵块乘法"})));
      return;
    case Amx::refused:
      findings.push_back(warning(
          id, false,
          text(
              {"the processor has AMX and the kernel refuses it: Linux before 5.16, a sandbox that "
               "blocks arch_prctl, or the boot option clearcpuid",
               "处理器有 AMX，但内核拒绝授权：Linux 低于 5.16、沙箱禁用了 arch_prctl，或启动参数 "
               "clearcpuid"}),
          text(
              {"sudo apt install linux-image-generic-hwe-22.04 (Linux 5.16 or later), then reboot; "
               "check with: grep -o amx_tile /proc/cpuinfo",
               "安装 Linux 5.16 或更高版本的内核（sudo apt install linux-image-generic-hwe-22.04）"
               "后重启；再检查：grep -o amx_tile /proc/cpuinfo"})));
      return;
    case Amx::faulted:
      findings.push_back(failure(
          id, false,
          text({"AMX is named and permitted, but a tile instruction faulted or multiplied wrongly: "
                "the hypervisor does not carry tiles",
                "AMX 已声明并获授权，但执行矩阵块指令时出错：虚拟化层不支持 AMX 状态"}),
          text({"compute without it: PREMISE_ISA=avx512; on the host update QEMU to 7.0 or later",
                "暂不使用：PREMISE_ISA=avx512；并在宿主机上将 QEMU 更新到 7.0 以上"})));
      return;
    case Amx::absent:
      findings.push_back(info(id, false, text({"AMX not found", "未发现 AMX"})));
      return;
  }
}

}  // namespace

extern const Probe cpu_amx;
const Probe cpu_amx{.name = "cpu_amx", .order = 220, .run = probe_cpu_amx};

}  // namespace premise
