#include "machine/gpu/gpus.h"

#include <algorithm>

#include "machine/compatibility/cards.h"
#include "machine/compatibility/matrix.h"
#include "machine/facts/words.h"

namespace premise {
namespace {

constexpr const char* pci_devices = "/sys/bus/pci/devices";
constexpr std::string_view vendor_nvidia = "0x10de";
constexpr std::string_view class_display = "0x03";  // VGA 0x0300.., 3D controller 0x0302..

std::vector<std::string> gpus_on_bus(MachineSource& machine) {
  std::vector<std::string> found;
  for (const std::string& address : machine.list_folder(pci_devices).names) {
    const std::string folder = std::string(pci_devices) + "/" + address;
    if (read_line(machine, folder + "/vendor") != vendor_nvidia) continue;
    const auto kind = read_line(machine, folder + "/class");
    if (kind && kind->starts_with(class_display)) found.push_back(address);
  }
  return found;
}

// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023"
std::string kernel_driver_version(MachineSource& machine) {
  if (const auto version = read_line(machine, "/sys/module/nvidia/version")) return *version;
  const auto line = read_line(machine, "/proc/driver/nvidia/version");
  if (!line) return {};
  for (const std::string_view word : words_of(*line)) {
    const auto version = parse_version(word);
    if (version && version->major >= 300 && word.find('.') != std::string_view::npos) {
      return std::string(word);
    }
  }
  return {};
}

}  // namespace

std::string Gpus::driver() const {
  return report.driver_version ? *report.driver_version : kernel_driver;
}

Gpus read_gpus(MachineSource& machine) {
  Gpus gpus;
  gpus.on_bus = gpus_on_bus(machine);
  gpus.kernel_driver = kernel_driver_version(machine);
  gpus.nouveau = static_cast<bool>(machine.list_folder("/sys/module/nouveau"));
  const FileAnswer answer = machine.nvml_json();
  if (answer.state == AnswerState::missing) return gpus;
  gpus.nvml_installed = true;
  Result<NvmlReport> report = parse_nvml_json(answer.text);
  if (report.ok()) {
    gpus.report = *std::move(report);
  } else {
    gpus.damage = std::move(report).error();
  }
  return gpus;
}

std::vector<NumberedGpu> cards_where(const Gpus& gpus,
                                     const std::function<bool(const NvmlGpu&)>& condition) {
  std::vector<NumberedGpu> cards;
  for (std::size_t i = 0; i < gpus.report.gpus.size(); ++i) {
    const NvmlGpu& gpu = gpus.report.gpus[i];
    if (!gpu.error && condition(gpu)) cards.push_back({i, &gpu});
  }
  return cards;
}

std::vector<NumberedGpu> working_cards(const Gpus& gpus) {
  return cards_where(gpus, [](const NvmlGpu&) { return true; });
}

std::string model_of(const NvmlGpu& gpu) {
  if (!gpu.name || gpu.name->empty()) return "GPU";
  return gpu.name->starts_with("NVIDIA ") ? gpu.name->substr(7) : *gpu.name;
}

std::string number_list_of(const std::vector<NumberedGpu>& cards) {
  std::string list;
  for (const NumberedGpu& card : cards) {
    list += (list.empty() ? "" : ",") + std::to_string(card.index);
  }
  return list;
}

Text numbers_of(const std::vector<NumberedGpu>& cards) {
  const std::string list = number_list_of(cards);
  return cards.size() == 1 ? text({"GPU {}", "{} 号 GPU"}, list)
                           : text({"GPUs {}", "{} 号 GPU"}, list);
}

std::string format_gpu_memory(std::uint64_t bytes) {
  const double gib = static_cast<double>(bytes) / (1ULL << 30);
  return gib < 10 ? fmt::format("{:.1f} GiB", gib) : fmt::format("{:.0f} GiB", gib);
}

std::optional<double> memory_bandwidth(const NvmlGpu& gpu) {
  if (gpu.memory_bus_bits && gpu.memory_clock_mhz_max && *gpu.memory_bus_bits > 0) {
    const double transfers = static_cast<double>(*gpu.memory_clock_mhz_max) * 1e6 * 2;
    return transfers * static_cast<double>(*gpu.memory_bus_bits) / 8;
  }
  const Card* card = find_card(builtin_cards(), gpu.name.value_or(""));
  if (!card) return std::nullopt;
  return card->bandwidth_bytes_per_second;
}

std::string today(MachineSource& machine) {
  const CommandAnswer answer = machine.run_command({"date", "-u", "+%Y-%m-%d"});
  const std::string day(trimmed(answer.out));
  return answer && day.size() == 10 ? day : builtin_matrix().date;
}

}  // namespace premise
