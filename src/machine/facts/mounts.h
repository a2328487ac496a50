// Where a path lies: its file system, and the disk below it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "machine/source.h"

namespace premise {

/// A line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
struct Mount {
  std::string device;  // "259:2"; major 0: no block device
  std::string point;
  std::string type;    // "ext4"
  std::string source;  // "/dev/nvme0n1p2", "server:/export"
};

/// The mount that an absolute path lies on; nothing where mountinfo cannot be read.
std::optional<Mount> mount_of(MachineSource& machine, std::string_view path);

enum class StorageClass {
  nvme,
  ssd,  // SATA or SAS
  hdd,
  virtual_disk,     // a disk of a virtual machine: what is behind it cannot be seen
  network,          // NFS, SMB, Ceph, Lustre, NVMe over fabrics, …
  memory,           // tmpfs
  container_layer,  // goes with the container
  windows_drive,    // a drive of Windows inside WSL
  unknown,
};

/// "nvme", "ssd", "hdd", "virtual", "network", "memory", "container_layer", "windows_drive",
/// "unknown".
std::string_view name_of(StorageClass kind);

StorageClass storage_class(MachineSource& machine, const Mount& mount);

struct Disk {
  std::string name;  // "nvme0n1"
  StorageClass kind = StorageClass::unknown;
  std::uint64_t bytes = 0;
};

/// The whole disks of the machine, without loop devices, RAM disks and joined ones (RAID, LVM).
std::vector<Disk> list_disks(MachineSource& machine);

}  // namespace premise
