// Block layouts as GGUF files hold them: plain structs, little-endian, no padding.
//
// Source: ggml-common.h and ggml-quants.c of llama.cpp (MIT); the descriptions are ours. In the
// drawings one cell is a byte, `lo`/`hi` are its low and high four bits, and eN is element N.
// Codes are stored unsigned unless said otherwise; the levels they stand for are in the formulas.
// bits_32.h and bits_256.h translate to and from GroupedBlock.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "numerics/quant/grouped_block.h"

namespace premise {

static_assert(std::endian::native == std::endian::little, "GGUF blocks are read in place");

using f16_bits = std::uint16_t;

// Levels of the 4-bit table types, denser around zero as weights are.
inline constexpr std::int8_t iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};

// ---- 32 elements, one scale -----------------------------------------------------------------
//
//   codes of four bits lie in halves:   byte     0        1     …     15
//                                       lo      e0       e1          e15
//                                       hi     e16      e17          e31
//   fifth bits lie apart: bit k of the 32-bit `high` belongs to element k.

struct BlockQ4_0 {  // d·(c − 8)
  f16_bits d;
  std::uint8_t codes[16];
  static constexpr GroupedTraits grouped{DType::q4_0, 32, 32, 4, 8, 0, 1, 0, false, nullptr};
};

struct BlockQ4_1 {  // d·c + m
  f16_bits d;
  f16_bits m;
  std::uint8_t codes[16];
  static constexpr GroupedTraits grouped{DType::q4_1, 32, 32, 4, 0, 0, 1, 0, true, nullptr};
};

struct BlockQ5_0 {  // d·(c − 16)
  f16_bits d;
  std::uint8_t high[4];
  std::uint8_t codes[16];
  static constexpr GroupedTraits grouped{DType::q5_0, 32, 32, 5, 16, 0, 1, 0, false, nullptr};
};

struct BlockQ5_1 {  // d·c + m
  f16_bits d;
  f16_bits m;
  std::uint8_t high[4];
  std::uint8_t codes[16];
  static constexpr GroupedTraits grouped{DType::q5_1, 32, 32, 5, 0, 0, 1, 0, true, nullptr};
};

struct BlockQ8_0 {  // d·c, c signed; as GroupedBlock d·(c' − 128)
  f16_bits d;
  std::int8_t codes[32];
  static constexpr GroupedTraits grouped{DType::q8_0, 32, 32, 8, 128, 0, 1, 0, false, nullptr};
};

struct BlockIQ4_NL {  // d·iq4_levels[c]
  f16_bits d;
  std::uint8_t codes[16];
  static constexpr GroupedTraits grouped{DType::iq4_nl, 32, 32, 4, 0, 0, 1, 0, false, iq4_levels};
};

// ---- 256 elements, integer scales per 16 or 32 ------------------------------------------------

// d·s·c − dmin·m per 16. Byte g of `scales`: lo = s, hi = m of group g. Two-bit codes come in two
// runs of 128 elements; byte b of run r holds, from its low bits up, e128r + {b, 32+b, 64+b, 96+b}.
struct BlockQ2_K {
  std::uint8_t scales[16];
  std::uint8_t codes[64];
  f16_bits d;
  f16_bits dmin;
  static constexpr GroupedTraits grouped{DType::q2_k, 256, 16, 2, 0, 4, 0, 4, true, nullptr};
};

// d·(s − 32)·(c − 4) per 16. Low two bits of the codes as in Q2_K; the third bit of element
// 32j + b is bit j of high[b]. Six-bit s of group g = 4i + r:
//   low four bits:  lo (g < 8) or hi (g ≥ 8) of scales[g mod 8]
//   high two bits:  bits 2i, 2i+1 of scales[8 + r]
struct BlockQ3_K {
  std::uint8_t high[32];
  std::uint8_t codes[64];
  std::uint8_t scales[12];
  f16_bits d;
  static constexpr GroupedTraits grouped{DType::q3_k, 256, 16, 3, 4, 6, -32, 0, false, nullptr};
};

// d·s·c − dmin·m per 32. Eight six-bit s and m in twelve bytes, for g < 4:
//   byte         g                  4 + g                8 + g
//   bits 0-5     s of g             m of g               lo: low four bits of s of 4 + g
//   bits 6-7     top of s of 4 + g  top of m of 4 + g    hi: low four bits of m of 4 + g
// Codes come in four runs of 64: byte b of run r has e64r + b in lo and e64r + 32 + b in hi.
struct BlockQ4_K {
  f16_bits d;
  f16_bits dmin;
  std::uint8_t scales[12];
  std::uint8_t codes[128];
  static constexpr GroupedTraits grouped{DType::q4_k, 256, 32, 4, 0, 6, 0, 6, true, nullptr};
};

// As Q4_K; the fifth bit of element 32j + b is bit j of high[b].
struct BlockQ5_K {
  f16_bits d;
  f16_bits dmin;
  std::uint8_t scales[12];
  std::uint8_t high[32];
  std::uint8_t codes[128];
  static constexpr GroupedTraits grouped{DType::q5_k, 256, 32, 5, 0, 6, 0, 6, true, nullptr};
};

// d·s·(c − 32) per 16, s signed. Two runs of 128; with i = element within its run, b = i mod 64:
//   low four bits:  lo (i < 64) or hi (i ≥ 64) of codes[64r + b]
//   high two bits:  of high[32r + i mod 32], from bit 2·(i / 32) up
struct BlockQ6_K {
  std::uint8_t codes[128];
  std::uint8_t high[64];
  std::int8_t scales[16];
  f16_bits d;
  static constexpr GroupedTraits grouped{DType::q6_k, 256, 16, 6, 32, 8, -128, 0, false, nullptr};
};

// d·(s − 32)·iq4_levels[c] per 32. Six-bit s of group g: low four bits in lo (g even) or hi (odd)
// of scales_low[g / 2], high two bits in scales_high from bit 2g up. Group g's codes are the 16
// bytes from 16g, halved as in the formats of 32.
struct BlockIQ4_XS {
  f16_bits d;
  std::uint16_t scales_high;
  std::uint8_t scales_low[4];
  std::uint8_t codes[128];
  static constexpr GroupedTraits grouped{DType::iq4_xs, 256, 32,    4,         0, 6,
                                         -32,           0,   false, iq4_levels};
};

static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20);
static_assert(sizeof(BlockQ5_0) == 22 && sizeof(BlockQ5_1) == 24);
static_assert(sizeof(BlockQ8_0) == 34 && sizeof(BlockIQ4_NL) == 18);
static_assert(sizeof(BlockQ2_K) == 84 && sizeof(BlockQ3_K) == 110);
static_assert(sizeof(BlockQ4_K) == 144 && sizeof(BlockQ5_K) == 176);
static_assert(sizeof(BlockQ6_K) == 210 && sizeof(BlockIQ4_XS) == 136);

/// A copy of the block at `bytes`, which may be unaligned as rows in files are.
template <typename Block>
Block load_block(const std::byte* bytes) {
  Block block;
  std::memcpy(&block, bytes, sizeof block);
  return block;
}

template <typename Block>
void store_block(const Block& block, std::byte* bytes) {
  std::memcpy(bytes, &block, sizeof block);
}

}  // namespace premise
