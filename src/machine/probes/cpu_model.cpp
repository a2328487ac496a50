// The processor, its cores, and how many of them Premise computes with.
#include "machine/facts/control_group.h"
#include "machine/facts/processor.h"
#include "machine/probe.h"

namespace premise {
namespace {

Finding model(const Processor& processor) {
  constexpr const char* id = "cpu.model";
  if (processor.name.empty()) {
    return info(
        id, {},
        text({"unknown: /proc/cpuinfo does not name it", "未知：/proc/cpuinfo 未给出型号"}));
  }
  return ok(id, processor.name,
            text({"{} (family {}, model {}, stepping {})", "{}（系列 {}，型号 {}，步进 {}）"},
                 processor.name, processor.family, processor.model, processor.stepping));
}

Finding cores(MachineSource& machine) {
  constexpr const char* id = "cpu.cores";
  const ProcessorCount count = count_processors(machine);
  if (count.threads == 0) {
    return info(id, {},
                text({"unknown: neither /sys nor /proc/cpuinfo lists processors",
                      "未知：/sys 与 /proc/cpuinfo 均未列出处理器"}));
  }
  const Text all = text({"cores: {}, threads: {}, sockets: {}", "{} 核 {} 线程，{} 路"}, count.cores,
                        count.threads, count.sockets);
  const int threads = threads_within(count.open_cores, read_control_group(machine).quota_cores);
  const Text used =
      text({"threads that Premise computes with: {}, one a core", "Premise 计算线程数：{}，每核一个"},
           threads);
  if (count.open_threads < count.threads) {
    return info(id, std::int64_t{count.cores},
                and_then(and_then(all, text({"only {} threads are open to this process",
                                             "本进程只可使用其中 {} 个线程"},
                                            count.open_threads)),
                         used));
  }
  return ok(id, std::int64_t{count.cores}, and_then(all, used));
}

void probe_cpu_model(MachineSource& machine, Findings& findings) {
  findings.push_back(model(read_processor(machine)));
  findings.push_back(cores(machine));
}

}  // namespace

extern const Probe cpu_model;
const Probe cpu_model{.name = "cpu_model", .order = 200, .run = probe_cpu_model};

}  // namespace premise
