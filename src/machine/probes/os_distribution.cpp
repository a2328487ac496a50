// Which Linux, whether Premise and the tools around it (drivers, CUDA, Python wheels) are at home
// on it, and whether it still gets security updates.
//
// The ends of support are those that the distributors have published
// (ubuntu.com/about/release-cycle, wiki.debian.org/DebianReleases, centos.org). Only ends that had
// passed when this was written are listed, so that the verdict does not hang on the machine's
// clock.
#include <algorithm>
#include <array>

#include "machine/facts/os_release.h"
#include "machine/probe.h"

namespace premise {
namespace {

struct DistributionVersion {
  int major;
  int minor;
  auto operator<=>(const DistributionVersion&) const = default;
};

struct Family {
  std::string_view id;
  DistributionVersion oldest_good;
};

constexpr std::array families{Family{"ubuntu", {20, 4}}, Family{"debian", {12, 0}},
                              Family{"centos", {8, 0}},  Family{"rhel", {8, 0}},
                              Family{"rocky", {8, 0}},   Family{"almalinux", {8, 0}}};

struct EndOfSupport {
  std::string_view id;
  DistributionVersion version;  // of CentOS: its major number alone
  std::string_view day;
};

constexpr std::array ends{
    EndOfSupport{"centos", {7, 0}, "2024-06-30"}, EndOfSupport{"centos", {8, 0}, "2021-12-31"},
    EndOfSupport{"ubuntu", {18, 4}, "2023-05-31"}, EndOfSupport{"ubuntu", {20, 4}, "2025-05-31"},
    EndOfSupport{"debian", {10, 0}, "2024-06-30"}, EndOfSupport{"debian", {11, 0}, "2026-08-31"}};

/// Ubuntu's long-term releases are those of April in even years.
bool is_interim(const OsRelease& os) {
  return os.id == "ubuntu" && (os.major() % 2 != 0 || os.minor() != 4);
}

Text good_ones() {
  return text({"good are Ubuntu 20.04 LTS, Debian 12, CentOS/RHEL/Rocky/Alma 8, and later ones",
               "推荐 Ubuntu 20.04 LTS、Debian 12、CentOS/RHEL/Rocky/Alma 8 及更新的版本"});
}

Text how_to_upgrade(const OsRelease& os) {
  if (os.id == "ubuntu") return command_line("sudo do-release-upgrade");
  if (os.id == "debian")
    return text({"upgrade: https://www.debian.org/releases/stable/release-notes/",
                 "升级系统：https://www.debian.org/releases/stable/release-notes/"});
  return text(
      {"move to a release that is supported: https://docs.rockylinux.org/guides/migrate2rocky/",
       "迁移到仍受支持的发行版：https://docs.rockylinux.org/guides/migrate2rocky/"});
}

Finding distribution(const OsRelease& os) {
  constexpr const char* id = "os.distribution";
  if (os.id.empty()) {
    return info(id, {},
                text({"unknown: there is no /etc/os-release", "未知：没有 /etc/os-release"}));
  }
  const auto family = std::find_if(families.begin(), families.end(),
                                   [&](const Family& known) { return known.id == os.id; });
  if (family == families.end()) {
    return info(
        id, os.name,
        and_then(text({"{}: Premise is not tested on it", "{}：Premise 未在其上测试"}, os.name),
                 good_ones()));
  }
  if (DistributionVersion{os.major(), os.minor()} < family->oldest_good) {
    return warning(id, os.name,
                   and_then(text({"{}: too old", "{}：版本过旧"}, os.name), good_ones()),
                   how_to_upgrade(os));
  }
  if (is_interim(os)) {
    return info(
        id, os.name,
        text({"{}: an interim release, supported for nine months; for a service take an LTS",
              "{}：过渡版本，仅支持九个月；生产服务请使用 LTS 版本"},
             os.name));
  }
  return ok(id, os.name, text({"{}", "{}"}, os.name));
}

Finding updates(const OsRelease& os) {
  constexpr const char* id = "os.updates";
  const bool stream = os.name.find("Stream") != std::string::npos;  // has ends of its own
  for (const EndOfSupport& end : ends) {
    const bool same = end.id == os.id && end.version.major == os.major() &&
                      (end.version.minor == 0 || end.version.minor == os.minor());
    if (!same || stream) continue;
    return warning(
        id, std::string(end.day),
        text({"free security updates for {} ended on {}", "{} 的免费安全更新已于 {} 终止"}, os.name,
             end.day),
        how_to_upgrade(os));
  }
  return ok(id, {},
            text({"no end of support is known for this release", "未发现此版本已终止支持"}));
}

void probe_os_distribution(MachineSource& machine, Findings& findings) {
  const OsRelease os = read_os_release(machine);
  findings.push_back(distribution(os));
  findings.push_back(updates(os));
}

}  // namespace

extern const Probe os_distribution;
const Probe os_distribution{.name = "os_distribution", .order = 100, .run = probe_os_distribution};

}  // namespace premise
