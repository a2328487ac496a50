// The processor's caches: a step's activations and a packed panel of weights should stay in L2, and
// what the last level holds is read faster than memory.
#include "machine/facts/caches.h"
#include "machine/probe.h"

namespace premise {
namespace {

/// Caches are built and sold in powers of two: "32 KiB", "1 MiB".
std::string cache_size(std::int64_t bytes) {
  constexpr double mebi = 1 << 20;
  const auto size = static_cast<double>(bytes);
  return size >= mebi ? fmt::format("{:.4g} MiB", size / mebi)
                      : fmt::format("{:.4g} KiB", size / 1024);
}

void probe_cpu_cache(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "cpu.cache";
  const std::vector<CacheLevel> caches = read_caches(machine);
  if (caches.empty()) {
    findings.push_back(
        info(id, {}, text({"the kernel tells nothing of the caches", "内核未给出缓存信息"})));
    return;
  }
  std::string all;
  for (const CacheLevel& level : caches) {
    if (!all.empty()) all += ", ";
    all += level.name + " " + cache_size(level.bytes);
    if (level.count > 1) all += fmt::format(" ({}×)", level.count);
  }
  findings.push_back(ok(id, caches.back().bytes, text({"{}", "{}"}, all)));
}

}  // namespace

extern const Probe cpu_cache;
const Probe cpu_cache{.name = "cpu_cache", .order = 205, .run = probe_cpu_cache};

}  // namespace premise
