// The disks of the machine.
#include "base/printable.h"
#include "base/units.h"
#include "machine/facts/mounts.h"
#include "machine/facts/words.h"
#include "machine/probe.h"

namespace premise {
namespace {

Text kind_in_words(StorageClass kind) {
  switch (kind) {
    case StorageClass::nvme:
      return text({"NVMe", "NVMe 固态盘"});
    case StorageClass::ssd:
      return text({"SSD", "固态盘"});
    case StorageClass::hdd:
      return text({"hard disk", "机械硬盘"});
    case StorageClass::virtual_disk:
      return text({"virtual disk", "虚拟磁盘"});
    case StorageClass::network:
      return text({"over the network", "网络存储"});
    default:
      return text({"unknown kind", "类型未知"});
  }
}

void probe_storage_disks(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "storage.disks";
  Text all;
  std::vector<std::string> value;
  for (const Disk& disk : list_disks(machine)) {
    const Text kind = kind_in_words(disk.kind);
    const std::string name = printable(disk.name);
    const std::string bytes = format_bytes(disk.bytes);
    const Text one{fmt::format("{} {} ({})", name, bytes, kind.en),
                   fmt::format("{} {}（{}）", name, bytes, kind.zh)};
    all = all.empty() ? one : and_then(all, one);
    value.push_back(fmt::format("{}:{}:{}", name, name_of(disk.kind), disk.bytes));
  }
  findings.push_back(value.empty() ? info(id, {}, text({"no disk found", "未发现磁盘"}))
                                   : info(id, joined(value, " "), all));
}

}  // namespace

extern const Probe storage_disks;
const Probe storage_disks{.name = "storage_disks", .order = 400, .run = probe_storage_disks};

}  // namespace premise
