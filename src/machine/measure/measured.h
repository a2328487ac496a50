// What was measured of a machine, because reading lies: plain data, and its form in JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "machine/finding.h"

namespace premise {

struct ThreadRate {
  int threads = 0;
  double bytes_per_second = 0;

  bool operator==(const ThreadRate&) const = default;
};

struct IsaRate {
  std::string isa;  // name_of(Isa)
  double per_second = 0;

  bool operator==(const IsaRate&) const = default;
};

struct StoreRate {
  std::string folder;  // where was read
  double bytes_per_second = 0;
  std::uint64_t bytes = 0;  // that were read
  bool direct = false;      // past the page cache (O_DIRECT)
  double cached_share = 0;  // of those bytes, in memory before they were read; 0 where direct
  bool own_file = false;    // a file written for the purpose, since the store holds none

  bool operator==(const StoreRate&) const = default;
};

struct Measured {
  std::vector<ThreadRate> memory_read;  // by ascending thread count
  std::vector<IsaRate> int8_ops;        // multiplications and additions, each one; widest set last
  std::vector<IsaRate> bf16_flops;
  std::optional<StoreRate> store_read;
  Text store_not_read{};  // why there is no store_read
  double seconds = 0;     // that measuring took

  std::optional<double> memory_read_bytes_per_second() const;  // the fastest thread count
  std::optional<double> int8_ops_per_second() const;           // the fastest set
  std::optional<double> bf16_flops_per_second() const;
};

/// The value of "measured" in the doctor's JSON; also measured.json of a recording.
std::string to_json(const Measured& measured);
/// Errors (bad_input) name the field.
Result<Measured> measured_from_json(std::string_view text);

/// Says what the figures mean: memory.bandwidth, cpu.int8, cpu.bf16, storage.read_rate.
Findings judge(const Measured& measured);

}  // namespace premise
