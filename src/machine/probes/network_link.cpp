// Links to other machines. Values are bits a second, as networks are sold.
#include <algorithm>

#include "machine/facts/network.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr std::int64_t recommended_link = 1'000'000'000;

std::string in_words(std::int64_t bits) {
  return bits >= 1'000'000'000 ? fmt::format("{:g} Gb/s", static_cast<double>(bits) / 1e9)
                               : fmt::format("{} Mb/s", bits / 1'000'000);
}

/// "eno1 (ixgbe, MTU 9000)"
std::string card(const NetworkInterface& interface) {
  std::string about = interface.driver;
  if (interface.largest_packet > 0)
    about += fmt::format("{}MTU {}", about.empty() ? "" : ", ", interface.largest_packet);
  return about.empty() ? interface.name : fmt::format("{} ({})", interface.name, about);
}

Text negotiate(const std::string& name) {
  return text({"check cable and switch port, then: sudo ethtool -s {} autoneg on",
               "检查网线与交换机端口，然后执行：sudo ethtool -s {} autoneg on"},
              name);
}

Finding untold_speed(const std::string& id, const NetworkInterface& interface) {
  if (interface.wireless)
    return info(id, {},
                text({"{}: up, wireless; for a service take a cable",
                      "{}：已连接，无线；生产服务请使用有线网络"},
                     card(interface)));
  return info(id, {},
              text({"{}: up, does not tell its speed (virtual cards do not)",
                    "{}：已连接，未给出速率（虚拟网卡如此）"},
                   card(interface)));
}

Finding link(const NetworkInterface& interface) {
  const std::string id = "network.link." + interface.name;
  const std::int64_t bits = interface.bits_per_second;
  if (!interface.up)
    return info(id, std::int64_t{0}, text({"{}: down", "{}：未连接"}, card(interface)));
  if (bits == 0) return untold_speed(id, interface);
  const std::string speed = in_words(bits);
  if (interface.half_duplex) {
    return warning(id, bits,
                   text({"{}: {}, half duplex: one side negotiates and the other does not, and "
                         "packets collide",
                         "{}：{}，半双工：两端协商不一致，数据包会冲突"},
                        card(interface), speed),
                   negotiate(interface.name));
  }
  if (bits < recommended_link) {
    return warning(
        id, bits,
        text({"{}: {}; a service wants 1 Gb/s, and a model of 5 GB takes {:.0f} s to fetch",
              "{}：{}；服务建议 1 Gb/s，获取 5 GB 的模型需 {:.0f} 秒"},
             card(interface), speed, 40e9 / static_cast<double>(bits)),
        negotiate(interface.name));
  }
  return ok(id, bits, text({"{}: {}", "{}：{}"}, card(interface), speed));
}

void probe_network_link(MachineSource& machine, Findings& findings) {
  const auto interfaces = list_interfaces(machine);
  if (std::none_of(interfaces.begin(), interfaces.end(),
                   [](const NetworkInterface& one) { return one.up; })) {
    findings.push_back(info("network.link", {},
                            text({"no link to other machines found", "未发现与其他机器的连接"})));
  }
  for (const NetworkInterface& interface : interfaces) findings.push_back(link(interface));
}

}  // namespace

extern const Probe network_link;
const Probe network_link{.name = "network_link", .order = 700, .run = probe_network_link};

}  // namespace premise
