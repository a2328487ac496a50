// Shared libraries that the loader must find: libcuda, which comes with the driver and which every
// CUDA program opens, and the toolkit's own, which lie in a folder that the loader does not know by
// itself ("libcudart.so.12: cannot open shared object file").
#include "machine/facts/words.h"
#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr const char* toolkit_libraries = "/usr/local/cuda/lib64";

bool has_library(std::string_view cache, std::string_view name) {
  for (const std::string_view line : lines_of(cache)) {
    if (trimmed(line).starts_with(name)) return true;
  }
  return false;
}

bool folder_holds(MachineSource& machine, std::string_view prefix) {
  for (const std::string& name : machine.list_folder(toolkit_libraries).names) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

// Found by the loader, or through the environment of this user.
bool reachable(MachineSource& machine, std::string_view cache, std::string_view name) {
  if (has_library(cache, name)) return true;
  const std::string path = machine.environment("LD_LIBRARY_PATH").value_or("");
  return path.find("cuda") != std::string::npos && folder_holds(machine, name);
}

Finding driver_library(std::string_view cache) {
  constexpr const char* id = "cuda.libcuda";
  if (has_library(cache, "libcuda.so.1")) {
    return ok(id, true, text({"libcuda.so.1 is there", "libcuda.so.1 已就绪"}));
  }
  return failure(
      id, false,
      text({"\"libcuda.so.1: cannot open shared object file\": the driver's CUDA library "
            "is not installed (a driver for displays or servers without compute)",
            "\"libcuda.so.1: cannot open shared object file\"：未安装驱动的 CUDA 库"}),
      text({"install the driver's compute package (Debian: sudo apt install -y libcuda1; "
            "Ubuntu: libnvidia-compute-BRANCH), then: sudo ldconfig",
            "安装驱动的计算库（Debian：sudo apt install -y libcuda1；Ubuntu："
            "libnvidia-compute-分支号），然后执行 sudo ldconfig"}));
}

std::optional<Finding> toolkit_library(MachineSource& machine, std::string_view cache) {
  constexpr const char* id = "cuda.libcudart";
  if (!folder_holds(machine, "libcudart.so")) return std::nullopt;
  if (reachable(machine, cache, "libcudart.so")) {
    return ok(
        id, true,
        text({"the toolkit's libraries are found by the loader", "加载器可以找到工具包的库"}));
  }
  return warning(
      id, false,
      text({"the toolkit's libraries lie in {}, where the loader does not look: \"libcudart.so: "
            "cannot open shared object file\"",
            "工具包的库位于 {}，但加载器不查找该目录：\"libcudart.so: cannot open shared "
            "object file\""},
           toolkit_libraries),
      command_line(fmt::format("echo {} | sudo tee /etc/ld.so.conf.d/cuda.conf && sudo "
                               "ldconfig",
                               toolkit_libraries)));
}

Finding cudnn_library(MachineSource& machine, std::string_view cache) {
  constexpr const char* id = "cuda.libcudnn";
  if (reachable(machine, cache, "libcudnn.so")) {
    return ok(id, true, text({"cuDNN is installed for the whole system", "系统已安装 cuDNN"}));
  }
  return info(id, false,
              text({"no cuDNN for the whole system; frameworks from packages bring their own",
                    "系统未安装 cuDNN；以软件包安装的框架自带 cuDNN"}));
}

void probe_cuda_libraries(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  if (!gpus.driver_works() || gpus.report.gpus.empty()) return;
  CommandAnswer cache = machine.run_command({"ldconfig", "-p"});
  if (cache.state == CommandState::not_found) cache = machine.run_command({"/sbin/ldconfig", "-p"});
  if (!cache) {
    findings.push_back(info("cuda.libcuda", {},
                            text({"the loader's list of libraries cannot be read (ldconfig -p)",
                                  "无法读取加载器的库列表（ldconfig -p）"})));
    return;
  }
  findings.push_back(driver_library(cache.out));
  if (auto finding = toolkit_library(machine, cache.out)) findings.push_back(*finding);
  findings.push_back(cudnn_library(machine, cache.out));
}

}  // namespace

extern const Probe cuda_libraries;
const Probe cuda_libraries{"cuda_libraries", 622, probe_cuda_libraries};

}  // namespace premise
