// The key-value section of a GGUF file.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "model/formats/byte_reader.h"
#include "model/formats/metadata.h"

namespace premise::gguf {

/// Reads `count` key-value pairs at the cursor into `metadata`. Every kind of value is read;
/// arrays of arrays are refused by name (the format allows them, no published model has one, and
/// they were the way into other readers). Memory stays below `budget` bytes, whatever the file
/// claims: decoded values can be eight times as large as their bytes in the file.
inline constexpr std::uint64_t metadata_budget = std::uint64_t{1} << 30;
Status read_metadata(ByteReader& in, std::uint64_t count, Metadata& metadata,
                     std::uint64_t budget = metadata_budget);

}  // namespace premise::gguf
