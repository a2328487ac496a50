#include "machine/probe.h"

#include <algorithm>

namespace premise {

Findings examine(MachineSource& machine) {
  std::vector<const Probe*> probes(all_probes().begin(), all_probes().end());
  std::stable_sort(probes.begin(), probes.end(),
                   [](const Probe* a, const Probe* b) { return a->order < b->order; });
  Findings findings;
  for (const Probe* probe : probes) probe->run(machine, findings);
  return findings;
}

}  // namespace premise
