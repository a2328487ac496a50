// Where the bytes of a packed matrix lie. Plain data only; functions are static, so that files of
// an instruction set keep their own copies.
//
// A panel holds 16 consecutive rows of W (the last one padded with rows of zero scales), because
// one 512-bit dot product instruction feeds 16 sums. Within a panel everything lies in the order in
// which a multiplication reads it, so decoding is one linear stream a panel.
//
// Plain layouts: [column][16 rows] elements, the end padded to 64 bytes.
//
// Integer layouts: a panel is a run of chunks of 256 columns; the last may have fewer groups of 32.
//   chunk   [d: 16 f16] [dmin: 16 f16]         where the scale kind has them
//           [group][scales of 16 rows]         scale_bytes() a group
//           padding to 64 bytes
//           [group][codes]                     code_bytes() a group
//
//   scales  f16           d[16]                f16_min       d[16] m[16]
//           super32       s[16]  (int8)        super32_min   s[16] min[16]  (uint8)
//           super16       s[2][16] (int8)      super16_min   (s | min << 4)[2][16]
//
//   codes   A quad is 4 consecutive columns; a group has quads 0 … 7. Byte lane 4r + c of a 64-byte
//           vector belongs to row r and column c of a quad.
//     p8    vector q (0 … 7) holds quad q
//     p4    vector j (0 … 3): low four bits quad j, high four bits quad j + 4
//     p5    p4, then one vector whose bit q is the fifth bit of quad q
//     p6    p4, then two vectors: bits 2q, 2q+1 of vector h are the top bits of quad 4h + q
//     p2    two vectors: bits 2q, 2q+1 of vector h are quad 4h + q
//     p3    p2, then one vector whose bit q is the third bit of quad q
//     t4    as p4; the code is an index into iq4_codes
//
// Sizes stay within 1–4 % of the file's (Q3_K: 5.5 %, its six-bit scales become bytes).
#pragma once

#include "numerics/kernels/contracts/matmul.h"

namespace premise {

/// Raised by every change of the bytes that pack_panels() makes of a tensor: caches on disk of
/// another version are packed anew. packing_test.cpp holds the bytes to it. The layout is the same
/// for every instruction set.
inline constexpr std::uint32_t packed_layout_version = 1;

inline constexpr std::uint32_t panel_rows = 16;
inline constexpr std::uint32_t group_columns = 32;
inline constexpr std::uint32_t chunk_groups = 8;
inline constexpr std::uint32_t chunk_columns = group_columns * chunk_groups;

/// The levels of IQ4_NL and IQ4_XS plus 128, so that their code of zero is 128.
inline constexpr std::uint8_t iq4_codes[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                               129, 141, 153, 166, 181, 197, 217, 241};

/// Bytes of one group's codes.
static constexpr std::uint32_t code_bytes(Layout layout) {
  switch (layout) {
    case Layout::p2:
      return 128;
    case Layout::p3:
      return 192;
    case Layout::p4:
    case Layout::t4:
      return 256;
    case Layout::p5:
      return 320;
    case Layout::p6:
      return 384;
    case Layout::p8:
      return 512;
    default:
      return 0;
  }
}

/// Bytes of one group's scales.
static constexpr std::uint32_t scale_bytes(ScaleKind kind) {
  switch (kind) {
    case ScaleKind::none:
      return 0;
    case ScaleKind::super32:
      return 16;
    case ScaleKind::f16_min:
      return 64;
    default:
      return 32;
  }
}

/// Bytes of the f16 factors at the head of a chunk.
static constexpr std::uint32_t super_bytes(ScaleKind kind) {
  switch (kind) {
    case ScaleKind::super32:
    case ScaleKind::super16:
      return 32;
    case ScaleKind::super32_min:
    case ScaleKind::super16_min:
      return 64;
    default:
      return 0;
  }
}

static constexpr bool has_min(ScaleKind kind) {
  return kind == ScaleKind::f16_min || kind == ScaleKind::super32_min ||
         kind == ScaleKind::super16_min;
}

/// Columns that share a scale.
static constexpr std::uint32_t scale_columns(ScaleKind kind) {
  return kind == ScaleKind::super16 || kind == ScaleKind::super16_min ? 16 : 32;
}

/// Where the codes of a chunk of `groups` groups begin.
static constexpr std::uint32_t codes_offset(ScaleKind kind, std::uint32_t groups) {
  return (super_bytes(kind) + groups * scale_bytes(kind) + 63u) & ~63u;
}

static constexpr std::uint32_t chunk_bytes(Layout layout, ScaleKind kind, std::uint32_t groups) {
  return codes_offset(kind, groups) + groups * code_bytes(layout);
}

/// log2 of PackedMatrix::zero, which layout and scales determine; 0 where zero is 0.
static constexpr int zero_shift(Layout layout, ScaleKind kind) {
  if (has_min(kind)) return 0;
  switch (layout) {
    case Layout::p3:
      return 2;
    case Layout::p4:
      return 3;
    case Layout::p5:
      return 4;
    case Layout::p6:
      return 5;
    case Layout::p8:
    case Layout::t4:
      return 7;
    default:
      return 0;
  }
}

}  // namespace premise
