// A file that is cut short while it is mapped: the kernel answers a read past its new end with
// SIGBUS, which a library cannot turn into an Error.
#pragma once

#include "base/text.h"

namespace premise {

/// From now on such a read ends the process with one sentence in this language on standard error
/// and the exit code for a damaged input file, instead of a core dump. For main, before threads.
void end_cleanly_on_bus_error(Language language);

}  // namespace premise
