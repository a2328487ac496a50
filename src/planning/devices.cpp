// The table of devices.
//
// Cards: memory, bandwidth and dense rates from NVIDIA's documents, named in each row. Data sheets
// print rates with structured sparsity, which no language model here has; such figures are halved.
// GeForce cards accumulate in F32 at half the F16 rate, which is the rate that counts. Two rows
// are reckoned, since no paper lists the card: an Ampere or Ada SM of a GeForce does 2048 int8 and
// 512 bf16 operations a cycle (RTX 3090: 82 SMs, 1.695 GHz, 284 and 71).
// Servers: memory channels · MT/s · 8 bytes, and cores · base clock · int8 operations a cycle
// (VNNI: two 512-bit units of 64 multiply-adds, 256 operations; Zen 4: half of it; Zen 3, which
// has no VNNI: a quarter, reckoned and measured by nobody). The base clock is what a processor
// promises with all cores at work; none of their makers states a clock under vector load. AMX is
// left out since the engine has no kernels for it yet. Their efficiencies are those of the engine
// here (docs/sizing.md), those of cards are what good engines reach at batch 1, and both are
// assumptions until somebody measures. Where each figure was checked: docs/compatibility.md.
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

constexpr CardRow cards[] = {
    {"rtx4060", "RTX 4060 8 GB", 8, 272, 121, 30.2,
     "NVIDIA RTX 4060 page, 242 sparse TOPS, halved; 24 SMs at 2.46 GHz"},
    {"rtx3060", "RTX 3060 12 GB", 12, 360, 102, 25.5,
     "28 SMs at 1.78 GHz, rates an SM by NVIDIA Ampere GA102 GPU Architecture, table 9"},
    {"rtx3090", "RTX 3090 24 GB", 24, 936, 284, 71,
     "NVIDIA Ampere GA102 GPU Architecture, appendix A, table 9"},
    {"l4", "L4 24 GB", 24, 300, 242, 121, "NVIDIA L4 page, sparse rates halved"},
    {"a10", "A10 24 GB", 24, 600, 250, 125, "72 SMs at 1.695 GHz, 125 F16 TFLOPS by NVIDIA"},
    {"rtx4090", "RTX 4090 24 GB", 24, 1008, 660.6, 165.2,
     "NVIDIA Ada GPU Architecture, appendix A, table 2"},
    {"rtx5090", "RTX 5090 32 GB", 32, 1792, 838, 209.5, "NVIDIA RTX Blackwell GPU Architecture"},
    {"a100-40", "A100 40 GB", 40, 1555, 624, 312, "NVIDIA A100 GPU Architecture, table 4 (SXM)"},
    {"l40s", "L40S 48 GB", 48, 864, 733, 362, "NVIDIA L40S page, dense rates"},
    {"a100-80", "A100 80 GB", 80, 2039, 624, 312, "NVIDIA A100 data sheet, 80 GB (SXM)"},
    {"h100", "H100 80 GB", 80, 3350, 1979, 989.5, "NVIDIA H100 page, sparse rates halved (SXM)"},
    {"h200", "H200 141 GB", 141, 4800, 1979, 989.5, "NVIDIA H200 page, sparse rates halved (SXM)"},
};

struct ServerRow {
  const char* id;
  const char* name;
  std::uint64_t gigabytes;  // as commonly fitted
  int channels;             // of all sockets
  double mega_transfers;
  int cores;
  double gigahertz;  // base clock
  double int8_per_cycle;
  const char* sheet;
};

constexpr ServerRow servers[] = {
    {"desktop-ddr5", "desktop, 2 x DDR5-5600, 8 cores", 64, 2, 5600, 8, 3.8, 128,
     "AMD product table, Ryzen 7 7700; memory as commonly fitted"},
    {"epyc-7543", "EPYC 7543, 8 x DDR4-3200", 256, 8, 3200, 32, 2.8, 64,
     "AMD product table, EPYC 7543"},
    {"epyc-9354", "EPYC 9354, 12 x DDR5-4800", 384, 12, 4800, 32, 3.25, 128,
     "AMD product table, EPYC 9354"},
    {"xeon-6338", "2 x Xeon Gold 6338, 16 x DDR4-3200", 512, 16, 3200, 64, 2.0, 256,
     "Intel product specifications, Xeon Gold 6338"},
    {"xeon-6430", "2 x Xeon Gold 6430, 16 x DDR5-4400", 512, 16, 4400, 64, 2.1, 256,
     "Intel product specifications, Xeon Gold 6430"},
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
