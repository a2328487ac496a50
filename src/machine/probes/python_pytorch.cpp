// PyTorch: is its build one for CUDA, does the driver run that CUDA, does it have kernels for these
// cards, do its libraries load? Version and CUDA are read from its files. Where there is a GPU it
// is imported too, in a child process: only that shows a library that is missing.
#include "machine/compatibility/rules.h"
#include "machine/facts/python_site.h"
#include "machine/facts/words.h"
#include "machine/gpu/kernel_findings.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr const char* python_pytorch_id = "python.pytorch";
constexpr std::chrono::milliseconds import_time_limit{6000};
constexpr const char* import_it =
    "import torch; print('architectures', *torch.cuda.get_arch_list())";

struct PytorchBuild {
  std::string version;              // "2.9.1+cu128"
  std::optional<std::string> cuda;  // "12.8"
  std::optional<std::string> hip;
};

PytorchBuild read_pytorch_build(MachineSource& machine, const PythonPackage& package) {
  const FileAnswer file = machine.read_file(package.folder + "/torch/version.py");
  PytorchBuild build;
  build.version = python_assignment(file.text, "__version__").value_or(package.version);
  build.cuda = python_assignment(file.text, "cuda");
  build.hip = python_assignment(file.text, "hip");
  return build;
}

// A plain installation where that fits. Other builds lie in PyTorch's own index, whose address (or
// that of its mirror here) is not for us to guess.
std::string install_command_for(const Gpus& gpus) {
  const auto driver = parse_version(gpus.driver());
  const auto cards = working_cards(gpus);
  const FrameworkBuild* best =
      driver && !cards.empty() && cards.front().gpu->capability
          ? suggest_build(builtin_matrix(), "pytorch", *cards.front().gpu->capability, *driver)
          : nullptr;
  if (!best) return "python3 -m pip install --upgrade torch";
  const std::string version = major_minor(best->version);
  if (best->by_default) return fmt::format("python3 -m pip install 'torch=={}.*'", version);
  return fmt::format("python3 -m pip install 'torch=={}.*' --index-url $PYTORCH_INDEX/cu{}{}",
                     version, best->cuda.major, best->cuda.minor);
}

// What the child said: "architectures sm_80 sm_90", or a traceback whose last line is the reason.
std::vector<std::string> architectures_of(const CommandAnswer& answer) {
  std::vector<std::string> list;
  for (const std::string_view line : lines_of(answer.out)) {
    const auto words = words_of(line);
    if (words.empty() || words.front() != "architectures") continue;
    for (std::size_t i = 1; i < words.size(); ++i) list.emplace_back(words[i]);
  }
  return list;
}

std::string last_line(std::string_view text) {
  std::string last;
  for (const std::string_view line : lines_of(text)) {
    if (!trimmed(line).empty()) last = trimmed(line).substr(0, 200);
  }
  return last;
}

Finding without_cuda(const PytorchBuild& build, const Gpus& gpus) {
  if (build.hip) {
    return info(python_pytorch_id, build.version,
                text({"PyTorch {} is built for AMD GPUs (ROCm {})",
                      "PyTorch {} 为 AMD GPU 构建（ROCm {}）"},
                     build.version, *build.hip));
  }
  if (!gpus.any()) {
    return ok(python_pytorch_id, build.version,
              text({"PyTorch {}, for the processor", "PyTorch {}，用于处理器"}, build.version));
  }
  return warning(
      python_pytorch_id, build.version,
      text({"PyTorch {} is built without CUDA (\"Torch not compiled with CUDA enabled\"): "
            "it does not use the GPU",
            "PyTorch {} 未包含 CUDA（\"Torch not compiled with CUDA enabled\"），不会使用 GPU"},
           build.version),
      command_line(install_command_for(gpus)));
}

Finding driver_too_old(const PytorchBuild& build, const Gpus& gpus) {
  return failure(
      python_pytorch_id, build.version,
      text(
          {"\"CUDA driver version is insufficient for CUDA runtime version\": PyTorch {} needs "
           "CUDA "
           "{}, driver {} is too old",
           "\"CUDA driver version is insufficient for CUDA runtime version\"：PyTorch {} 需要 CUDA "
           "{}，驱动 {} 过旧"},
          build.version, *build.cuda, gpus.driver()),
      text({"install driver {} or newer, or a PyTorch for this driver: {}",
            "安装 {} 或更新的驱动，或安装适合此驱动的 PyTorch：{}"},
           driver_needed(builtin_matrix(), parse_version(*build.cuda).value_or(Version{}))
               .value_or("?"),
           install_command_for(gpus)));
}

