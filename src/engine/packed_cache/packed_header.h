// The head of a file of packed weights: which model it was packed from, how, and a checksum of each
// block of what follows.
//
//   offset 0   "PREMPACK"
//          8   u32 version of this head           12  u32 version of the layout of panels
//         16   u64 bytes of the head, a multiple of 4096, where the weights begin
//         24   u64 bytes of the weights, a multiple of 64; the file ends behind them
//         32   u32 CRC-32C of the head from 40 on 36  u32 CRC-32C of bytes 0 … 35
//         40   strings (u64 length, bytes): key, model, instruction set, program
//              u32 files:    string path, u64 device, inode, bytes, i64 modified, changed (ns)
//              u32 sections: string name, u32 type, u64 rows, columns, offset, bytes
//              u64 blocks:   four u32 for each MiB of the weights (block_checksum.h)
//              zeros up to the end of the head
//
// The file is hostile input all the same: it lies in a folder that others may write to. A loader
// takes nothing from it but bytes and their checksums: names, types, sizes and offsets are computed
// from the model and must be what stands here (same_contents).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "base/result.h"
#include "engine/packed_cache/block_checksum.h"

namespace premise {

inline constexpr std::uint64_t packed_block_bytes = std::uint64_t{1} << 20;
inline constexpr std::uint64_t packed_head_limit = std::uint64_t{64} << 20;

/// A matrix, packed.
struct PackedSection {
  std::string name;
  std::uint32_t type = 0;  // DType
  std::uint64_t rows = 0, columns = 0;
  std::uint64_t offset = 0, bytes = 0;  // in the weights
  bool operator==(const PackedSection&) const = default;
};

/// A file that weights were packed from, as it was then.
struct PackedOrigin {
  std::string path;
  FileIdentity identity;
  bool operator==(const PackedOrigin&) const = default;

  /// Whether a file holds what was packed, as far as size and time tell. Of models known by their
  /// digest too: a blob that was damaged on the disk when it was packed may have been mended since.
  bool is_still(const FileIdentity& now) const {
    return now.bytes == identity.bytes && now.modified_ns == identity.modified_ns;
  }
};

struct PackedHeader {
  std::uint32_t layout_version = 0;
  std::string key;    // "sha256:…" or "file:…"
  std::string model;  // as it was asked for
  std::string isa;    // that the layout serves: "any"
  std::string program;
  std::vector<PackedOrigin> origins;
  std::vector<PackedSection> sections;
  std::uint64_t data_bytes = 0;
  std::vector<BlockChecksum> checksums;

  /// Bytes of the head: where the weights begin.
  std::uint64_t head_bytes() const;
  std::uint64_t block_count() const {
    return data_bytes / packed_block_bytes + (data_bytes % packed_block_bytes != 0);
  }
};

/// head_bytes() long; checksums has block_count() entries.
std::string encode(const PackedHeader& header);

/// What stands in bytes 0 … 39, enough to read the rest.
struct PackedSizes {
  std::uint64_t head_bytes = 0;
  std::uint64_t data_bytes = 0;
};
inline constexpr std::uint64_t packed_fixed_bytes = 40;

/// Checks magic, version, checksum and sizes against the file's. Errors: bad_input.
Result<PackedSizes> parse_packed_sizes(std::span<const std::byte> fixed, std::uint64_t file_bytes,
                                       std::string_view path);

/// The whole head, `head` being sizes.head_bytes long. Errors: bad_input.
Result<PackedHeader> parse_packed_header(std::span<const std::byte> head, const PackedSizes& sizes,
                                         std::string_view path);

/// Whether a file with the head `found` holds what `wanted` describes; an Error that says what
/// differs. Model, program, paths and checksums may.
Status same_contents(const PackedHeader& wanted, const PackedHeader& found, std::string_view path);

}  // namespace premise
