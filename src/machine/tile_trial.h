// Whether AMX really works here.
#pragma once

#include "machine/source.h"

namespace premise {

/// Asks CPUID, then the kernel for the permission, then computes with a tile, in a process of its
/// own: the permission stays with a process, and an instruction that faults ends it.
ProcessorTrial::Amx try_tiles();

}  // namespace premise
