#include "machine/facts/network.h"

#include <algorithm>

#include "machine/facts/words.h"

namespace premise {
namespace {

bool is_virtual_interface(std::string_view name) {
  for (const std::string_view kind :
       {"lo",  "docker", "veth",  "br-",       "virbr",   "vnet", "ifb",
        "tun", "tap",    "wg",    "cni",       "flannel", "cali", "dummy",
        "sit", "podman", "vmnet", "tailscale", "kube",    "lxc",  "lxd"})
    if (name.starts_with(kind)) return true;
  return false;
}

NetworkInterface read_interface(MachineSource& machine, const std::string& name) {
  const std::string folder = "/sys/class/net/" + name;
  NetworkInterface found{.name = name};
  found.physical = bool(machine.read_file(folder + "/device/uevent"));
  found.wireless = machine.list_folder(folder + "/wireless").state == AnswerState::given;
  // A link that cannot tell its state counts as up where it has a carrier.
  const std::string state = read_line(machine, folder + "/operstate").value_or("");
  found.up = state == "up" ||
             (state == "unknown" && read_number(machine, folder + "/carrier").value_or(0) == 1);
  constexpr std::int64_t type_infiniband = 32;  // ARPHRD_INFINIBAND
  found.infiniband = read_number(machine, folder + "/type") == type_infiniband;
  found.half_duplex = read_line(machine, folder + "/duplex") == "half";
  found.largest_packet = read_number(machine, folder + "/mtu").value_or(0);
  const std::string driver = machine.read_link(folder + "/device/driver").text;
  found.driver = driver.substr(driver.rfind('/') + 1);  // of npos: all of it
  const std::int64_t megabits = read_number(machine, folder + "/speed").value_or(0);
  if (megabits > 0 && megabits < 10'000'000) found.bits_per_second = megabits * 1'000'000;
  return found;
}

/// The last address of type RoCE v2: cards list IPv6's link-local one first and IPv4's behind it,
/// and that is the one which is routed.
int roce_v2_gid(MachineSource& machine, const std::string& port) {
  constexpr int looked_at = 16;
  int found = -1;
  for (int i = 0; i < looked_at; ++i) {
    const auto type = read_line(machine, port + "/gid_attrs/types/" + std::to_string(i));
    if (type == "RoCE v2") found = i;
  }
  return found;
}

}  // namespace

std::vector<NetworkInterface> list_interfaces(MachineSource& machine) {
  std::vector<NetworkInterface> all;
  for (const std::string& name : machine.list_folder("/sys/class/net").names)
    if (!is_virtual_interface(name)) all.push_back(read_interface(machine, name));
  const bool any_physical =
      std::any_of(all.begin(), all.end(), [](const NetworkInterface& one) { return one.physical; });
  if (any_physical) {
    // Bonds and VLANs run over physical ones, which are listed themselves.
    std::erase_if(all, [](const NetworkInterface& one) { return !one.physical; });
  }
  return all;
}

std::vector<RdmaPort> list_rdma_ports(MachineSource& machine) {
  std::vector<RdmaPort> ports;
  const std::string top = "/sys/class/infiniband";
  for (const std::string& device : machine.list_folder(top).names) {
    for (const std::string& number : machine.list_folder(top + "/" + device + "/ports").names) {
      const auto index = whole_number(number);
      if (!index || *index < 1 || *index > 255) continue;
      const std::string folder = top + "/" + device + "/ports/" + number;
      RdmaPort port{.device = device, .port = static_cast<int>(*index)};
      port.active =
          read_line(machine, folder + "/state").value_or("").find("ACTIVE") != std::string::npos;
      port.ethernet = read_line(machine, folder + "/link_layer") == "Ethernet";
      // "100 Gb/sec (4X EDR)"
      const auto gigabits = leading_number(read_line(machine, folder + "/rate").value_or(""));
      if (gigabits && *gigabits > 0 && *gigabits < 1e6)
        port.bits_per_second = static_cast<std::int64_t>(*gigabits * 1e9);
      if (port.ethernet) port.roce_v2_gid = roce_v2_gid(machine, folder);
      ports.push_back(std::move(port));
    }
  }
  return ports;
}

}  // namespace premise
