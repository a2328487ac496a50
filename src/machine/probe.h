// What a probe is. One subject, one file: src/machine/probes/<name>.cpp exports one constant
// (`extern const Probe cpu_isa;`), and CMake writes the table all_probes() from the file list.
//
// A probe says each of its findings every time, also when all is well: a reader of the JSON can rely
// on the ids. Hardware that is absent is "not found" (info). A probe never fails: what cannot be
// read is a finding too, which says what it would take.
#pragma once

#include <span>
#include <string_view>

#include "machine/finding.h"
#include "machine/source.h"

namespace premise {

struct Probe {
  std::string_view name;  // as its file: "cpu_isa"
  int order;              // place in the report; an area's probes follow each other
  void (*run)(MachineSource& machine, Findings& findings);
};

/// Every probe, sorted by file name (written by cmake/PremiseRoom.cmake).
std::span<const Probe* const> all_probes();

/// Runs every probe, in the order of the report.
Findings examine(MachineSource& machine);

}  // namespace premise
