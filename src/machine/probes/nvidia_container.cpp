// GPUs and containers, from both sides. Inside: was this container given the GPUs that the machine
// has? Outside: can the container engine hand them over at all?
#include "machine/facts/os_release.h"
#include "machine/facts/virtualization.h"
#include "machine/facts/words.h"
#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr const char* nvidia_container_id = "nvidia.container";
constexpr const char* configure_docker =
    "sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker";
constexpr const char* configure_podman =
    "sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml";

// A container sees the host's PCI bus and, if its kernel module is loaded, the driver's files.
bool host_has_gpu(const Gpus& gpus) { return !gpus.on_bus.empty() || !gpus.kernel_driver.empty(); }

Finding inside(const std::string& kind, const Gpus& gpus) {
  if (gpus.driver_works() && !gpus.report.gpus.empty()) {
    return ok(nvidia_container_id, true,
              text({"this container was given {} GPU(s)", "此容器已获得 {} 块 GPU"},
                   gpus.report.gpus.size()));
  }
  const Text fix =
      kind == "kubernetes"
          ? text({"ask for them in the pod: resources.limits: {{nvidia.com/gpu: 1}}",
                  "在 Pod 中申请：resources.limits: {{nvidia.com/gpu: 1}}"})
          : text({"start it with the NVIDIA container toolkit: docker run --gpus all …",
                  "使用 NVIDIA 容器工具包启动：docker run --gpus all …"});
  return warning(nvidia_container_id, false,
                 text({"the machine has NVIDIA GPUs, this container was not given any: models are "
                       "computed on the processor",
                       "宿主机有 NVIDIA GPU，但此容器未获得：模型将在处理器上计算"}),
                 fix);
}

bool exists(MachineSource& machine, std::string_view folder, std::string_view name) {
  for (const std::string& entry : machine.list_folder(folder).names) {
    if (entry == name) return true;
  }
  return false;
}

bool has_program(MachineSource& machine, std::string_view name) {
  return exists(machine, "/usr/bin", name) || exists(machine, "/usr/local/bin", name);
}

Finding outside(MachineSource& machine, bool docker) {
  if (!has_program(machine, "nvidia-ctk") && !has_program(machine, "nvidia-container-runtime")) {
    return warning(
        nvidia_container_id, false,
        text({"containers cannot be given a GPU (\"could not select device driver\"): the NVIDIA "
              "container toolkit is not installed",
              "容器无法使用 GPU（\"could not select device driver\"）：未安装 NVIDIA 容器工具包"}),
        text({"with NVIDIA's package repository set up: {} && {}",
              "先添加 NVIDIA 软件源，然后：{} && {}"},
             install_command(read_os_release(machine), "nvidia-container-toolkit",
                             "nvidia-container-toolkit"),
             docker ? configure_docker : configure_podman));
  }
  const FileAnswer settings = machine.read_file("/etc/docker/daemon.json");
  const bool cdi =
      exists(machine, "/etc/cdi", "nvidia.yaml") || exists(machine, "/var/run/cdi", "nvidia.yaml");
  if (docker && !cdi && settings.state != AnswerState::denied &&
      settings.text.find("nvidia") == std::string::npos) {
    return warning(nvidia_container_id, false,
                   text({"the NVIDIA container toolkit is installed, Docker does not know of it",
                         "已安装 NVIDIA 容器工具包，但 Docker 未配置"}),
                   command_line(configure_docker));
  }
  return ok(nvidia_container_id, true, text({"containers can be given GPUs", "容器可以使用 GPU"}));
}

void probe_nvidia_container(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  if (!host_has_gpu(gpus) && gpus.report.gpus.empty()) return;
  if (const std::string kind = container_kind(machine); !kind.empty()) {
    findings.push_back(inside(kind, gpus));
    return;
  }
  const bool docker = has_program(machine, "docker");
  if (docker || has_program(machine, "podman")) findings.push_back(outside(machine, docker));
}

}  // namespace

extern const Probe nvidia_container;
const Probe nvidia_container{"nvidia_container", 606, probe_nvidia_container};

}  // namespace premise
