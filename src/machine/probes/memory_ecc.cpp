// Error-correcting memory, as the kernel's EDAC drivers report it (Documentation/admin-guide/RAS).
// A flipped bit in a weight makes a model slightly worse until the next restart, and nobody
// notices.
#include "machine/facts/words.h"
#include "machine/probe.h"

namespace premise {
namespace {

struct Ecc {
  int controllers = 0;
  bool corrects = false;
  std::int64_t corrected = 0;
  std::int64_t uncorrected = 0;
};

Ecc read_ecc(MachineSource& machine) {
  Ecc ecc;
  const std::string top = "/sys/devices/system/edac/mc";
  for (const std::string& name : machine.list_folder(top).names) {
    if (!name.starts_with("mc") || !whole_number(name.substr(2))) continue;
    const std::string controller = top + "/" + name;
    ++ecc.controllers;
    ecc.corrected += read_number(machine, controller + "/ce_count").value_or(0);
    ecc.uncorrected += read_number(machine, controller + "/ue_count").value_or(0);
    for (const std::string& dimm : machine.list_folder(controller).names) {
      if (!dimm.starts_with("dimm") && !dimm.starts_with("rank")) continue;
      const auto mode = read_line(machine, controller + "/" + dimm + "/dimm_edac_mode");
      ecc.corrects = ecc.corrects || (mode && *mode != "None" && *mode != "Unknown");
    }
  }
  return ecc;
}

void probe_memory_ecc(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "memory.ecc";
  const Ecc ecc = read_ecc(machine);
  if (ecc.controllers == 0) {
    findings.push_back(info(
        id, {},
        text({"not found: this kernel reports no memory controller (a virtual machine, memory "
              "without ECC, or no EDAC driver)",
              "未发现：内核未报告内存控制器（虚拟机、非 ECC 内存，或没有 EDAC 驱动）"}),
        text({"the firmware knows, and root may ask it: sudo dmidecode -t 16 | grep -i correction",
              "固件知道，但需要 root：sudo dmidecode -t 16 | grep -i correction"})));
  } else if (ecc.uncorrected > 0) {
    findings.push_back(failure(
        id, ecc.uncorrected,
        text(
            {"{} memory errors that ECC could not correct since the start: weights and answers may "
             "be wrong",
             "开机以来有 {} 个 ECC 无法纠正的内存错误：权重与回答可能出错"},
            ecc.uncorrected),
        text({"replace the module; which one: grep . "
              "/sys/devices/system/edac/mc/mc*/dimm*/dimm_ue_count",
              "更换内存条；定位：grep . /sys/devices/system/edac/mc/mc*/dimm*/dimm_ue_count"})));
  } else if (ecc.corrected > 0) {
    findings.push_back(
        warning(id, ecc.corrected,
                text({"ECC has corrected {} memory errors since the start: a module may be failing",
                      "开机以来 ECC 纠正了 {} 个内存错误：内存条可能即将损坏"},
                     ecc.corrected),
                text({"watch it, and replace the module if the count grows: grep . "
                      "/sys/devices/system/edac/mc/mc*/dimm*/dimm_ce_count",
                      "持续观察，若计数增长则更换内存条：grep . "
                      "/sys/devices/system/edac/mc/mc*/dimm*/dimm_ce_count"})));
  } else if (ecc.corrects) {
    findings.push_back(ok(
        id, true, text({"ECC memory, no errors since the start", "ECC 内存，开机以来没有错误"})));
  } else {
    findings.push_back(
        info(id, false, text({"memory without error correction", "内存没有纠错功能"})));
  }
}

}  // namespace

extern const Probe memory_ecc;
const Probe memory_ecc{.name = "memory_ecc", .order = 310, .run = probe_memory_ecc};

}  // namespace premise
