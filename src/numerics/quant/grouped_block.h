// One view of all block formats: groups of unsigned codes with integer scales and minimums.
//
// GGUF's block formats differ in where their bits lie, hardly in what they mean. Every one of them
// says, for element k of a block and its group g = k / group_elements:
//
//   value[k] = (d · scale[g]) · level(code[k]) − dmin · min[g]
//   level(c) = codebook ? codebook[c] : c − offset
//
// so a GroupedBlock holds just these integers and the two f16 factors as the file has them. The
// decomposition loses nothing: pack(unpack(block)) == block, and the formula, evaluated in f32 in
// the order written, gives bit for bit what ggml's reference gives: the products are even exact
// (f16 has 11 significant bits, and no format's scale and level have more than 13 together, so
// that f32's 24 hold them); only the subtraction rounds.
// Decoders, encoders and the packers of the engine's layouts work on GroupedBlocks and leave the
// bit fiddling to bits_*.h. Rejected: a struct per format, which would need a packer per format.
//
// Formats of 32 elements have no integer scales: scale[0] is 1, and min[0] is 1 where they have a
// minimum. They store it as an addend m; here dmin = −m, which flips one bit of the f16.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "numerics/tensor/dtype.h"

namespace premise {

inline constexpr std::size_t max_block_elements = 256;
inline constexpr std::size_t max_block_groups = 16;

/// Plain data, about 300 bytes. Entries past the format's elements or groups are unspecified, and
/// so are the members that the format lacks, except that scale and min are as said above and dmin
/// is +0 and every min 0 where has_min() is false.
struct GroupedBlock {
  std::uint16_t d;     // f16
  std::uint16_t dmin;  // f16
  std::array<std::int8_t, max_block_groups> scale;
  std::array<std::uint8_t, max_block_groups> min;
  std::array<std::uint8_t, max_block_elements> code;
};

/// What is the same in all blocks of a format.
struct GroupedTraits {
  DType dtype;
  std::uint16_t elements;        // a block: 32 or 256
  std::uint16_t group_elements;  // that share a scale: 16 or 32
  std::uint8_t code_bits;        // code < 2^code_bits
  std::uint8_t offset;           // the code of zero, where codebook is null
  std::uint8_t scale_bits;       // width of scale[g]; 0: always 1, d alone is the scale
  std::int8_t scale_low;         // least value of scale[g]
  std::uint8_t min_bits;         // width of min[g]; 0 with has_min: always 1
  bool has_min;
  const std::int8_t* codebook;  // 2^code_bits levels, or null

  constexpr std::size_t groups() const { return elements / group_elements; }
  constexpr int level(std::uint8_t code) const {
    return codebook ? codebook[code] : static_cast<int>(code) - offset;
  }
  constexpr int scale_high() const {
    return scale_bits == 0 ? 1 : scale_low + (1 << scale_bits) - 1;
  }
};

/// A block format with its two translations. Both read and write exactly one block, at any
/// alignment, unchecked; pack wants codes, scales and mins within the widths of the traits.
struct GroupedFormat {
  GroupedTraits traits;
  void (*unpack)(const std::byte* block, GroupedBlock& out);
  void (*pack)(const GroupedBlock& block, std::byte* out);
};

/// The format of a type; null where the type is plain (f32, f16, bf16, integers) or not computed.
const GroupedFormat* grouped_format(DType dtype);

}  // namespace premise
