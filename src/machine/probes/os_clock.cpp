// Whether the clock is kept right: keys expire, certificates are checked, logs and traces of
// several machines are compared by time.
#include "machine/facts/os_release.h"
#include "machine/facts/virtualization.h"
#include "machine/facts/words.h"
#include "machine/probe.h"

namespace premise {
namespace {

enum class Sync { yes, no, unknown };

/// systemd tells the kernel's own flag (STA_UNSYNC), whichever program keeps the time.
Sync read_sync(MachineSource& machine) {
  const CommandAnswer answer =
      machine.run_command({"timedatectl", "show", "--property=NTPSynchronized", "--value"});
  if (answer && trimmed(answer.out) == "yes") return Sync::yes;
  if (answer && trimmed(answer.out) == "no") return Sync::no;
  if (machine.read_file("/run/systemd/timesync/synchronized", 1)) return Sync::yes;
  return Sync::unknown;
}

void probe_os_clock(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "os.time_sync";
  switch (read_sync(machine)) {
    case Sync::yes:
      findings.push_back(ok(id, true, text({"the clock is synchronized", "系统时钟已同步"})));
      return;
    case Sync::no:
      findings.push_back(warning(
          id, false,
          text({"the clock is not synchronized: expiry of keys, certificates and logs rely on it",
                "系统时钟未同步：密钥有效期、证书与日志都依赖时钟"}),
          command_line("sudo timedatectl set-ntp true")));
      return;
    case Sync::unknown:
      break;
  }
  if (!container_kind(machine).empty()) {
    findings.push_back(info(
        id, {}, text({"the clock is that of the container's host", "时钟由容器所在的主机维护"})));
    return;
  }
  findings.push_back(
      info(id, {},
           text({"timedatectl does not answer: nobody says whether the clock is synchronized",
                 "timedatectl 没有应答：无法得知时钟是否同步"}),
           command_line(install_command(read_os_release(machine), "chrony", "chrony"))));
}

}  // namespace

extern const Probe os_clock;
const Probe os_clock{.name = "os_clock", .order = 140, .run = probe_os_clock};

}  // namespace premise
