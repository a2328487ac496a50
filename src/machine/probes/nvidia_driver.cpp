// The NVIDIA driver: there, loaded, of one release with its library, answering; and how far it is
// supported. The states that end in a sentence people search for carry that sentence.
#include "machine/compatibility/rules.h"
#include "machine/facts/os_release.h"
#include "machine/facts/virtualization.h"
#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr const char* nvidia_driver_id = "nvidia.driver";

std::string install_driver(MachineSource& machine) {
  const OsRelease os = read_os_release(machine);
  if (os.id == "ubuntu") return "sudo ubuntu-drivers install";
  return install_command(os, "nvidia-driver", "cuda-drivers");
}

Finding not_installed(MachineSource& machine, const Gpus& gpus) {
  if (gpus.nouveau) {
    return failure(
        nvidia_driver_id, {},
        text({"the free driver nouveau holds the GPU; it does not run CUDA",
              "GPU 正由开源驱动 nouveau 占用，它不支持 CUDA"}),
        text({"{}, then: sudo reboot", "{}，然后执行 sudo reboot"}, install_driver(machine)));
  }
  return failure(
      nvidia_driver_id, {}, text({"no NVIDIA driver is installed", "未安装 NVIDIA 驱动"}),
      text({"{}, then: sudo reboot", "{}，然后执行 sudo reboot"}, install_driver(machine)));
}

// The library reports "12.535.129.03": CUDA's major version, then the driver's.
std::string library_driver(const NvmlReport& report) {
  const std::string version = report.library_version.value_or("?");
  const std::size_t dot = version.find('.');
  return dot == std::string::npos ? version : version.substr(dot + 1);
}

Finding mismatch(const Gpus& gpus) {
  return failure(
      nvidia_driver_id, {},
      text({"\"Failed to initialize NVML: Driver/library version mismatch\": the kernel runs "
            "module {}, the library is {}; the driver was updated since the last start",
            "\"Failed to initialize NVML: Driver/library version mismatch\"：内核模块为 {}，库为 "
            "{}；驱动更新后尚未重启"},
           gpus.kernel_driver.empty() ? "?" : gpus.kernel_driver, library_driver(gpus.report)),
      command_line("sudo reboot"));
}

Finding not_loaded(MachineSource& machine, const Gpus& gpus) {
  if (gpus.on_bus.empty() && wsl_version(machine) == 0) {
    return info(nvidia_driver_id, {},
                text({"the NVIDIA library is installed, no card is there",
                      "已安装 NVIDIA 库，但没有显卡"}));
  }
  return failure(nvidia_driver_id, {},
                 text({"the driver is installed but not loaded (\"couldn't communicate with the "
                       "NVIDIA driver\"): often a new kernel without its module, or Secure Boot",
                       "驱动已安装但未加载（\"couldn't communicate with the NVIDIA driver\"）："
                       "常见原因是新内核缺少模块或启用了 Secure Boot"}),
                 text({"sudo modprobe nvidia; if that fails: sudo dkms autoinstall, "
                       "mokutil --sb-state",
                       "sudo modprobe nvidia；若失败：sudo dkms autoinstall、mokutil --sb-state"}));
}

Finding trouble(MachineSource& machine, const Gpus& gpus) {
  switch (gpus.report.state) {
    case NvmlState::version_mismatch:
      return mismatch(gpus);
    case NvmlState::driver_not_loaded:
      return not_loaded(machine, gpus);
    case NvmlState::timed_out:
      return failure(nvidia_driver_id, {},
                     text({"the driver does not answer: a GPU hangs", "驱动没有响应：有 GPU 卡死"}),
                     text({"sudo dmesg | grep -E 'NVRM|Xid', then: sudo reboot",
                           "sudo dmesg | grep -E 'NVRM|Xid'，然后执行 sudo reboot"}));
    case NvmlState::no_permission:
      return failure(nvidia_driver_id, {},
                     text({"this user or control group may not open the GPU's device nodes",
                           "当前用户或控制组无权打开 GPU 设备节点"}),
                     command_line("ls -l /dev/nvidia*"));
    default:
      return failure(
          nvidia_driver_id, gpus.report.error,
          text({"the driver cannot be asked (NVML code {})", "无法查询驱动（NVML 代码 {}）"},
               gpus.report.error),
          command_line("nvidia-smi"));
  }
}

