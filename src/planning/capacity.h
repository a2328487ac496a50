// What a machine can hold and do, as far as sizing asks. Every figure says where it comes from, so
// that no prediction passes an assumption off as a measurement.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/text.h"

namespace premise {

enum class FigureSource : std::uint8_t { measured, data_sheet, assumed };

/// "measured", "data sheet", "assumed"
Text name_of(FigureSource source);
/// "measured", "data_sheet", "assumed": for JSON.
std::string_view id_of(FigureSource source);

struct Figure {
  double value = 0.0;
  FigureSource source = FigureSource::assumed;
};

/// A machine, or one card in it.
struct Capacity {
  std::string id;    // "rtx3060", "this"
  std::string name;  // "RTX 3060 12 GB"
  bool gpu = false;
  std::uint64_t memory_bytes = 0;  // of the card; of a machine, what this process may use at most
  Figure read_bytes_per_second;    // of that memory
  Figure int8_ops_per_second;      // a multiplication and an addition are two; dense
  Figure bf16_flops_per_second;
  int threads = 1;  // that compute; CPUs
  // Shares of those rates that the engine reaches (docs/sizing.md).
  double decode_efficiency = 0;     // of the bandwidth, while generating
  double prefill_efficiency = 0;    // of the operations, in multiplications
  double attention_efficiency = 0;  // of the BF16 operations, in attention; above 1 where keys that
                                    // stay in the cache beat weights that stream through it
  std::string sheet;                // where data-sheet figures are from; empty: nowhere
};

/// Share of the capacity that a model may fill: the rest is for the system, for other programs, for
/// fragmentation and for what a longer day brings.
inline constexpr double memory_share_max = 0.8;

}  // namespace premise
