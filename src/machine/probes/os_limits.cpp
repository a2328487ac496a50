// What this shell lets a process have: locked memory and open files (ulimit -l, -n).
#include "base/units.h"
#include "machine/facts/memory_table.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr std::uint64_t open_files_wanted = 4096;

Finding open_files(MachineSource& machine) {
  constexpr const char* id = "os.nofile";
  const auto limit = read_limit(machine, "Max open files");
  if (!limit) {
    return info(id, {}, text({"/proc/self/limits does not say", "/proc/self/limits 未给出"}));
  }
  if (limit->unlimited || limit->value >= open_files_wanted) {
    return ok(id,
              limit->unlimited ? FindingValue("unlimited")
                               : FindingValue(static_cast<std::int64_t>(limit->value)),
              limit->unlimited ? text({"any number of open files", "打开文件数不受限"})
                               : text({"{} open files", "可打开 {} 个文件"}, limit->value));
  }
  return warning(id, static_cast<std::int64_t>(limit->value),
                 text({"{} open files: every connection of a client is one, so that a service "
                       "refuses clients early",
                       "只能打开 {} 个文件：每个客户端连接占用一个，服务会过早拒绝连接"},
                      limit->value),
                 text({"ulimit -n 65536; in a systemd unit LimitNOFILE=65536; for good in "
                       "/etc/security/limits.conf: * - nofile 65536",
                       "ulimit -n 65536；systemd 单元中用 LimitNOFILE=65536；永久生效写入 "
                       "/etc/security/limits.conf：* - nofile 65536"}));
}

/// How much locked memory RDMA needs is judged by network_rdma.cpp.
Finding locked_memory(MachineSource& machine) {
  constexpr const char* id = "os.memlock";
  const auto limit = read_limit(machine, "Max locked memory");
  if (!limit) {
    return info(id, {}, text({"/proc/self/limits does not say", "/proc/self/limits 未给出"}));
  }
  if (limit->unlimited) {
    return ok(id, std::string("unlimited"),
              text({"memory may be locked without limit", "锁定内存不受限"}));
  }
  return info(id, static_cast<std::int64_t>(limit->value),
              text({"{} of memory may be locked: enough, unless RDMA is used or weights are to be "
                    "kept from being swapped out",
                    "可锁定 {} 内存：足够使用，除非使用 RDMA 或要防止权重被换出"},
                   format_bytes(limit->value)),
              text({"ulimit -l unlimited; in a systemd unit LimitMEMLOCK=infinity",
                    "ulimit -l unlimited；systemd 单元中用 LimitMEMLOCK=infinity"}));
}

void probe_os_limits(MachineSource& machine, Findings& findings) {
  findings.push_back(open_files(machine));
  findings.push_back(locked_memory(machine));
}

}  // namespace

extern const Probe os_limits;
const Probe os_limits{.name = "os_limits", .order = 150, .run = probe_os_limits};

}  // namespace premise
