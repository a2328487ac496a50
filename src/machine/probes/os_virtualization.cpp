// Container and hypervisor. Windows has a file of its own (os_windows.cpp).
#include "machine/facts/virtualization.h"
#include "machine/probe.h"

namespace premise {
namespace {

void probe_os_virtualization(MachineSource& machine, Findings& findings) {
  const std::string container = container_kind(machine);
  findings.push_back(
      container.empty()
          ? info("os.container", std::string("none"), text({"not in a container", "不在容器中"}))
          : info("os.container", container,
                 text({"in a container ({}): what is measured and counted here is the container's "
                       "share of the machine",
                       "运行于容器中（{}）：此处测量和统计的是容器在整机中的份额"},
                      container)));
  const std::string hypervisor = hypervisor_name(machine);
  findings.push_back(
      hypervisor.empty()
          ? info("os.hypervisor", std::string("none"), text({"on bare metal", "物理机"}))
          : info("os.hypervisor", hypervisor,
                 hypervisor == "unknown"
                     ? text({"in a virtual machine", "运行于虚拟机中"})
                     : text({"in a virtual machine ({})", "运行于虚拟机中（{}）"}, hypervisor)));
}

}  // namespace

extern const Probe os_virtualization;
const Probe os_virtualization{
    .name = "os_virtualization", .order = 120, .run = probe_os_virtualization};

}  // namespace premise
