// NCCL's variables as this machine needs them, ready to be typed. NCCL takes the first interface
// that it finds, which on a server with Docker is often a bridge that no other machine can reach
// (https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html).
#include <algorithm>
#include <tuple>

#include "machine/facts/network.h"
#include "machine/facts/words.h"
#include "machine/probe.h"

namespace premise {
namespace {

/// For the exchange of addresses: the fastest cable; IP over InfiniBand only where nothing else is.
const NetworkInterface* socket_interface(const std::vector<NetworkInterface>& interfaces) {
  const NetworkInterface* best = nullptr;
  const auto rank = [](const NetworkInterface& one) {
    return std::tuple(!one.infiniband, !one.wireless, one.bits_per_second);
  };
  for (const NetworkInterface& one : interfaces)
    if (one.up && (best == nullptr || rank(one) > rank(*best))) best = &one;
  return best;
}

void probe_network_nccl(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "network.nccl";
  const auto interfaces = list_interfaces(machine);
  std::vector<std::string> variables;
  if (const NetworkInterface* interface = socket_interface(interfaces))
    variables.push_back("NCCL_SOCKET_IFNAME=" + interface->name);
  std::vector<std::string> cards;
  int gid = -1;
  for (const RdmaPort& port : list_rdma_ports(machine)) {
    if (!port.active) continue;
    cards.push_back(fmt::format("{}:{}", port.device, port.port));
    gid = std::max(gid, port.roce_v2_gid);
  }
  variables.push_back(cards.empty() ? "NCCL_IB_DISABLE=1" : "NCCL_IB_DISABLE=0");
  // '=' asks for exactly these names; without it mlx5_1 means mlx5_10 too.
  if (!cards.empty()) variables.push_back("NCCL_IB_HCA==" + joined(cards, ","));
  if (gid >= 0) variables.push_back("NCCL_IB_GID_INDEX=" + std::to_string(gid));
  const std::string all = joined(variables, " ");
  findings.push_back(
      info(id, all,
           cards.empty() ? text({"NCCL between machines goes over TCP here; what fits this machine "
                                 "follows",
                                 "本机的 NCCL 多机通信走 TCP；适合本机的变量如下"})
                         : text({"NCCL between machines goes over RDMA here; what fits this "
                                 "machine follows",
                                 "本机的 NCCL 多机通信走 RDMA；适合本机的变量如下"}),
           command_line("export " + all)));
}

}  // namespace

extern const Probe network_nccl;
const Probe network_nccl{.name = "network_nccl", .order = 720, .run = probe_network_nccl};

}  // namespace premise
