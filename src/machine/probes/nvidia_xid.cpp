// Xid errors: what the driver wrote into the kernel's log about its cards. Each number has a
// meaning; the ones that point to hardware are told apart from those that a faulty program causes.
// Source: NVIDIA, Xid Errors, https://docs.nvidia.com/deploy/xid-errors/ .
#include <algorithm>
#include <map>

#include "machine/facts/words.h"
#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr const char* nvidia_xid_id = "nvidia.xid";

struct Xid {
  int number;
  bool hardware;
  const char* en;
  const char* zh;
};

constexpr Xid known_xids[] = {
    {13, false, "a program's kernel faulted", "程序内核异常"},
    {31, false, "a program read or wrote memory that is not its own", "程序访问了非法显存地址"},
    {43, false, "a program was stopped after its fault", "程序出错后被停止"},
    {45, false, "a program was ended from outside", "程序被外部终止"},
    {48, true, "an uncorrectable double bit error in GPU memory", "显存出现不可纠正的双比特错误"},
    {61, true, "the card's microcontroller stopped", "显卡微控制器停止"},
    {62, true, "the card's microcontroller halted", "显卡微控制器挂起"},
    {63, true, "a memory row or page is to be replaced", "显存行或页将被替换"},
    {64, true, "a memory row or page could not be replaced", "显存行或页替换失败"},
    {74, true, "an NVLink error", "NVLink 错误"},
    {79, true, "the GPU has fallen off the bus", "GPU 已从总线上掉线"},
    {92, true, "many corrected memory errors", "可纠正的显存错误过多"},
    {94, true, "a contained memory error", "受限的显存错误"},
    {95, true, "an uncontained memory error", "未受限的显存错误"},
    {119, true, "the card's system processor does not answer", "GSP 处理器无响应"},
    {120, true, "the card's system processor failed", "GSP 处理器出错"},
};

// "[ 12.3] NVRM: Xid (PCI:0000:01:00): 79, pid=…, GPU has fallen off the bus."
std::map<int, int> count_xids(std::string_view log) {
  std::map<int, int> counts;
  for (const std::string_view line : lines_of(log)) {
    const std::size_t at = line.find("NVRM: Xid (");
    if (at == std::string_view::npos) continue;
    const std::size_t colon = line.find("): ", at);
    if (colon == std::string_view::npos) continue;
    const auto number = parse_version(line.substr(colon + 3));
    if (number) ++counts[number->major];
  }
  return counts;
}

Text meaning_of(int number) {
  const auto found = std::ranges::find(known_xids, number, &Xid::number);
  if (found == std::end(known_xids)) return text({"see NVIDIA's catalog", "见 NVIDIA 目录"});
  return {found->en, found->zh};
}

bool is_hardware(int number) {
  const auto found = std::ranges::find(known_xids, number, &Xid::number);
  return found != std::end(known_xids) && found->hardware;
}

Finding xid(const CommandAnswer& answer) {
  if (!answer) {
    return info(nvidia_xid_id, {},
                text({"the kernel's log needs root: Xid errors were not looked for",
                      "读取内核日志需要 root：未检查 Xid 错误"}),
                command_line("sudo dmesg | grep -i xid"));
  }
  const std::map<int, int> counts = count_xids(answer.out);
  if (counts.empty()) {
    return ok(nvidia_xid_id, std::int64_t{0},
              text({"no Xid error in the kernel's log", "内核日志中没有 Xid 错误"}));
  }
  const auto worst =
      std::ranges::find_if(counts, [](const auto& entry) { return is_hardware(entry.first); });
  const auto& [number, times] = worst == counts.end() ? *counts.begin() : *worst;
  const Text meaning = meaning_of(number);
  const Text why{fmt::format("Xid {} ({}×): {}", number, times, meaning.en),
                 fmt::format("Xid {}（{} 次）：{}", number, times, meaning.zh)};
  if (worst == counts.end()) return info(nvidia_xid_id, std::int64_t{number}, why);
  return warning(nvidia_xid_id, std::int64_t{number}, why,
                 text({"look at the card: nvidia-smi -q, sudo dmesg | grep -i xid; if it comes "
                       "again, have it replaced",
                       "检查显卡：nvidia-smi -q、sudo dmesg | grep -i xid；若重复出现请更换"}));
}

void probe_nvidia_xid(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  if (gpus.kernel_driver.empty()) return;
  findings.push_back(xid(machine.run_command({"dmesg", "--facility=kern"})));
}

}  // namespace

extern const Probe nvidia_xid;
const Probe nvidia_xid{"nvidia_xid", 612, probe_nvidia_xid};

}  // namespace premise