// The architectures as the framework itself says, or as the table has them for its release.
std::vector<std::string> architectures(const CommandAnswer& imported, const PytorchBuild& build) {
  std::vector<std::string> list = architectures_of(imported);
  if (!list.empty()) return list;
  const auto version = parse_version(build.version);
  const FrameworkBuild* row =
      version ? find_build(builtin_matrix(), "pytorch", *version, parse_version(*build.cuda))
              : nullptr;
  if (!row) return list;
  for (const Version& one : row->capabilities) {
    list.push_back(fmt::format("sm_{}{}", one.major, one.minor));
  }
  if (row->ptx) list.push_back(fmt::format("compute_{}{}", row->ptx->major, row->ptx->minor));
  return list;
}

Finding cannot_import(const PytorchBuild& build, const CommandAnswer& imported) {
  const std::string reason = last_line(imported.err);
  const bool library = reason.find("cannot open shared object file") != std::string::npos;
  return failure(
      python_pytorch_id, build.version,
      text({"PyTorch {} cannot be imported: {}", "无法导入 PyTorch {}：{}"}, build.version, reason),
      library
          ? text({"install it again with its libraries: python3 -m pip install --force-reinstall "
                  "torch",
                  "连同依赖库重新安装：python3 -m pip install --force-reinstall torch"})
          : command_line("python3 -c 'import torch'"));
}

Finding with_cuda(MachineSource& machine, const PytorchBuild& build, const Gpus& gpus) {
  const auto cuda = parse_version(*build.cuda);
  const auto driver = parse_version(gpus.driver());
  const DriverFit fit =
      cuda && driver ? driver_fit(builtin_matrix(), *driver, *cuda) : DriverFit::full;
  if (fit == DriverFit::insufficient) return driver_too_old(build, gpus);
  const CommandAnswer imported =
      machine.run_command({"python3", "-c", import_it}, import_time_limit);
  if (imported.state == CommandState::exited && imported.exit_code != 0) {
    return cannot_import(build, imported);
  }
  const std::vector<std::string> built_for = architectures(imported, build);
  const std::string program = "PyTorch " + build.version;
  if (!built_for.empty()) {
    if (const auto trouble = kernel_trouble(gpus, program, built_for, fit == DriverFit::full)) {
      return failure(python_pytorch_id, build.version, *trouble,
                     command_line(install_command_for(gpus)));
    }
  }
  if (imported.state == CommandState::timed_out) {
    return info(python_pytorch_id, build.version,
                text({"{} with CUDA {}: importing it took over {} s, so whether its libraries load "
                      "is not known",
                      "{}，CUDA {}：导入超过 {} 秒，无法确认其库能否加载"},
                     program, *build.cuda, import_time_limit.count() / 1000));
  }
  return ok(
      python_pytorch_id, build.version,
      text({"{} with CUDA {}, kernels for every card here", "{}，CUDA {}，包含本机各显卡的内核"},
           program, *build.cuda));
}

Finding pytorch(MachineSource& machine, const PythonPackage& package) {
  const PytorchBuild build = read_pytorch_build(machine, package);
  const Gpus gpus = read_gpus(machine);
  if (!build.cuda) return without_cuda(build, gpus);
  if (working_cards(gpus).empty()) {
    return info(python_pytorch_id, build.version,
                text({"PyTorch {} with CUDA {}, and no GPU that it could use",
                      "PyTorch {}（CUDA {}），但没有可用的 GPU"},
                     build.version, *build.cuda));
  }
  return with_cuda(machine, build, gpus);
}

void probe_python_pytorch(MachineSource& machine, Findings& findings) {
  const PythonSite site = read_python_site(machine);
  if (site.version.empty()) return;
  const PythonPackage* package = site.find("torch");
  findings.push_back(
      package ? pytorch(machine, *package)
              : info(python_pytorch_id, {}, text({"PyTorch not found", "未找到 PyTorch"})));
}

}  // namespace

extern const Probe python_pytorch;
const Probe python_pytorch{"python_pytorch", 644, probe_python_pytorch, true};

}  // namespace premise
