// The numbers of the GGUF format that reader and writer share.
// Source: docs/gguf.md of the ggml project (the format's specification, versions 2 and 3).
#pragma once

#include <cstdint>

namespace premise::gguf {

inline constexpr char magic[4] = {'G', 'G', 'U', 'F'};
inline constexpr std::uint64_t default_alignment = 32;

/// Alignments that are accepted: the format asks for a multiple of 8; beyond 1 MiB lies only waste.
inline constexpr std::uint64_t min_alignment = 8;
inline constexpr std::uint64_t max_alignment = 1 << 20;

/// Kinds of metadata values, by their number in the file.
enum class Type : std::uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12,
};

/// Lengths in bytes: a key (the format's own limit) and a tensor's name (the format says 64; files
/// of other families than language models have longer ones).
inline constexpr std::uint64_t max_key_bytes = 65535;
inline constexpr std::uint64_t max_name_bytes = 1024;

inline constexpr std::uint64_t max_tensors = 1 << 20;
inline constexpr unsigned max_dims = 4;

inline constexpr char alignment_key[] = "general.alignment";
inline constexpr char split_no_key[] = "split.no";
inline constexpr char split_count_key[] = "split.count";
inline constexpr char split_tensors_key[] = "split.tensors.count";

}  // namespace premise::gguf
