// Where models are kept: on which kind of storage, with how much room, and whether it can be
// written.
#include <algorithm>

#include "base/printable.h"
#include "base/units.h"
#include "machine/facts/mounts.h"
#include "machine/probe.h"

namespace premise {
namespace {

/// The store, or the nearest folder above it that exists, and what statvfs says there.
struct Place {
  std::string path;
  FileSystemAnswer space;
};

std::optional<Place> place_of(MachineSource& machine, std::string path) {
  while (!path.empty()) {
    if (auto space = machine.file_system(path)) return Place{path, *space};
    if (path == "/") break;
    const std::size_t slash = path.rfind('/');
    path = slash == 0 ? "/" : path.substr(0, slash == std::string::npos ? 0 : slash);
  }
  return std::nullopt;
}

Text move_to_nvme() {
  return text(
      {"keep models that are served on a local NVMe disk: export PREMISE_HOME=/path/on/nvme",
       "将要使用的模型放在本地 NVMe 盘上：export PREMISE_HOME=/nvme/上的路径"});
}

Finding judged(StorageClass kind, const std::string& path) {
  constexpr const char* id = "storage.store";
  const std::string value(name_of(kind));
  switch (kind) {
    case StorageClass::nvme:
      return ok(id, value, text({"{} is on NVMe: the fast tier", "{} 位于 NVMe：高速层"}, path));
    case StorageClass::ssd:
      return ok(id, value,
                text({"{} is on a SATA or SAS SSD: good; NVMe loads models several times "
                      "faster",
                      "{} 位于 SATA/SAS 固态盘：可用；NVMe 加载模型快数倍"},
                     path));
    case StorageClass::virtual_disk:
      return info(id, value,
                  text({"{} is on a virtual disk: what is behind it cannot be seen, only "
                        "measured (storage.read_rate)",
                        "{} 位于虚拟磁盘：背后的介质不可见，只能测量（storage.read_rate）"},
                       path));
    case StorageClass::hdd:
      return warning(id, value,
                     text({"{} is on a hard disk: the tier for models that rest; one of "
                           "10 GB takes a minute to load",
                           "{} 位于机械硬盘：适合存放闲置模型；加载 10 GB 约需一分钟"},
                          path),
                     move_to_nvme());
    case StorageClass::network:
      return warning(id, value,
                     text({"{} is on network storage: the tier for models that rest; "
                           "loading is as fast as the network, and stops with it",
                           "{} 位于网络存储：适合存放闲置模型；加载速度取决于网络，网络中断即停止"},
                          path),
                     move_to_nvme());
    case StorageClass::memory:
      return warning(id, value,
                     text({"{} lies in memory (tmpfs): models take the memory they need to "
                           "run in, and are gone after a restart",
                           "{} 位于内存（tmpfs）：模型挤占运行所需的内存，重启后消失"},
                          path),
                     move_to_nvme());
    case StorageClass::container_layer:
      return warning(
          id, value,
          text({"{} lies in the container's own layer and is gone with the container",
                "{} 位于容器自身的层中，随容器一起消失"},
               path),
          text({"give it a volume: docker run -v premise-models:/models -e PREMISE_HOME=/models …",
                "使用数据卷：docker run -v premise-models:/models -e PREMISE_HOME=/models …"}));
    case StorageClass::windows_drive:
      return warning(
          id, value,
          text({"{} is on a drive of Windows, which WSL reads through a slow protocol (9P)",
                "{} 位于 Windows 磁盘，WSL 通过较慢的协议（9P）读取"},
               path),
          text({"keep models on the disk of Linux: export PREMISE_HOME=$HOME/.premise",
                "将模型放在 Linux 自己的磁盘上：export PREMISE_HOME=$HOME/.premise"}));
    case StorageClass::unknown:
      break;
  }
  return info(id, value, text({"{}: the kind of its disk is unknown", "{}：磁盘类型未知"}, path));
}

Finding free_space(const Place& place) {
  constexpr const char* id = "storage.free";
  constexpr std::uint64_t recommended = 1'000'000'000'000;
  constexpr std::uint64_t some_models = 100'000'000'000;
  const std::uint64_t bytes = place.space.available_bytes;
  const auto value = static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, INT64_MAX));
  const std::string free = format_bytes(bytes);
  if (bytes >= recommended) {
    return ok(id, value, text({"{} are free for models", "可用于模型的空间 {}"}, free));
  }
  const Text why = text({"{} are free; for a cache of models 1 TB of NVMe is recommended",
                         "剩余 {}；模型缓存建议 1 TB NVMe"},
                        free);
  if (bytes >= some_models) return info(id, value, why);
  return warning(
      id, value, why,
      text({"see what the store holds: premise list; remove what is not needed: premise rm "
            "NAME; or move it: export PREMISE_HOME=/path/with/room",
            "查看模型库：premise list；删除不需要的：premise rm NAME；或迁移：export "
            "PREMISE_HOME=/空间充足的路径"}));
}

