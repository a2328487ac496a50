// /proc and /sys: nearly everything below is read there. In a chroot or a hardened container they
// may be missing, and "not found" then means "could not be seen".
#include "machine/probe.h"

namespace premise {
namespace {

void probe_os_pseudo_files(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "os.pseudo_files";
  const bool proc = bool(machine.read_file("/proc/meminfo"));
  const bool sys = bool(machine.list_folder("/sys/devices/system/cpu"));
  if (proc && sys) {
    findings.push_back(
        ok(id, true, text({"/proc and /sys can be read", "/proc 与 /sys 可读"})));
    return;
  }
  std::string missing, mount;
  if (!proc) {
    missing = "/proc";
    mount = "sudo mount -t proc proc /proc";
  }
  if (!sys) {
    missing += missing.empty() ? "/sys" : ", /sys";
    mount += mount.empty() ? "" : " && ";
    mount += "sudo mount -t sysfs sysfs /sys";
  }
  findings.push_back(warning(
      id, false,
      text({"{} cannot be read: what is not found below may be there nevertheless",
            "{} 不可读：下文中“未发现”的内容可能实际存在"},
           missing),
      command_line(std::move(mount))));
}

}  // namespace

extern const Probe os_pseudo_files;
const Probe os_pseudo_files{
    .name = "os_pseudo_files", .order = 105, .run = probe_os_pseudo_files};

}  // namespace premise
