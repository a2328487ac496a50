// Bits of the 256-element formats ↔ GroupedBlock. Layouts are drawn in blocks.h; the rules of
// bits_32.h hold here too.
#pragma once

#include "numerics/quant/bits_32.h"

namespace premise {
namespace bits {

/// A six-bit scale and minimum of Q4_K and Q5_K.
struct ScaleMin {
  std::uint8_t scale;
  std::uint8_t min;
};

/// Scale and minimum of group `index` (0-7) from the twelve packed bytes.
inline ScaleMin scale_min_k4(int index, const std::uint8_t* packed) {
  const auto narrow = [](unsigned value) { return static_cast<std::uint8_t>(value); };
  if (index < 4) return {narrow(packed[index] & 63u), narrow(packed[index + 4] & 63u)};
  const unsigned both = packed[index + 4];
  const unsigned scale_top = packed[index - 4] >> 6;
  const unsigned min_top = packed[index] >> 6;
  return {narrow((both & 15u) | (scale_top << 4)), narrow((both >> 4) | (min_top << 4))};
}

inline void unpack_scales_k4(const std::uint8_t* __restrict packed, GroupedBlock& __restrict out) {
  for (int g = 0; g < 8; ++g) {
    const ScaleMin pair = scale_min_k4(g, packed);
    out.scale[g] = static_cast<std::int8_t>(pair.scale);
    out.min[g] = pair.min;
  }
}

inline void pack_scales_k4(const GroupedBlock& in, std::uint8_t* __restrict packed) {
  for (int g = 0; g < 4; ++g) {
    const unsigned scale = static_cast<std::uint8_t>(in.scale[g + 4]);
    const unsigned min = in.min[g + 4];
    packed[g] = static_cast<std::uint8_t>((in.scale[g] & 63) | ((scale >> 4) << 6));
    packed[g + 4] = static_cast<std::uint8_t>((in.min[g] & 63) | ((min >> 4) << 6));
    packed[g + 8] = static_cast<std::uint8_t>((scale & 15u) | (min << 4));
  }
}

/// Two-bit codes in two runs of 128 (Q2_K, Q3_K).
inline void unpack_pairs(const std::uint8_t* __restrict bytes, std::uint8_t* __restrict code) {
  for (int run = 0; run < 2; ++run)
    for (int quarter = 0; quarter < 4; ++quarter)
      for (int b = 0; b < 32; ++b)
        code[128 * run + 32 * quarter + b] =
            static_cast<std::uint8_t>((bytes[32 * run + b] >> (2 * quarter)) & 3);
}

inline void pack_pairs(const std::uint8_t* __restrict code, std::uint8_t* __restrict bytes) {
  for (int run = 0; run < 2; ++run)
    for (int b = 0; b < 32; ++b) {
      const std::uint8_t* from = code + 128 * run + b;
      bytes[32 * run + b] = static_cast<std::uint8_t>((from[0] & 3) | (from[32] & 3) << 2 |
                                                      (from[64] & 3) << 4 | (from[96] & 3) << 6);
    }
}

/// Four-bit codes in four runs of 64 (Q4_K, Q5_K).
inline void unpack_nibbles(const std::uint8_t* __restrict bytes, std::uint8_t* __restrict code) {
  for (int run = 0; run < 4; ++run)
    for (int b = 0; b < 32; ++b) {
      code[64 * run + b] = bytes[32 * run + b] & 15;
      code[64 * run + 32 + b] = static_cast<std::uint8_t>(bytes[32 * run + b] >> 4);
    }
}

inline void pack_nibbles(const std::uint8_t* __restrict code, std::uint8_t* __restrict bytes) {
  for (int run = 0; run < 4; ++run)
    for (int b = 0; b < 32; ++b)
      bytes[32 * run + b] =
          static_cast<std::uint8_t>((code[64 * run + b] & 15) | (code[64 * run + 32 + b] << 4));
}

/// One more bit a code from a plane of 32 bytes: element 32j + b has bit j of high[b]. The plane's
/// bit becomes bit `position` of the code.
inline void add_plane(const std::uint8_t* __restrict high, int position,
                      std::uint8_t* __restrict code) {
  for (int j = 0; j < 8; ++j)
    for (int b = 0; b < 32; ++b)
      code[32 * j + b] |= static_cast<std::uint8_t>(((high[b] >> j) & 1) << position);
}

inline void pack_plane(const std::uint8_t* __restrict code, int position,
                       std::uint8_t* __restrict high) {
  for (int b = 0; b < 32; ++b) {
    unsigned bits = 0;
    for (int j = 0; j < 8; ++j) bits |= ((code[32 * j + b] >> position) & 1u) << j;
    high[b] = static_cast<std::uint8_t>(bits);
  }
}

inline void set_no_min(GroupedBlock& out) {
  out.dmin = 0;
  out.min = {};
}

}  // namespace bits

inline void unpack_block(const BlockQ2_K& in, GroupedBlock& __restrict out) {
  out.d = in.d;
  out.dmin = in.dmin;
  for (int g = 0; g < 16; ++g) {
    out.scale[g] = in.scales[g] & 15;
    out.min[g] = static_cast<std::uint8_t>(in.scales[g] >> 4);
  }
  bits::unpack_pairs(in.codes, out.code.data());
}

inline void pack_block(const GroupedBlock& in, BlockQ2_K& __restrict out) {
  for (int g = 0; g < 16; ++g)
    out.scales[g] = static_cast<std::uint8_t>((in.scale[g] & 15) | (in.min[g] << 4));
  bits::pack_pairs(in.code.data(), out.codes);
  out.d = in.d;
  out.dmin = in.dmin;
}

inline void unpack_block(const BlockQ3_K& in, GroupedBlock& __restrict out) {
  out.d = in.d;
  bits::set_no_min(out);
  for (int g = 0; g < 16; ++g) {
    const int low = (in.scales[g % 8] >> (g < 8 ? 0 : 4)) & 15;
    const int top = (in.scales[8 + g % 4] >> (2 * (g / 4))) & 3;
    out.scale[g] = static_cast<std::int8_t>((low | (top << 4)) - 32);
  }
  bits::unpack_pairs(in.codes, out.code.data());
  bits::add_plane(in.high, 2, out.code.data());
}

inline void pack_block(const GroupedBlock& in, BlockQ3_K& __restrict out) {
  for (std::uint8_t& byte : out.scales) byte = 0;
  for (int g = 0; g < 16; ++g) {
    const int scale = in.scale[g] + 32;
    out.scales[g % 8] |= static_cast<std::uint8_t>((scale & 15) << (g < 8 ? 0 : 4));
    out.scales[8 + g % 4] |= static_cast<std::uint8_t>((scale >> 4) << (2 * (g / 4)));
  }
  bits::pack_pairs(in.code.data(), out.codes);
  bits::pack_plane(in.code.data(), 2, out.high);
  out.d = in.d;
}

inline void unpack_block(const BlockQ4_K& in, GroupedBlock& __restrict out) {
  out.d = in.d;
  out.dmin = in.dmin;
  bits::unpack_scales_k4(in.scales, out);
  bits::unpack_nibbles(in.codes, out.code.data());
}

inline void pack_block(const GroupedBlock& in, BlockQ4_K& __restrict out) {
  out.d = in.d;
  out.dmin = in.dmin;
  bits::pack_scales_k4(in, out.scales);
  bits::pack_nibbles(in.code.data(), out.codes);
}

inline void unpack_block(const BlockQ5_K& in, GroupedBlock& __restrict out) {
  out.d = in.d;
  out.dmin = in.dmin;
  bits::unpack_scales_k4(in.scales, out);
  bits::unpack_nibbles(in.codes, out.code.data());
  bits::add_plane(in.high, 4, out.code.data());
}

inline void pack_block(const GroupedBlock& in, BlockQ5_K& __restrict out) {
  out.d = in.d;
  out.dmin = in.dmin;
  bits::pack_scales_k4(in, out.scales);
  bits::pack_plane(in.code.data(), 4, out.high);
  bits::pack_nibbles(in.code.data(), out.codes);
}

inline void unpack_block(const BlockQ6_K& in, GroupedBlock& __restrict out) {
  out.d = in.d;
  bits::set_no_min(out);
  for (int g = 0; g < 16; ++g) out.scale[g] = in.scales[g];
  for (int run = 0; run < 2; ++run)
    for (int quarter = 0; quarter < 4; ++quarter)
      for (int b = 0; b < 32; ++b) {
        const int low = in.codes[64 * run + 32 * (quarter % 2) + b] >> (4 * (quarter / 2));
        const int top = in.high[32 * run + b] >> (2 * quarter);
        out.code[128 * run + 32 * quarter + b] =
            static_cast<std::uint8_t>((low & 15) | ((top & 3) << 4));
      }
}

inline void pack_block(const GroupedBlock& in, BlockQ6_K& __restrict out) {
  for (int run = 0; run < 2; ++run) {
    const std::uint8_t* code = in.code.data() + 128 * run;
    for (int b = 0; b < 64; ++b)
      out.codes[64 * run + b] = static_cast<std::uint8_t>((code[b] & 15) | (code[64 + b] << 4));
    for (int b = 0; b < 32; ++b)
      out.high[32 * run + b] =
          static_cast<std::uint8_t>(code[b] >> 4 | (code[32 + b] >> 4) << 2 |
                                    (code[64 + b] >> 4) << 4 | (code[96 + b] >> 4) << 6);
  }
  for (int g = 0; g < 16; ++g) out.scales[g] = in.scale[g];
  out.d = in.d;
}

inline void unpack_block(const BlockIQ4_XS& in, GroupedBlock& __restrict out) {
  out.d = in.d;
  bits::set_no_min(out);
  for (int g = 0; g < 8; ++g) {
    const int low = (in.scales_low[g / 2] >> (4 * (g % 2))) & 15;
    const int top = (in.scales_high >> (2 * g)) & 3;
    out.scale[g] = static_cast<std::int8_t>((low | (top << 4)) - 32);
    bits::unpack_halves(in.codes + 16 * g, out.code.data() + 32 * g);
  }
}

inline void pack_block(const GroupedBlock& in, BlockIQ4_XS& __restrict out) {
  out.d = in.d;
  unsigned high = 0;
  for (std::uint8_t& byte : out.scales_low) byte = 0;
  for (int g = 0; g < 8; ++g) {
    const int scale = in.scale[g] + 32;
    high |= static_cast<unsigned>(scale >> 4) << (2 * g);
    out.scales_low[g / 2] |= static_cast<std::uint8_t>((scale & 15) << (4 * (g % 2)));
    bits::pack_halves(in.code.data() + 32 * g, out.codes + 16 * g);
  }
  out.scales_high = static_cast<std::uint16_t>(high);
}

}  // namespace premise
