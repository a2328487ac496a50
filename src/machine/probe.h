// What a probe is. One subject, one file: src/machine/probes/<name>.cpp exports one constant
// (`extern const Probe cpu_isa;`), and CMake writes the table all_machine() from the file list.
//
// A probe says each of its findings every time, also when all is well: a reader of the JSON can
// rely on the ids. Hardware that is absent is "not found" (info). A probe never fails: what cannot
// be read is a finding too, which says what it would take.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "machine/finding.h"
#include "machine/source.h"

namespace premise {

struct Probe {
  std::string_view name;  // as its file: "cpu_isa"
  int order;  // place in the report: os 100…, cpu 200, memory 300, storage 400, gpu 500, software
              // 600, network 700, power 800; an area's probes follow each other
  void (*run)(MachineSource& machine, Findings& findings);
  bool slow = false;  // may take over 200 ms (starts Python, say): left out by --quick
};

/// Every probe, sorted by file name (written by cmake/PremiseRoom.cmake).
std::span<const Probe* const> all_machine();

struct Examination {
  Findings findings;
  std::vector<std::string_view> left_out;  // names of slow probes that were not run
  bool interrupted = false;
};

/// Runs the probes in the order of the report, without the slow ones where `quick`; `stop` is asked
/// between two of them.
Examination examine(MachineSource& machine, bool quick = false,
                    const std::function<bool()>& stop = {});

}  // namespace premise
