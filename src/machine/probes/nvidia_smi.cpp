// nvidia-smi, the tool that everybody looks at first: does it answer, and does it say the same as
// the library? A hanging nvidia-smi is the first sign of a card in trouble.
#include "machine/facts/words.h"
#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr const char* nvidia_smi_id = "nvidia.smi";

// The word after "Driver Version:" in the head of nvidia-smi's table.
std::string word_after(std::string_view text, std::string_view label) {
  const std::size_t at = text.find(label);
  if (at == std::string_view::npos) return {};
  const auto words = words_of(text.substr(at + label.size(), 64));
  return words.empty() ? std::string() : std::string(words.front());
}

std::string first_line(std::string_view text) {
  for (const std::string_view line : lines_of(text)) {
    if (!trimmed(line).empty()) return std::string(trimmed(line).substr(0, 200));
  }
  return {};
}

Finding smi(const CommandAnswer& answer, const Gpus& gpus) {
  if (answer.state == CommandState::not_found) {
    return info(nvidia_smi_id, {}, text({"nvidia-smi is not installed", "未安装 nvidia-smi"}));
  }
  if (answer.state == CommandState::timed_out) {
    return failure(nvidia_smi_id, {},
                   text({"nvidia-smi hangs: the driver or a GPU does not answer",
                         "nvidia-smi 无响应：驱动或 GPU 卡死"}),
                   text({"sudo dmesg | grep -E 'NVRM|Xid', then: sudo reboot",
                         "sudo dmesg | grep -E 'NVRM|Xid'，然后执行 sudo reboot"}));
  }
  if (!answer) {
    const std::string said = first_line(answer.out.empty() ? answer.err : answer.out);
    return failure(nvidia_smi_id, std::int64_t{answer.exit_code},
                   text({"nvidia-smi: {}", "nvidia-smi 报错：{}"}, said),
                   gpus.driver_works() ? command_line("nvidia-smi -q")
                                       : text({"what nvidia.driver says mends this too",
                                               "按 nvidia.driver 的提示处理即可"}));
  }
  const std::string driver = word_after(answer.out, "Driver Version:");
  const std::string cuda = word_after(answer.out, "CUDA Version:");
  const std::string library = gpus.driver();
  if (!driver.empty() && !library.empty() && driver != library) {
    return warning(nvidia_smi_id, driver,
                   text({"nvidia-smi speaks of driver {}, the library of {}: two installations",
                         "nvidia-smi 显示驱动 {}，库为 {}：存在两套安装"},
                        driver, library),
                   command_line("ldconfig -p | grep libnvidia-ml; which -a nvidia-smi"));
  }
  return ok(nvidia_smi_id, driver,
            text({"nvidia-smi answers: driver {}, CUDA {}", "nvidia-smi 正常：驱动 {}，CUDA {}"},
                 driver, cuda));
}

void probe_nvidia_smi(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  if (!gpus.any() && gpus.kernel_driver.empty()) return;
  if (!gpus.nvml_installed) return;  // the driver is not here: nvidia.driver or nvidia.container
  findings.push_back(smi(machine.run_command({"nvidia-smi"}), gpus));
}

}  // namespace

extern const Probe nvidia_smi;
const Probe nvidia_smi{"nvidia_smi", 608, probe_nvidia_smi};

}  // namespace premise
