#include "machine/probe.h"

#include <algorithm>
#include <tuple>

namespace premise {

Examination examine(MachineSource& machine, bool quick, const std::function<bool()>& stop) {
  std::vector<const Probe*> probes(all_machine().begin(), all_machine().end());
  std::sort(probes.begin(), probes.end(), [](const Probe* a, const Probe* b) {
    return std::tie(a->order, a->name) < std::tie(b->order, b->name);
  });
  Examination examination;
  for (const Probe* probe : probes) {
    if (stop && stop()) {
      examination.interrupted = true;
      break;
    }
    if (quick && probe->slow) {
      examination.left_out.push_back(probe->name);
    } else {
      probe->run(machine, examination.findings);
    }
  }
  return examination;
}

}  // namespace premise