Finding writable(MachineSource& machine, const Place& place) {
  constexpr const char* id = "storage.writable";
  const std::string path = printable(place.path);
  const Text elsewhere =
      text({"name a folder that this user may write: export PREMISE_HOME=/path; or "
            "hand it over: sudo chown \"$USER\" {}",
            "指定当前用户可写的目录：export PREMISE_HOME=/path；或移交所有权：sudo "
            "chown \"$USER\" {}"},
           path);
  if (place.space.read_only) {
    return failure(
        id, false,
        text({"{} is on a file system that is mounted read-only: no model can "
              "be stored",
              "{} 所在文件系统以只读方式挂载：无法保存模型"},
             path),
        text({"name another folder: export PREMISE_HOME=/path; or mount it writable: sudo "
              "mount -o remount,rw MOUNTPOINT",
              "指定其他目录：export PREMISE_HOME=/path；或改为可写：sudo mount -o "
              "remount,rw MOUNTPOINT"}));
  }
  const CommandAnswer answer = machine.run_command({"test", "-w", place.path});
  if (answer.state == CommandState::exited && answer.exit_code == 1) {
    return failure(id, false,
                   text({"{} may not be written by this user: no model can be stored",
                         "当前用户不能写入 {}：无法保存模型"},
                        path),
                   elsewhere);
  }
  if (!answer) {
    return info(id, {},
                text({"whether {} can be written is not known", "无法得知 {} 是否可写"}, path));
  }
  return ok(id, true, text({"{} can be written", "{} 可写"}, path));
}

void probe_storage_store(MachineSource& machine, Findings& findings) {
  const std::string store = machine.store_folder();
  const auto place = place_of(machine, store);
  if (!place) {
    findings.push_back(warning(
        "storage.store", {},
        text({"nobody knows where the models are: neither PREMISE_HOME nor HOME names a folder",
              "不知道模型在哪里：PREMISE_HOME 与 HOME 均未给出目录"}),
        text({"export PREMISE_HOME=/path/for/models", "执行 export PREMISE_HOME=/模型目录"})));
    return;
  }
  if (place->space.silent) {
    findings.push_back(
        failure("storage.store", std::string("network"),
                text({"{} does not answer: the server of this share is out of reach",
                      "{} 没有应答：该共享的服务器不可达"},
                     printable(place->path)),
                text({"bring the server back, or detach the share: sudo umount -f -l MOUNTPOINT",
                      "恢复服务器，或卸下共享：sudo umount -f -l MOUNTPOINT"})));
    return;
  }
  const auto mount = mount_of(machine, place->path);
  findings.push_back(
      judged(mount ? storage_class(machine, *mount) : StorageClass::unknown, printable(store)));
  findings.push_back(free_space(*place));
  findings.push_back(writable(machine, *place));
}

}  // namespace

extern const Probe storage_store;
const Probe storage_store{.name = "storage_store", .order = 410, .run = probe_storage_store};

}  // namespace premise
