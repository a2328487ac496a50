// Network interfaces and RDMA devices, as sysfs lists them. Addresses are not read: nothing here
// depends on them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "machine/source.h"

namespace premise {

struct NetworkInterface {
  std::string name;       // "eth0"
  bool physical = false;  // a device of the machine; else a bridge, a tunnel, a container's end, …
  bool wireless = false;
  bool up = false;
  bool infiniband = false;           // IP over InfiniBand
  bool half_duplex = false;
  std::int64_t bits_per_second = 0;  // 0: not told (virtual cards, links that are down)
  std::int64_t largest_packet = 0;   // bytes (MTU); 0: not told
  std::string driver{};              // "virtio_net"; empty: not told
};

/// Those that packets may leave the machine by: without loopback, bridges and tunnels. Where the
/// kernel shows no physical one (a container, a small virtual machine), what stands in for it.
std::vector<NetworkInterface> list_interfaces(MachineSource& machine);

struct RdmaPort {
  std::string device;  // "mlx5_0"
  int port = 1;
  bool active = false;
  bool ethernet = false;  // RoCE; else InfiniBand
  std::int64_t bits_per_second = 0;
  int roce_v2_gid = -1;  // index of a RoCE v2 address; -1: none
};

std::vector<RdmaPort> list_rdma_ports(MachineSource& machine);

}  // namespace premise
