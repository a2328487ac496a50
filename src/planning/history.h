// How far predictions were off on this machine: one small JSON file in the folder of the store.
//
// `premise bench engine` appends a record, `premise plan` shows the latest. The file is replaced as
// a whole; where two benchmarks end at the same moment the later one's record stays, which is no
// loss worth a lock. Rejected: a table in the store's database, which would need a migration for
// what anybody may delete at any time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace premise {

struct Compared {
  double predicted = 0;
  double measured = 0;  // 0: was not measured

  /// (predicted − measured) / measured.
  double error() const { return measured == 0 ? 0 : (predicted - measured) / measured; }
};

struct PredictionRecord {
  std::int64_t time = 0;  // seconds since 1970, UTC
  std::string model;      // as it was typed
  std::string type;
  std::string isa;
  std::uint64_t threads = 0;
  Compared memory_bytes;               // peak of resident memory
  Compared prefill_tokens_per_second;  // of the longest prompt
  Compared decode_tokens_per_second;   // of a batch of one
};

/// Records that are kept: the latest.
inline constexpr std::size_t history_records_max = 32;

/// "predictions.json" in the folder of the store.
std::filesystem::path history_path(const std::filesystem::path& store_root);

/// Oldest first; none where the file is missing. Errors (bad_input): a file that is damaged or far
/// too large for what it should be.
Result<std::vector<PredictionRecord>> read_history(const std::filesystem::path& path);

/// Adds a record and makes the folder where it is missing. A damaged file is left
/// as it is and named, and so is a folder that cannot be made.
Status append_history(const std::filesystem::path& path, const PredictionRecord& record);

}  // namespace premise
