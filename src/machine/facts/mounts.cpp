// Telling disks apart. A disk's queue/rotational is 1 for hard disks, but also for virtual ones,
// whose hypervisors do not know better; NVMe shows in the name, and may still be remote (NVMe over
// fabrics, /sys/class/nvme/*/transport). RAID and LVM are as slow as their slowest part.
#include "machine/facts/mounts.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "machine/facts/words.h"

namespace premise {
namespace {

constexpr std::array network_types{
    "nfs",       "nfs4",         "cifs",           "smb3",           "smbfs",      "ceph",
    "glusterfs", "lustre",       "beegfs",         "gpfs",           "afs",        "fuse.sshfs",
    "fuse.s3fs", "fuse.juicefs", "fuse.ceph-fuse", "fuse.glusterfs", "fuse.rclone"};

/// mountinfo writes blanks as \040.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      out +=
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool lies_below(std::string_view path, std::string_view point) {
  if (point == "/") return true;
  return path.starts_with(point) && (path.size() == point.size() || path[point.size()] == '/');
}

std::string base_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

bool is_virtual_disk(std::string_view name) {
  for (const std::string_view kind : {"loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd"})
    if (name.starts_with(kind)) return true;
  return false;
}

bool is_disk(MachineSource& machine, const std::string& name) {
  return bool(machine.read_file("/sys/block/" + name + "/size"));
}

/// The disk that a partition is a part of; the name itself where it is no partition.
std::string whole_disk(MachineSource& machine, const std::string& name) {
  if (is_disk(machine, name)) return name;
  // ../../devices/pci0000:00/…/nvme/nvme0/nvme0n1/nvme0n1p2
  const FileAnswer link = machine.read_link("/sys/class/block/" + name);
  const auto parts = pieces_of(link.text, '/');
  return link && parts.size() >= 2 ? std::string(parts[parts.size() - 2]) : name;
}

StorageClass class_of_disk(MachineSource& machine, const std::string& partition, int depth = 0);

/// As slow as the slowest of the disks that it is made of.
StorageClass class_of_joined(MachineSource& machine, const std::string& name, int depth) {
  constexpr std::array from_slow_to_fast{StorageClass::network, StorageClass::hdd,
                                         StorageClass::virtual_disk, StorageClass::ssd,
                                         StorageClass::nvme};
  std::vector<StorageClass> kinds;
  for (const std::string& part : machine.list_folder("/sys/block/" + name + "/slaves").names)
    kinds.push_back(class_of_disk(machine, part, depth + 1));
  for (const StorageClass kind : from_slow_to_fast)
    if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) return kind;
  return StorageClass::unknown;
}

StorageClass class_of_disk(MachineSource& machine, const std::string& partition, int depth) {
  constexpr int deepest = 8;  // crypt on LVM on RAID is three
  if (depth > deepest) return StorageClass::unknown;
  const std::string name = whole_disk(machine, partition);
  if (name.starts_with("dm-") || name.starts_with("md"))
    return class_of_joined(machine, name, depth);
  if (name.starts_with("nvme")) {
    const auto transport =
        read_line(machine, "/sys/class/nvme/" + name.substr(0, name.find('n', 4)) + "/transport");
    const bool remote = transport && *transport != "pcie" && *transport != "apple-nvme";
    return remote ? StorageClass::network : StorageClass::nvme;
  }
  if (name.starts_with("vd") || name.starts_with("xvd")) return StorageClass::virtual_disk;
  const std::string vendor =
      read_line(machine, "/sys/block/" + name + "/device/vendor").value_or("");
  for (const std::string_view maker : {"QEMU", "VMware", "Msft", "VBOX", "Google"})
    if (contains_word(vendor, maker)) return StorageClass::virtual_disk;
  const auto rotates = read_number(machine, "/sys/block/" + name + "/queue/rotational");
  if (!rotates) return StorageClass::unknown;
  return *rotates != 0 ? StorageClass::hdd : StorageClass::ssd;
}

}  // namespace

std::optional<Mount> mount_of(MachineSource& machine, std::string_view path) {
  // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
  const FileAnswer table = machine.read_file("/proc/self/mountinfo");
  std::optional<Mount> best;
  for (const std::string_view line : lines_of(table.text)) {
    const auto words = words_of(line);
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (dash - words.begin() < 6 || words.end() - dash < 3) continue;
    std::string point = decoded(words[4]);
    // A later mount on the same point hides the earlier one.
    if (!lies_below(path, point) || (best && point.size() < best->point.size())) continue;
    best = Mount{std::string(words[2]), std::move(point), std::string(dash[1]), decoded(dash[2])};
  }
  return best;
}

std::string_view name_of(StorageClass kind) {
  switch (kind) {
    case StorageClass::nvme:
      return "nvme";
    case StorageClass::ssd:
      return "ssd";
    case StorageClass::hdd:
      return "hdd";
    case StorageClass::virtual_disk:
      return "virtual";
    case StorageClass::network:
      return "network";
    case StorageClass::memory:
      return "memory";
    case StorageClass::container_layer:
      return "container_layer";
    case StorageClass::windows_drive:
      return "windows_drive";
    case StorageClass::unknown:
      return "unknown";
  }
  assert(false);
  return {};
}

StorageClass storage_class(MachineSource& machine, const Mount& mount) {
  const std::string& type = mount.type;
  if (std::find(network_types.begin(), network_types.end(), type) != network_types.end())
    return StorageClass::network;
  if (type == "tmpfs" || type == "ramfs") return StorageClass::memory;
  if (type == "overlay") return StorageClass::container_layer;
  if (type == "drvfs") return StorageClass::windows_drive;
  // WSL2 mounts C:\ by 9P, as other hypervisors mount folders of their host.
  if (type == "9p")
    return mount.point.starts_with("/mnt/") ? StorageClass::windows_drive : StorageClass::network;
  if (type == "virtiofs") return StorageClass::virtual_disk;
  if (!mount.device.starts_with("0:")) {
    const FileAnswer link = machine.read_link("/sys/dev/block/" + mount.device);
    if (link) return class_of_disk(machine, base_name(link.text));
  }
  // btrfs and zfs have numbers of their own, and old kernels call the root /dev/root.
  return mount.source.starts_with("/dev/") ? class_of_disk(machine, base_name(mount.source))
                                           : StorageClass::unknown;
}

std::vector<Disk> list_disks(MachineSource& machine) {
  std::vector<Disk> disks;
  for (const std::string& name : machine.list_folder("/sys/block").names) {
    if (is_virtual_disk(name)) continue;
    const std::int64_t sectors = read_number(machine, "/sys/block/" + name + "/size").value_or(0);
    constexpr std::int64_t sector_bytes = 512;  // of this file, whatever the disk's are
    if (sectors <= 0 || sectors > INT64_MAX / sector_bytes) continue;
    disks.push_back(
        {name, class_of_disk(machine, name), static_cast<std::uint64_t>(sectors * sector_bytes)});
  }
  return disks;
}

}  // namespace premise
