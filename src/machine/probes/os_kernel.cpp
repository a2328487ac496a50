// The kernel, and what its version means for a language model.
#include "machine/facts/virtualization.h"
#include "machine/facts/words.h"
#include "machine/probe.h"

namespace premise {
namespace {

/// "5.15.0-91-generic" → {5, 15}; {0, 0} where it has another form.
std::pair<int, int> version_of(std::string_view release) {
  const auto pieces = pieces_of(release, '.');
  if (pieces.size() < 2) return {0, 0};
  const auto major = leading_number(pieces[0]);
  const auto minor = leading_number(pieces[1]);
  if (!major || !minor || *major > 1000 || *minor > 1000) return {0, 0};
  return {static_cast<int>(*major), static_cast<int>(*minor)};
}

void probe_os_kernel(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "os.kernel";
  const auto release = read_line(machine, "/proc/sys/kernel/osrelease");
  if (!release) {
    findings.push_back(info(id, {},
                            text({"unknown: /proc/sys/kernel/osrelease cannot be read",
                                  "未知：无法读取 /proc/sys/kernel/osrelease"})));
    return;
  }
  // 4.18 is the kernel of RHEL 8, the oldest that current NVIDIA drivers and containers support.
  if (version_of(*release) < std::pair{4, 18}) {
    findings.push_back(warning(
        id, *release,
        text({"Linux {} is older than 4.18, which drivers and containers of today expect",
              "Linux {} 早于 4.18，而当前的驱动与容器要求 4.18 以上"},
             *release),
        text({"upgrade the distribution; its kernel comes with it", "升级发行版，内核随之更新"})));
  } else {
    findings.push_back(ok(id, *release, text({"Linux {}", "Linux 内核 {}"}, *release)));
  }
}

}  // namespace

extern const Probe os_kernel;
const Probe os_kernel{.name = "os_kernel", .order = 110, .run = probe_os_kernel};

}  // namespace premise