Finding works(const Gpus& gpus) {
  const std::string driver = gpus.driver();
  const auto& cuda = gpus.report.cuda_version;
  if (!cuda) return ok(nvidia_driver_id, driver, text({"driver {}", "驱动 {}"}, driver));
  return ok(nvidia_driver_id, driver,
            text({"driver {}, runs programs up to CUDA {}", "驱动 {}，最高支持 CUDA {}"}, driver,
                 major_minor(*cuda)));
}

Text next_branch(MachineSource& machine, std::string_view day) {
  const DriverBranch* long_term = long_term_branch(builtin_matrix(), day);
  if (!long_term)
    return text({"install a newer Premise, whose table knows newer branches",
                 "请安装更新版本的 Premise，其表格包含更新的驱动分支"});
  const OsRelease os = read_os_release(machine);
  const std::string package =
      os.id == "ubuntu"
          ? fmt::format("sudo apt install -y nvidia-driver-{}-server", long_term->branch)
          : fmt::format("{}", install_driver(machine));
  return text({"production: {} (long-term branch R{}, supported to {}); a test machine may take "
               "the newest",
               "生产环境：{}（长期支持分支 R{}，支持至 {}）；测试机可用最新版"},
              package, long_term->branch, long_term->end);
}

Finding branch(MachineSource& machine, const Version& driver) {
  constexpr const char* branch_id = "nvidia.branch";
  const std::string day = today(machine);
  const std::int64_t number = driver.major;
  const DriverBranch* row = find_branch(builtin_matrix(), driver.major);
  if (!row) {
    return info(
        branch_id, number,
        text({"driver branch R{} is not in the table of {}", "驱动分支 R{} 不在 {} 版的表格中"},
             number, builtin_matrix().date));
  }
  if (support_ended(*row, day)) {
    const Text when = row->end == "ended" ? Text{} : text({" in {}", "（{} 到期）"}, row->end);
    const Text why = text({"driver branch R{}: support and security fixes ended",
                           "驱动分支 R{} 已停止支持，不再有安全更新"},
                          number);
    return warning(branch_id, number, {why.en + when.en, why.zh + when.zh},
                   next_branch(machine, day));
  }
  if (row->kind == DriverBranch::Kind::long_term) {
    return ok(branch_id, number,
              text({"driver branch R{} is a long-term branch, supported to {}",
                    "驱动分支 R{} 为长期支持分支，支持至 {}"},
                   number, row->end));
  }
  return info(branch_id, number,
              text({"driver branch R{} is off the long-term branch, supported to {}",
                    "驱动分支 R{} 不是长期支持分支，支持至 {}"},
                   number, row->end),
              next_branch(machine, day));
}

void probe_nvidia_driver(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  if (gpus.damage) return;  // gpu.cards says it
  if (!gpus.nvml_installed) {
    if (gpus.on_bus.empty()) return;
    // A container sees the bus of its host and has no driver of its own: nvidia.container.
    if (container_kind(machine).empty()) findings.push_back(not_installed(machine, gpus));
    return;
  }
  findings.push_back(gpus.driver_works() ? works(gpus) : trouble(machine, gpus));
  const auto driver = parse_version(gpus.driver());
  if (driver && wsl_version(machine) == 0) findings.push_back(branch(machine, *driver));
}

}  // namespace

extern const Probe nvidia_driver;
const Probe nvidia_driver{"nvidia_driver", 600, probe_nvidia_driver};

}  // namespace premise
