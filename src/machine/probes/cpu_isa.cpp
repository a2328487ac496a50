// Instruction sets: what the processor names, what the kernel grants, what a hypervisor hides.
//
// A guest sees what its host lets through. With QEMU's default model a server that multiplies 6
// TOPS a core runs at the speed of 2008, and every program falls back without a word; so the chip's
// family is compared with what it must have.
#include <array>

#include "machine/facts/processor.h"
#include "machine/facts/virtualization.h"
#include "machine/facts/words.h"
#include "machine/probe.h"

namespace premise {
namespace {

struct Subset {
  std::string_view flag;
  std::string_view name;
};

constexpr std::array avx512_subsets{
    Subset{"avx512f", "F"},        Subset{"avx512bw", "BW"},      Subset{"avx512dq", "DQ"},
    Subset{"avx512vl", "VL"},      Subset{"avx512_vnni", "VNNI"}, Subset{"avx512_bf16", "BF16"},
    Subset{"avx512_fp16", "FP16"}, Subset{"avx512vbmi", "VBMI"},  Subset{"avx512_vbmi2", "VBMI2"},
};

/// What every chip of a family has (Intel's and AMD's manuals; models as Linux numbers them in
/// arch/x86/include/asm/intel-family.h).
struct Silicon {
  std::string_view vendor;
  int family;
  int model_first;
  int model_last;
  bool avx512;
  bool amx;
};

constexpr std::array silicon{
    Silicon{"GenuineIntel", 6, 60, 63, false, false},    // Haswell
    Silicon{"GenuineIntel", 6, 79, 79, false, false},    // Broadwell-EP
    Silicon{"GenuineIntel", 6, 85, 85, true, false},     // Skylake-SP, Cascade Lake, Cooper Lake
    Silicon{"GenuineIntel", 6, 106, 106, true, false},   // Ice Lake-SP
    Silicon{"GenuineIntel", 6, 108, 108, true, false},   // Ice Lake-D
    Silicon{"GenuineIntel", 6, 143, 143, true, true},    // Sapphire Rapids
    Silicon{"GenuineIntel", 6, 207, 207, true, true},    // Emerald Rapids
    Silicon{"GenuineIntel", 6, 173, 174, true, true},    // Granite Rapids
    Silicon{"AuthenticAMD", 23, 0, 255, false, false},   // Zen to Zen 2
    Silicon{"AuthenticAMD", 25, 0, 15, false, false},    // Zen 3 (Milan)
    Silicon{"AuthenticAMD", 25, 16, 31, true, false},    // Zen 4 (Genoa)
    Silicon{"AuthenticAMD", 25, 32, 95, false, false},   // Zen 3 and 3+ (Ryzen 5000, 6000)
    Silicon{"AuthenticAMD", 25, 96, 127, true, false},   // Zen 4 (Ryzen 7000, 8000)
    Silicon{"AuthenticAMD", 25, 160, 175, true, false},  // Zen 4c (Bergamo, Siena)
    Silicon{"AuthenticAMD", 26, 0, 255, true, false},    // Zen 5
};

const Silicon* silicon_of(const Processor& processor) {
  for (const Silicon& chip : silicon) {
    if (chip.vendor == processor.vendor && chip.family == processor.family &&
        chip.model_first <= processor.model && processor.model <= chip.model_last)
      return &chip;
  }
  return nullptr;
}

/// Names that QEMU gives to processors that exist nowhere.
bool is_generic(const Processor& processor) {
  return contains_word(processor.name, "QEMU Virtual CPU") ||
         contains_word(processor.name, "Common KVM processor") ||
         contains_word(processor.name, "Common 32-bit KVM processor");
}

Text pass_the_processor_through(const std::string& hypervisor) {
  if (hypervisor == "VMware") {
    return text(
        {"in vCenter raise the cluster's EVC mode (or switch it off), then power the machine "
         "off and on",
         "在 vCenter 中提高集群的 EVC 模式（或将其关闭），然后关闭虚拟机电源再开机"});
  }
  if (hypervisor == "Microsoft Hyper-V") {
    return text(
        {"on the host: Set-VMProcessor -VMName NAME -CompatibilityForMigrationEnabled $false",
         "在宿主机上执行：Set-VMProcessor -VMName NAME -CompatibilityForMigrationEnabled "
         "$false"});
  }
  return text(
      {"on the host: virt-xml NAME --edit --cpu host-passthrough (Proxmox: qm set ID --cpu "
       "host), then start the machine anew",
       "在宿主机上执行：virt-xml NAME --edit --cpu host-passthrough（Proxmox：qm set ID "
       "--cpu host），然后重新启动虚拟机"});
}

Finding used_set(MachineSource& machine, const Processor& processor) {
  constexpr const char* id = "cpu.isa";
  const std::string isa = machine.processor_trial().widest_isa;
  if (isa != "ref") {
    return ok(id, isa, text({"Premise computes with {}", "Premise 使用 {} 计算"}, isa));
  }
  return failure(
      id, isa,
      processor.has("avx2")
          ? text({"AVX2 is there, but not all that goes with it (FMA, F16C, BMI2), so that Premise "
                  "computes without vectors, some twenty times slower",
                  "有 AVX2，但缺少与之配套的指令（FMA、F16C、BMI2），Premise "
                  "只能不用向量计算，约慢二十倍"})
          : text({"no AVX2: Premise computes without vectors, some twenty times slower",
                  "没有 AVX2：Premise 只能不用向量计算，约慢二十倍"}),
      processor.virtualized()
          ? pass_the_processor_through(hypervisor_name(machine))
          : text(
                {"take a machine with AVX2: Intel since 2013 (Haswell), AMD since 2017 (Zen)",
                 "请换用支持 AVX2 的机器：2013 年起的 Intel（Haswell）或 2017 年起的 AMD（Zen）"}));
}

Finding avx2(const Processor& processor) {
  constexpr const char* id = "cpu.avx2";
  if (processor.has("avx2")) return ok(id, true, text({"AVX2", "支持 AVX2"}));
  return info(id, false, text({"AVX2 not found", "未发现 AVX2"}));
}

Finding avx512(const Processor& processor) {
  constexpr const char* id = "cpu.avx512";
  std::vector<std::string> names;
  for (const Subset& subset : avx512_subsets)
    if (processor.has(subset.flag)) names.emplace_back(subset.name);
  if (!processor.has("avx512f")) {
    return info(id, false, text({"AVX-512 not found", "未发现 AVX-512"}));
  }
  const std::string all = joined(names, " ");
  if (!processor.has("avx512_vnni")) {
    return info(id, all,
                text({"AVX-512 without VNNI ({}): Premise computes with AVX2 here",
                      "AVX-512 不含 VNNI（{}）：Premise 在此使用 AVX2 计算"},
                     all));
  }
  return ok(id, all, text({"AVX-512: {}", "支持 AVX-512：{}"}, all));
}

Finding hidden(MachineSource& machine, const Processor& processor) {
  constexpr const char* id = "cpu.hypervisor_hides";
  const std::string hypervisor = hypervisor_name(machine);
  if (!processor.virtualized() && hypervisor.empty()) {
    return ok(
        id, std::string(),
        text({"no hypervisor that could hide instruction sets", "没有可能隐藏指令集的虚拟化层"}));
  }
  const Silicon* chip = silicon_of(processor);
  std::vector<std::string> names;
  const bool generic = is_generic(processor);
  if ((chip != nullptr || generic) && !processor.has("avx2")) names.emplace_back("AVX2");
  if (chip != nullptr && chip->avx512 && !processor.has("avx512f")) names.emplace_back("AVX-512");
  if (chip != nullptr && chip->amx && !processor.has("amx_tile")) names.emplace_back("AMX");
  if (names.empty() && !generic) {
    return chip == nullptr
               ? info(id, {},
                      text({"a hypervisor is there; whether it hides instruction sets of "
                            "this model is not known",
                            "存在虚拟化层；无法得知它是否隐藏了此型号的指令集"}))
               : ok(id, std::string(),
                    text({"the hypervisor hides no instruction set of this model",
                          "虚拟化层未隐藏此型号的指令集"}));
  }
  const std::string all = joined(names, ", ");
  Text why = generic ? text({"the hypervisor shows a made-up processor (\"{}\")",
                             "虚拟化层呈现的是虚构的处理器（“{}”）"},
                            processor.name)
                     : text({"the hypervisor hides what this processor has",
                             "虚拟化层隐藏了此处理器具备的指令集"});
  if (!names.empty()) why = and_then(why, text({"hidden: {}", "被隐藏：{}"}, all));
  return {id, processor.has("avx2") ? FindingStatus::warning : FindingStatus::failure, all, why,
          pass_the_processor_through(hypervisor)};
}

void probe_cpu_isa(MachineSource& machine, Findings& findings) {
  const Processor processor = read_processor(machine);
  findings.push_back(used_set(machine, processor));
  findings.push_back(avx2(processor));
  findings.push_back(avx512(processor));
  findings.push_back(hidden(machine, processor));
}

}  // namespace

extern const Probe cpu_isa;
const Probe cpu_isa{.name = "cpu_isa", .order = 210, .run = probe_cpu_isa};

}  // namespace premise
