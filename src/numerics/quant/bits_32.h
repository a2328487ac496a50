// Bits of the 32-element formats ↔ GroupedBlock. Layouts are drawn in blocks.h.
//
// unpack writes every member that the contract of GroupedBlock names; pack is its inverse. Both are
// branch-free with constant trip counts, so that the compiler vectorizes what the layout allows.
// `__restrict`: bytes may alias anything, and the vectorizer at -O2 emits no run-time checks.
#pragma once

#include "numerics/quant/blocks.h"

namespace premise {
namespace bits {

inline constexpr f16_bits f16_sign = 0x8000;

inline void unpack_halves(const std::uint8_t* __restrict bytes, std::uint8_t* __restrict code) {
  for (int b = 0; b < 16; ++b) {
    code[b] = bytes[b] & 15;
    code[16 + b] = static_cast<std::uint8_t>(bytes[b] >> 4);
  }
}

inline void pack_halves(const std::uint8_t* __restrict code, std::uint8_t* __restrict bytes) {
  for (int b = 0; b < 16; ++b)
    bytes[b] = static_cast<std::uint8_t>((code[b] & 15) | (code[16 + b] << 4));
}

inline void add_fifth_bits(const std::uint8_t* __restrict high, std::uint8_t* __restrict code) {
  for (int byte = 0; byte < 4; ++byte)
    for (int bit = 0; bit < 8; ++bit)
      code[8 * byte + bit] |= static_cast<std::uint8_t>(((high[byte] >> bit) & 1) << 4);
}

inline void pack_fifth_bits(const std::uint8_t* __restrict code, std::uint8_t* __restrict high) {
  for (int byte = 0; byte < 4; ++byte) {
    unsigned bits = 0;
    for (int bit = 0; bit < 8; ++bit) bits |= ((code[8 * byte + bit] >> 4) & 1u) << bit;
    high[byte] = static_cast<std::uint8_t>(bits);
  }
}

inline void set_scale_only(f16_bits d, GroupedBlock& out) {
  out.d = d;
  out.dmin = 0;
  out.scale[0] = 1;
  out.min[0] = 0;
}

inline void set_scale_and_addend(f16_bits d, f16_bits m, GroupedBlock& out) {
  out.d = d;
  out.dmin = m ^ f16_sign;
  out.scale[0] = 1;
  out.min[0] = 1;
}

}  // namespace bits

inline void unpack_block(const BlockQ4_0& in, GroupedBlock& __restrict out) {
  bits::set_scale_only(in.d, out);
  bits::unpack_halves(in.codes, out.code.data());
}

inline void pack_block(const GroupedBlock& in, BlockQ4_0& __restrict out) {
  out.d = in.d;
  bits::pack_halves(in.code.data(), out.codes);
}

inline void unpack_block(const BlockQ4_1& in, GroupedBlock& __restrict out) {
  bits::set_scale_and_addend(in.d, in.m, out);
  bits::unpack_halves(in.codes, out.code.data());
}

inline void pack_block(const GroupedBlock& in, BlockQ4_1& __restrict out) {
  out.d = in.d;
  out.m = in.dmin ^ bits::f16_sign;
  bits::pack_halves(in.code.data(), out.codes);
}

inline void unpack_block(const BlockQ5_0& in, GroupedBlock& __restrict out) {
  bits::set_scale_only(in.d, out);
  bits::unpack_halves(in.codes, out.code.data());
  bits::add_fifth_bits(in.high, out.code.data());
}

inline void pack_block(const GroupedBlock& in, BlockQ5_0& __restrict out) {
  out.d = in.d;
  bits::pack_halves(in.code.data(), out.codes);
  bits::pack_fifth_bits(in.code.data(), out.high);
}

inline void unpack_block(const BlockQ5_1& in, GroupedBlock& __restrict out) {
  bits::set_scale_and_addend(in.d, in.m, out);
  bits::unpack_halves(in.codes, out.code.data());
  bits::add_fifth_bits(in.high, out.code.data());
}

inline void pack_block(const GroupedBlock& in, BlockQ5_1& __restrict out) {
  out.d = in.d;
  out.m = in.dmin ^ bits::f16_sign;
  bits::pack_halves(in.code.data(), out.codes);
  bits::pack_fifth_bits(in.code.data(), out.high);
}

inline void unpack_block(const BlockQ8_0& in, GroupedBlock& __restrict out) {
  bits::set_scale_only(in.d, out);
  // c + 128 modulo 256: signed to offset binary is one flipped bit.
  for (int k = 0; k < 32; ++k) out.code[k] = static_cast<std::uint8_t>(in.codes[k] ^ 0x80);
}

inline void pack_block(const GroupedBlock& in, BlockQ8_0& __restrict out) {
  out.d = in.d;
  for (int k = 0; k < 32; ++k) out.codes[k] = static_cast<std::int8_t>(in.code[k] ^ 0x80);
}

inline void unpack_block(const BlockIQ4_NL& in, GroupedBlock& __restrict out) {
  bits::set_scale_only(in.d, out);
  bits::unpack_halves(in.codes, out.code.data());
}

inline void pack_block(const GroupedBlock& in, BlockIQ4_NL& __restrict out) {
  out.d = in.d;
  bits::pack_halves(in.code.data(), out.codes);
}

}  // namespace premise
