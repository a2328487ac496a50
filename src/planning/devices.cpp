// The table of devices.
//
// Cards: memory, bandwidth and dense rates from NVIDIA's documents, named in each row. Data sheets
// print rates with structured sparsity, which no language model here has; such figures are halved.
// GeForce cards accumulate in F32 at half the F16 rate, which is the rate that counts.
// Servers: memory channels · MT/s · 8 bytes, and cores · clock under vector load · int8 operations
// a cycle (VNNI: two 512-bit units of 64 multiply-adds, 256 operations; Zen 4: half of it). AMX is
// left out since the engine has no kernels for it yet. Their efficiencies are those of the engine
// here (docs/sizing.md), those of cards are what good engines reach at batch 1, and both are
// assumptions until somebody measures.
#include "planning/devices.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "base/nearest.h"
#include "base/printable.h"

namespace premise {
namespace {

constexpr double gpu_decode = 0.65;
constexpr double gpu_prefill = 0.45;
constexpr double cpu_decode = 0.6;
constexpr double cpu_prefill = 0.35;
constexpr double cpu_attention = 1.0;

struct CardRow {
  const char* id;
  const char* name;
  std::uint64_t gigabytes;
  double gigabytes_per_second;
  double int8_tera;
  double bf16_tera;
  const char* sheet;
};

constexpr const char* ampere = "NVIDIA Ampere GA102 GPU Architecture, v2.1";
constexpr const char* ada = "NVIDIA Ada GPU Architecture, v2.02";

constexpr CardRow cards[] = {
    {"rtx4060", "RTX 4060 8 GB", 8, 272, 121, 30.2,
     "24 SMs at 2.46 GHz, rates an SM by NVIDIA Ada GPU Architecture, v2.02"},
    {"rtx3060", "RTX 3060 12 GB", 12, 360, 102, 25.5,
     "28 SMs at 1.78 GHz, rates an SM by NVIDIA Ampere GA102 GPU Architecture, v2.1"},
    {"rtx3090", "RTX 3090 24 GB", 24, 936, 284, 71, ampere},
    {"l4", "L4 24 GB", 24, 300, 242, 121, "NVIDIA L4 Tensor Core GPU datasheet, 2023"},
    {"a10", "A10 24 GB", 24, 600, 250, 125, "NVIDIA A10 datasheet, 2021"},
    {"rtx4090", "RTX 4090 24 GB", 24, 1008, 660.6, 165.2, ada},
    {"rtx5090", "RTX 5090 32 GB", 32, 1792, 838, 209.5,
     "NVIDIA RTX Blackwell GPU Architecture, v1.1"},
    {"a100-40", "A100 40 GB", 40, 1555, 624, 312, "NVIDIA A100 datasheet, 2021"},
    {"l40s", "L40S 48 GB", 48, 864, 733, 362, "NVIDIA L40S datasheet, 2023"},
    {"a100-80", "A100 80 GB", 80, 2039, 624, 312, "NVIDIA A100 datasheet, 2021 (SXM)"},
    {"h100", "H100 80 GB", 80, 3350, 1979, 989.5, "NVIDIA H100 datasheet, 2023 (SXM)"},
    {"h200", "H200 141 GB", 141, 4800, 1979, 989.5, "NVIDIA H200 datasheet, 2024 (SXM)"},
};

struct ServerRow {
  const char* id;
  const char* name;
  std::uint64_t gigabytes;  // as commonly fitted
  int channels;             // of all sockets
  double mega_transfers;
  int cores;
  double gigahertz;
  double int8_per_cycle;
  const char* sheet;
};

constexpr ServerRow servers[] = {
    {"desktop-ddr5", "desktop, 2 x DDR5-5600, 8 cores", 64, 2, 5600, 8, 4.5, 128,
     "AMD Ryzen 7 7700 product page"},
    {"epyc-7543", "EPYC 7543, 8 x DDR4-3200", 256, 8, 3200, 32, 2.8, 64,
     "AMD EPYC 7003 data sheet"},
    {"epyc-9354", "EPYC 9354, 12 x DDR5-4800", 384, 12, 4800, 32, 3.3, 128,
     "AMD EPYC 9004 data sheet"},
    {"xeon-6338", "2 x Xeon Gold 6338, 16 x DDR4-3200", 512, 16, 3200, 64, 2.3, 256,
     "Intel Xeon Scalable, 3rd generation, product brief"},
    {"xeon-6430", "2 x Xeon Gold 6430, 16 x DDR5-4400", 512, 16, 4400, 64, 2.4, 256,
     "Intel Xeon Scalable, 4th generation, product brief"},
};

std::vector<Capacity> make_devices() {
  constexpr double tera = 1e12;
  constexpr double giga = 1e9;
  const auto sheet = [](double value) { return Figure{value, FigureSource::data_sheet}; };
  std::vector<Capacity> devices;
  for (const CardRow& row : cards)
    devices.push_back({.id = row.id,
                       .name = row.name,
                       .gpu = true,
                       .memory_bytes = row.gigabytes * gibibyte,
                       .read_bytes_per_second = sheet(row.gigabytes_per_second * giga),
                       .int8_ops_per_second = sheet(row.int8_tera * tera),
                       .bf16_flops_per_second = sheet(row.bf16_tera * tera),
                       .threads = 1,
                       .decode_efficiency = gpu_decode,
                       .prefill_efficiency = gpu_prefill,
                       .attention_efficiency = gpu_prefill,
                       .sheet = row.sheet});
  for (const ServerRow& row : servers) {
    const double int8 = row.cores * row.gigahertz * giga * row.int8_per_cycle;
    devices.push_back({.id = row.id,
                       .name = row.name,
                       .gpu = false,
                       .memory_bytes = row.gigabytes * gibibyte,
                       .read_bytes_per_second = sheet(row.channels * row.mega_transfers * 8e6),
                       .int8_ops_per_second = sheet(int8),
                       .bf16_flops_per_second = sheet(int8 / 4),  // F32 multiply-adds
                       .threads = row.cores,
                       .decode_efficiency = cpu_decode,
                       .prefill_efficiency = cpu_prefill,
                       .attention_efficiency = cpu_attention,
                       .sheet = row.sheet});
  }
  return devices;
}

std::string plain(std::string_view typed) {
  std::string letters;
  for (const char c : typed)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return letters;
}

}  // namespace

std::span<const Capacity> all_devices() {
  static const std::vector<Capacity> devices = make_devices();
  return devices;
}

Result<const Capacity*> find_device(std::string_view typed) {
  const std::string wanted = plain(typed);
  std::vector<std::string> ids;
  std::string known;
  for (const Capacity& device : all_devices()) {
    if (plain(device.id) == wanted) return &device;
    ids.push_back(device.id);
    known += (known.empty() ? "" : ", ") + device.id;
  }
  Error unknown =
      error(ErrorCode::usage, {"unknown device \"{}\"", "未知设备“{}”"}, printable(typed));
  if (const auto near = nearest(typed, ids))
    return std::move(unknown).with_hint(
        text({"did you mean {}? Known: {}", "您是指 {} 吗？支持的设备：{}"}, *near, known));
  return std::move(unknown).with_hint(text({"known devices: {}", "支持的设备：{}"}, known));
}

}  // namespace premise
