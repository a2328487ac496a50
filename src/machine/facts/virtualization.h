// What stands between this process and the hardware: WSL, a container, a hypervisor.
#pragma once

#include <string>

#include "machine/source.h"

namespace premise {

/// 0: no Windows below; 1 or 2: the version of the Windows Subsystem for Linux.
int wsl_version(MachineSource& machine);

/// "docker", "podman", "kubernetes", "lxc", another name that the container gives itself; empty:
/// none.
std::string container_kind(MachineSource& machine);

/// "KVM", "VMware", "Microsoft Hyper-V", …, "unknown" where only the processor says so; empty:
/// none.
std::string hypervisor_name(MachineSource& machine);

}  // namespace premise
