// The CUDA toolkit, if there is one: nvcc and nvidia-smi show two different versions, and rightly
// so. nvidia-smi shows the newest CUDA that the driver runs, nvcc the one that programs are
// compiled with. Trouble begins where nvcc is newer, or does not know the card. Premise itself
// needs no toolkit; those who build extensions for their frameworks do.
#include <algorithm>

#include "machine/compatibility/rules.h"
#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr const char* cuda_toolkit_id = "cuda.toolkit";

struct Toolkit {
  CommandState state = CommandState::not_found;
  std::optional<Version> version;
  bool off_path = false;  // found at its usual place only
};

// "Cuda compilation tools, release 12.4, V12.4.131"
std::optional<Version> release_of(const std::string& out) {
  const std::size_t at = out.find("release ");
  return at == std::string::npos ? std::nullopt
                                 : parse_version(std::string_view(out).substr(at + 8));
}

Toolkit find_toolkit(MachineSource& machine) {
  CommandAnswer answer = machine.run_command({"nvcc", "--version"});
  Toolkit toolkit;
  if (answer.state == CommandState::not_found) {
    answer = machine.run_command({"/usr/local/cuda/bin/nvcc", "--version"});
    toolkit.off_path = true;
  }
  toolkit.state = answer.state;
  toolkit.version = release_of(answer.out);
  return toolkit;
}

Finding newer_than_driver(const Version& nvcc, const std::string& driver, const Version& cuda,
                          DriverFit fit) {
  const std::string toolkit = major_minor(nvcc);
  const Text fix =
      text({"install toolkit {} (sudo apt install cuda-toolkit-{}-{}), or driver {} or newer",
            "安装 {} 版工具包（sudo apt install cuda-toolkit-{}-{}），或 {} 及更新的驱动"},
           major_minor(cuda), cuda.major, cuda.minor,
           driver_needed(builtin_matrix(), nvcc).value_or("?"));
  if (fit == DriverFit::insufficient) {
    return warning(
        cuda_toolkit_id, toolkit,
        text({"nvcc is CUDA {}, driver {} runs up to CUDA {}: what it compiles ends with "
              "\"CUDA driver version is insufficient for CUDA runtime version\"",
              "nvcc 为 CUDA {}，驱动 {} 最高支持 CUDA {}：编译出的程序会报 \"CUDA driver "
              "version is insufficient for CUDA runtime version\""},
             toolkit, driver, major_minor(cuda)),
        fix);
  }
  return info(cuda_toolkit_id, toolkit,
              text({"nvcc is CUDA {}, nvidia-smi shows {}: programs run as long as they hold code "
                    "for the very card; PTX ends with \"compiled with an unsupported toolchain\"",
                    "nvcc 为 CUDA {}，nvidia-smi 显示 {}：含本卡机器码的程序可运行；PTX 会报 "
                    "\"compiled with an unsupported toolchain\""},
                   toolkit, major_minor(cuda)));
}

// A card that the compiler cannot make code for.
std::optional<Finding> unknown_card(const Version& nvcc, const Gpus& gpus) {
  const CudaRow* row = find_cuda(builtin_matrix(), nvcc);
  if (!row) return std::nullopt;
  for (const auto& [index, gpu] : working_cards(gpus)) {
    if (!gpu->capability) continue;
    if (std::ranges::find(row->capabilities, *gpu->capability) != row->capabilities.end()) continue;
    const auto first = first_cuda_for(builtin_matrix(), *gpu->capability);
    const bool dropped = first && *first <= nvcc;
    return warning(
        cuda_toolkit_id, major_minor(nvcc),
        text({"nvcc of CUDA {} makes no code for {} (\"Unsupported gpu architecture "
              "'compute_{}{}'\")",
              "CUDA {} 的 nvcc 不支持 {}（\"Unsupported gpu architecture 'compute_{}{}'\"）"},
             major_minor(nvcc), model_of(*gpu), gpu->capability->major, gpu->capability->minor),
        dropped ? text({"install an older toolkit: CUDA 12.9 is the last for cards before Turing",
                        "安装较旧的工具包：CUDA 12.9 是最后支持 Turing 之前显卡的版本"})
                : text({"install toolkit {} or newer", "安装 {} 或更新的工具包"},
                       first ? major_minor(*first) : std::string("?")));
  }
  return std::nullopt;
}

Finding toolkit(MachineSource& machine, const Gpus& gpus) {
  const Toolkit found = find_toolkit(machine);
  if (found.state == CommandState::not_found) {
    return info(cuda_toolkit_id, {},
                text({"no CUDA toolkit (nvcc); Premise does not need one",
                      "没有 CUDA 工具包（nvcc）；Premise 不需要它"}));
  }
  if (!found.version) {
    return info(cuda_toolkit_id, {}, text({"nvcc does not say its version", "nvcc 未给出版本"}));
  }
  if (auto finding = unknown_card(*found.version, gpus)) return *finding;
  const std::string driver = gpus.driver();
  const auto driver_version = parse_version(driver);
  if (driver_version) {
    const DriverFit fit = driver_fit(builtin_matrix(), *driver_version, *found.version);
    const auto cuda = gpus.report.cuda_version ? gpus.report.cuda_version
                                               : newest_cuda(builtin_matrix(), *driver_version);
    if (fit != DriverFit::full && cuda) {
      return newer_than_driver(*found.version, driver, *cuda, fit);
    }
  }
  const std::string version = major_minor(*found.version);
  if (found.off_path) {
    return info(cuda_toolkit_id, version,
                text({"CUDA toolkit {} is installed, nvcc is not in the PATH",
                      "已安装 CUDA 工具包 {}，但 nvcc 不在 PATH 中"},
                     version),
                command_line("export PATH=/usr/local/cuda/bin:$PATH"));
  }
  return ok(cuda_toolkit_id, version, text({"CUDA toolkit {}", "CUDA 工具包 {}"}, version));
}

void probe_cuda_toolkit(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  findings.push_back(toolkit(machine, gpus));
}

}  // namespace

extern const Probe cuda_toolkit;
const Probe cuda_toolkit{"cuda_toolkit", 620, probe_cuda_toolkit};

}  // namespace premise
