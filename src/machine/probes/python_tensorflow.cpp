// TensorFlow: which CUDA and cuDNN its build wants, whether the driver runs that CUDA, and whether
// the libraries are there. It is not imported (that takes longer than the whole doctor may); its
// build is in a file, build_info.py. Up to 2.13 its packages bring no CUDA libraries: they must be
// installed for the system, of exactly the release it was built with. From 2.14 on the extra
// "and-cuda" brings them.
#include "machine/compatibility/rules.h"
#include "machine/facts/python_site.h"
#include "machine/facts/words.h"
#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr const char* python_tensorflow_id = "python.tensorflow";
constexpr Version first_with_libraries{2, 14, 0};

// "'cuda_version': '11.2'" or "(\"cuda_version\", \"12.3\")" somewhere in build_info.py.
std::optional<std::string> entry(std::string_view file, std::string_view key) {
  const std::size_t at = file.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = file.substr(at + key.size(), 64);
  const std::size_t digit = rest.find_first_of("0123456789");
  if (digit == std::string_view::npos ||
      rest.substr(0, digit).find('\n') != std::string_view::npos) {
    return std::nullopt;
  }
  rest.remove_prefix(digit);
  return std::string(rest.substr(0, rest.find_first_not_of("0123456789.")));
}

struct TensorflowBuild {
  std::string version;
  bool cuda_build = false;
  std::optional<std::string> cuda;
  std::optional<std::string> cudnn;
};

TensorflowBuild read_tensorflow_build(MachineSource& machine, const PythonPackage& package) {
  const FileAnswer file =
      machine.read_file(package.folder + "/tensorflow/python/platform/build_info.py");
  TensorflowBuild build;
  build.version = package.version;
  build.cuda = entry(file.text, "cuda_version");
  build.cudnn = entry(file.text, "cudnn_version");
  build.cuda_build = build.cuda.has_value();
  const auto version = parse_version(package.version);
  if (!file && version) {  // not readable: what the table says of the release
    const FrameworkBuild* row = find_build(builtin_matrix(), "tensorflow", *version, std::nullopt);
    build.cuda_build = row != nullptr;
    if (row) build.cuda = major_minor(row->cuda);
    if (row && row->cudnn) build.cudnn = major_minor(*row->cudnn);
  }
  return build;
}

// libcudnn.so.8 for cuDNN 8.1, in the loader's list or as a package of this Python.
bool has_cudnn(MachineSource& machine, const PythonSite& site, int major) {
  const std::string name = fmt::format("libcudnn.so.{}", major);
  if (machine.run_command({"ldconfig", "-p"}).out.find(name) != std::string::npos) return true;
  for (const char* package : {"nvidia-cudnn-cu11", "nvidia-cudnn-cu12", "nvidia-cudnn-cu13"}) {
    const PythonPackage* found = site.find(package);
    const auto version = found ? parse_version(found->version) : std::nullopt;
    if (version && version->major == major) return true;
  }
  return false;
}

Finding missing_library(const TensorflowBuild& build, const Version& version, int cudnn) {
  const Text fix =
      version >= first_with_libraries
          ? command_line(
                fmt::format("python3 -m pip install 'tensorflow[and-cuda]=={}'", build.version))
          : text({"install CUDA {} and cuDNN {} for the system, or a newer TensorFlow: python3 -m "
                  "pip install --upgrade 'tensorflow[and-cuda]'",
                  "为系统安装 CUDA {} 与 cuDNN {}，或升级：python3 -m pip install --upgrade "
                  "'tensorflow[and-cuda]'"},
                 *build.cuda, build.cudnn.value_or("?"));
  return warning(python_tensorflow_id, build.version,
                 text({"TensorFlow {} does not find libcudnn.so.{} (\"Could not load dynamic "
                       "library\") and computes on the processor; it goes with CUDA {}",
                       "TensorFlow {} 找不到 libcudnn.so.{}（\"Could not load dynamic library\"），"
                       "将在处理器上计算；它需要 CUDA {}"},
                      build.version, cudnn, *build.cuda),
                 fix);
}

Finding with_gpu(MachineSource& machine, const PythonSite& site, const TensorflowBuild& build,
                 const Gpus& gpus) {
  const Version version = parse_version(build.version).value_or(Version{});
  const auto cuda = parse_version(*build.cuda);
  const auto driver = parse_version(gpus.driver());
  if (cuda && driver && driver_fit(builtin_matrix(), *driver, *cuda) == DriverFit::insufficient) {
    return failure(python_tensorflow_id, build.version,
                   text({"\"CUDA driver version is insufficient for CUDA runtime version\": "
                         "TensorFlow {} goes with CUDA {}, driver {} is too old",
                         "\"CUDA driver version is insufficient for CUDA runtime version\"："
                         "TensorFlow {} 需要 CUDA {}，驱动 {} 过旧"},
                        build.version, *build.cuda, gpus.driver()),
                   text({"install driver {} or newer", "安装 {} 或更新的驱动"},
                        driver_needed(builtin_matrix(), *cuda).value_or("?")));
  }
  const auto cudnn = parse_version(build.cudnn.value_or(""));
  if (cudnn && !has_cudnn(machine, site, cudnn->major)) {
    return missing_library(build, version, cudnn->major);
  }
  return ok(python_tensorflow_id, build.version,
            text({"TensorFlow {} with CUDA {}", "TensorFlow {}，使用 CUDA {}"}, build.version,
                 *build.cuda));
}

Finding tensorflow(MachineSource& machine, const PythonSite& site, const PythonPackage& package) {
  const TensorflowBuild build = read_tensorflow_build(machine, package);
  const Gpus gpus = read_gpus(machine);
  if (working_cards(gpus).empty()) {
    return ok(
        python_tensorflow_id, build.version,
        text({"TensorFlow {}, for the processor", "TensorFlow {}，用于处理器"}, build.version));
  }
  if (!build.cuda_build) {
    return warning(python_tensorflow_id, build.version,
                   text({"TensorFlow {} is built without CUDA: it does not use the GPU",
                         "TensorFlow {} 未包含 CUDA，不会使用 GPU"},
                        build.version),
                   command_line("python3 -m pip install 'tensorflow[and-cuda]'"));
  }
  return with_gpu(machine, site, build, gpus);
}

void probe_python_tensorflow(MachineSource& machine, Findings& findings) {
  const PythonSite site = read_python_site(machine);
  if (site.version.empty()) return;
  const PythonPackage* package = site.find("tensorflow");
  if (!package) package = site.find("tensorflow-gpu");
  findings.push_back(package ? tensorflow(machine, site, *package)
                             : info(python_tensorflow_id, {},
                                    text({"TensorFlow not found", "未找到 TensorFlow"})));
}

}  // namespace

extern const Probe python_tensorflow;
const Probe python_tensorflow{"python_tensorflow", 646, probe_python_tensorflow, true};

}  // namespace premise
