// Marks, and who leaves them:
//   WSL         kernel release "…-microsoft-standard-WSL2" (2) or "…-Microsoft" (1)
//   container   /.dockerenv, /run/.containerenv (podman), the variable `container` (systemd's
//               container interface), KUBERNETES_SERVICE_HOST, group paths of version 1
//   hypervisor  the flag of that name in CPUID, DMI's vendor and product, /sys/hypervisor/type
//   (Xen)
#include "machine/facts/virtualization.h"

#include <array>

#include "machine/facts/processor.h"
#include "machine/facts/words.h"

namespace premise {
namespace {

struct Mark {
  std::string_view part;  // of vendor or product
  std::string_view name;
};

constexpr std::array marks{
    Mark{"vmware", "VMware"},
    Mark{"virtualbox", "VirtualBox"},
    Mark{"innotek", "VirtualBox"},
    Mark{"xen", "Xen"},
    Mark{"amazon ec2", "AWS Nitro"},
    Mark{"google compute", "Google Compute Engine"},
    Mark{"alibaba", "Alibaba Cloud"},
    Mark{"tencent", "Tencent Cloud"},
    Mark{"huawei cloud", "KVM"},
    Mark{"openstack", "KVM (OpenStack)"},
    Mark{"qemu", "KVM"},
    Mark{"kvm", "KVM"},
    Mark{"parallels", "Parallels"},
    Mark{"bhyve", "bhyve"},
};

bool exists(MachineSource& machine, std::string_view path) {
  return machine.read_file(path, 1).state != AnswerState::missing;
}

}  // namespace

int wsl_version(MachineSource& machine) {
  const std::string release = read_line(machine, "/proc/sys/kernel/osrelease").value_or("");
  if (contains_word(release, "microsoft-standard") || contains_word(release, "wsl2")) return 2;
  return contains_word(release, "microsoft") ? 1 : 0;
}

std::string container_kind(MachineSource& machine) {
  if (machine.environment("KUBERNETES_SERVICE_HOST")) return "kubernetes";
  if (exists(machine, "/.dockerenv")) return "docker";
  if (exists(machine, "/run/.containerenv")) return "podman";
  if (auto kind = machine.environment("container"); kind && !kind->empty()) return *kind;
  const std::string groups = machine.read_file("/proc/self/cgroup").text;
  for (const auto& [part, name] : {std::pair{"/kubepods", "kubernetes"},
                                   {"/docker/", "docker"},
                                   {"/libpod", "podman"},
                                   {"/lxc/", "lxc"}})
    if (groups.find(part) != std::string::npos) return name;
  return {};
}

std::string hypervisor_name(MachineSource& machine) {
  const std::string vendor = read_line(machine, "/sys/class/dmi/id/sys_vendor").value_or("");
  const std::string product = read_line(machine, "/sys/class/dmi/id/product_name").value_or("");
  if (vendor == "Microsoft Corporation" && product == "Virtual Machine") return "Microsoft Hyper-V";
  if (wsl_version(machine) == 2) return "Microsoft Hyper-V";
  for (const Mark& mark : marks)
    if (contains_word(vendor, mark.part) || contains_word(product, mark.part))
      return std::string(mark.name);
  if (read_line(machine, "/sys/hypervisor/type") == "xen") return "Xen";
  const std::string clocks =
      read_line(machine, "/sys/devices/system/clocksource/clocksource0/available_clocksource")
          .value_or("");
  if (contains_word(clocks, "kvm-clock")) return "KVM";
  if (contains_word(clocks, "hyperv")) return "Microsoft Hyper-V";
  return read_processor(machine).virtualized() ? "unknown" : "";
}

}  // namespace premise
