// RDMA: InfiniBand and RoCE, which several machines need to compute one model together, and what
// stands in its way. Registered memory is locked memory: where little may be locked, ibv_reg_mr()
// fails with ENOMEM in the middle of NCCL's start, and NCCL names neither the limit nor the remedy.
#include <algorithm>

#include "base/units.h"
#include "machine/facts/memory_table.h"
#include "machine/facts/network.h"
#include "machine/facts/os_release.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr std::int64_t recommended_port = 100'000'000'000;

std::string name_of(const RdmaPort& port) {
  return port.port == 1 ? port.device : fmt::format("{}:{}", port.device, port.port);
}

Finding rate(const RdmaPort& port) {
  const std::string id = "network.rdma." + name_of(port);
  const char* kind = port.ethernet ? "RoCE" : "InfiniBand";
  const double gigabits = static_cast<double>(port.bits_per_second) / 1e9;
  if (!port.active) {
    return warning(
        id, std::int64_t{0}, text({"{}: {}, not active", "{}：{}，未激活"}, name_of(port), kind),
        port.ethernet
            ? text({"check cable and switch, then: ibv_devinfo -d {}",
                    "检查线缆与交换机，然后执行：ibv_devinfo -d {}"},
                   port.device)
            : text(
                  {"check the cable, and that a subnet manager runs (sudo systemctl start "
                   "opensm, or the switch's), then: ibstat {}",
                   "检查线缆，并确认子网管理器在运行（sudo systemctl start opensm，或交换机自带），"
                   "然后执行：ibstat {}"},
                  port.device));
  }
  if (port.bits_per_second < recommended_port) {
    return warning(id, port.bits_per_second,
                   text({"{}: {} at {:g} Gb/s; computing on several machines wants 100",
                         "{}：{}，{:g} Gb/s；多机计算建议 100 Gb/s"},
                        name_of(port), kind, gigabits),
                   text({"check that cable and switch port carry the card's full rate: ibstat {}",
                         "检查线缆与交换机端口是否支持网卡的全速：ibstat {}"},
                        port.device));
  }
  return ok(id, port.bits_per_second,
            text({"{}: {} at {:g} Gb/s", "{}：{}，速率 {:g} Gb/s"}, name_of(port), kind, gigabits));
}

/// User space reaches a card through /dev/infiniband/uverbsN and libibverbs.
Finding usable(MachineSource& machine) {
  constexpr const char* id = "network.rdma_usable";
  const FolderAnswer nodes = machine.list_folder("/dev/infiniband");
  const bool verbs =
      std::any_of(nodes.names.begin(), nodes.names.end(),
                  [](const std::string& name) { return name.starts_with("uverbs"); });
  if (!verbs) {
    return failure(id, false,
                   text({"there is no /dev/infiniband/uverbs*: programs cannot reach the card",
                         "没有 /dev/infiniband/uverbs*：程序无法访问网卡"}),
                   text({"sudo modprobe -a ib_uverbs rdma_ucm; in a container: docker run --device "
                         "/dev/infiniband --cap-add IPC_LOCK …",
                         "执行 sudo modprobe -a ib_uverbs rdma_ucm；在容器中：docker run --device "
                         "/dev/infiniband --cap-add IPC_LOCK …"}));
  }
  const CommandAnswer libraries = machine.run_command({"ldconfig", "-p"});
  if (libraries && libraries.out.find("libibverbs.so") == std::string::npos) {
    return failure(id, false,
                   text({"libibverbs is missing: NCCL falls back to TCP without a word",
                         "缺少 libibverbs：NCCL 会不加提示地退回 TCP"}),
                   command_line(install_command(read_os_release(machine),
                                                "rdma-core libibverbs1 ibverbs-utils",
                                                "rdma-core libibverbs libibverbs-utils")));
  }
  return ok(id, true, text({"programs can reach the cards", "程序可以访问网卡"}));
}

Finding locked_memory(MachineSource& machine) {
  constexpr const char* id = "network.rdma_memlock";
  constexpr std::uint64_t enough = 64'000'000'000;
  const auto limit = read_limit(machine, "Max locked memory");
  if (!limit) {
    return info(id, {}, text({"/proc/self/limits does not say", "/proc/self/limits 未给出"}));
  }
  if (limit->unlimited || limit->value >= enough) {
    return ok(id, true,
              text({"enough memory may be locked for RDMA", "可锁定的内存足够 RDMA 使用"}));
  }
  return failure(
      id, static_cast<std::int64_t>(limit->value),
      text({"memlock is too low for RDMA: only {} may be locked, and ibv_reg_mr fails with "
            "\"Cannot allocate memory\"",
            "memlock 过低，RDMA 无法使用：仅可锁定 {}，ibv_reg_mr 会报 \"Cannot allocate "
            "memory\""},
           format_bytes(limit->value)),
      text({"printf '* soft memlock unlimited\\n* hard memlock unlimited\\n' | sudo tee "
            "/etc/security/limits.d/rdma.conf, then log in anew; in a systemd unit "
            "LimitMEMLOCK=infinity; docker run --ulimit memlock=-1",
            "执行 printf '* soft memlock unlimited\\n* hard memlock unlimited\\n' | sudo tee "
            "/etc/security/limits.d/rdma.conf 后重新登录；systemd 单元中用 "
            "LimitMEMLOCK=infinity；容器用 docker run --ulimit memlock=-1"}));
}

void probe_network_rdma(MachineSource& machine, Findings& findings) {
  const auto ports = list_rdma_ports(machine);
  if (ports.empty()) {
    findings.push_back(
        info("network.rdma", std::string("none"),
             text({"no InfiniBand or RoCE device found", "未发现 InfiniBand 或 RoCE 设备"})));
    return;
  }
  for (const RdmaPort& port : ports) findings.push_back(rate(port));
  findings.push_back(usable(machine));
  findings.push_back(locked_memory(machine));
}

}  // namespace

extern const Probe network_rdma;
const Probe network_rdma{.name = "network_rdma", .order = 710, .run = probe_network_rdma};

}  // namespace premise
