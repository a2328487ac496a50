// Transparent huge pages: with 4 KiB pages a model of 8 GB has two million entries of the page
// table, and the processor looks them up while it should read weights (measured: 31–33 instead of
// 29–30 GB/s). Premise asks for them with madvise(2), so that "madvise" is as good as "always".
#include "machine/probe.h"

namespace premise {
namespace {

/// "always [madvise] never" → "madvise"
std::string chosen(const std::string& line) {
  const std::size_t begin = line.find('[');
  const std::size_t end = line.find(']', begin == std::string::npos ? 0 : begin);
  if (begin == std::string::npos || end == std::string::npos) return {};
  return line.substr(begin + 1, end - begin - 1);
}

void probe_os_huge_pages(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "os.huge_pages";
  const auto line = read_line(machine, "/sys/kernel/mm/transparent_hugepage/enabled");
  const std::string mode = line ? chosen(*line) : "";
  if (mode == "always" || mode == "madvise") {
    findings.push_back(ok(id, mode, text({"transparent huge pages: {}", "透明大页：{}"}, mode)));
  } else if (mode == "never") {
    findings.push_back(warning(
        id, mode,
        text({"transparent huge pages are off: weights are read some percent slower",
              "透明大页已关闭：读取权重会慢几个百分点"}),
        command_line("echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled")));
  } else {
    findings.push_back(
        info(id, {}, text({"this kernel has no transparent huge pages", "此内核没有透明大页"})));
  }
}

}  // namespace

extern const Probe os_huge_pages;
const Probe os_huge_pages{.name = "os_huge_pages", .order = 170, .run = probe_os_huge_pages};

}  // namespace premise
