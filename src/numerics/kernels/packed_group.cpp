#include "numerics/kernels/packed_group.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "numerics/quant/half.h"

namespace premise {
namespace {

unsigned byte_at(const std::byte* bytes, std::uint64_t index) {
  return std::to_integer<unsigned>(bytes[index]);
}

float f16_at(const std::byte* bytes, std::uint64_t index) {
  std::uint16_t bits;
  std::memcpy(&bits, bytes + 2 * index, sizeof bits);
  return f16_to_f32(bits);
}

float signed_at(const std::byte* bytes, std::uint64_t index) {
  return static_cast<float>(static_cast<std::int8_t>(byte_at(bytes, index)));
}

// `lane` is the byte lane 4r + c within the vectors of the group.
unsigned code_at(Layout layout, const std::byte* codes, std::uint32_t quad, std::uint32_t lane) {
  const auto vector = [&](std::uint32_t index) { return byte_at(codes, 64 * index + lane); };
  const auto pair = [&](std::uint32_t base) {
    return (vector(base + quad / 4) >> (2 * (quad % 4))) & 3u;
  };
  const auto nibble = [&] { return (vector(quad % 4) >> (quad < 4 ? 0 : 4)) & 15u; };
  const auto bit = [&](std::uint32_t base) { return (vector(base) >> quad) & 1u; };
  switch (layout) {
    case Layout::p2:
      return pair(0);
    case Layout::p3:
      return pair(0) | bit(2) << 2;
    case Layout::p4:
      return nibble();
    case Layout::p5:
      return nibble() | bit(4) << 4;
    case Layout::p6:
      return nibble() | pair(4) << 4;
    case Layout::p8:
      return vector(quad);
    case Layout::t4:
      return iq4_codes[nibble()];
    default:
      assert(false);
      return 0;
  }
}

// `chunk` begins with the f16 factors, `scales` with the group's scales.
void read_scales(ScaleKind kind, const std::byte* chunk, const std::byte* scales,
                 std::uint32_t lane, GroupValues& out) {
  const auto both = [&](float scale, float min) {
    std::ranges::fill(out.scale, scale);
    std::ranges::fill(out.min, min);
  };
  const float d = f16_at(chunk, lane);
  const float dmin = f16_at(chunk, panel_rows + lane);  // read where the kind has it
  switch (kind) {
    case ScaleKind::f16:
      return both(f16_at(scales, lane), 0);
    case ScaleKind::f16_min:
      return both(f16_at(scales, lane), -f16_at(scales, panel_rows + lane));
    case ScaleKind::super32:
      return both(d * signed_at(scales, lane), 0);
    case ScaleKind::super32_min:
      return both(d * static_cast<float>(byte_at(scales, lane)),
                  dmin * static_cast<float>(byte_at(scales, panel_rows + lane)));
    case ScaleKind::super16:
      for (std::uint32_t half = 0; half < 2; ++half) {
        out.scale[half] = d * signed_at(scales, half * panel_rows + lane);
        out.min[half] = 0;
      }
      return;
    case ScaleKind::super16_min:
      for (std::uint32_t half = 0; half < 2; ++half) {
        const unsigned packed = byte_at(scales, half * panel_rows + lane);
        out.scale[half] = d * static_cast<float>(packed & 15u);
        out.min[half] = dmin * static_cast<float>(packed >> 4);
      }
      return;
    case ScaleKind::none:
      assert(false);
  }
}

}  // namespace

void read_group(const PackedMatrix& matrix, std::uint64_t row, std::uint64_t group,
                GroupValues& out) {
  assert(row < matrix.rows && group < matrix.columns / group_columns);
  const auto lane = static_cast<std::uint32_t>(row % panel_rows);
  const std::uint64_t chunk_index = group / chunk_groups;
  const std::uint64_t groups_left = matrix.columns / group_columns - chunk_index * chunk_groups;
  const auto groups =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(groups_left, chunk_groups));
  const auto index = static_cast<std::uint32_t>(group % chunk_groups);

  const std::byte* chunk = matrix.data + row / panel_rows * matrix.panel_bytes +
                           chunk_index * chunk_bytes(matrix.layout, matrix.scales, chunk_groups);
  const std::byte* codes =
      chunk + codes_offset(matrix.scales, groups) + index * code_bytes(matrix.layout);
  for (std::uint32_t k = 0; k < group_columns; ++k)
    out.code[k] = static_cast<std::uint8_t>(code_at(matrix.layout, codes, k / 4, 4 * lane + k % 4));
  read_scales(matrix.scales, chunk,
              chunk + super_bytes(matrix.scales) + index * scale_bytes(matrix.scales), lane, out);
}

}  // namespace premise
