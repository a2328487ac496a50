// Blocks of a file → panels (contracts/packed_layout.h), and rows of panels → f32.
//
// Loading is bound by this code and the disk, so codes move four at a time: a quad of a row is one
// 32-bit word of the group's vectors, and planes are built with shifts of such words.
#include <algorithm>
#include <cassert>
#include <cstring>

#include "numerics/kernels/matmul.h"
#include "numerics/kernels/packed_format.h"
#include "numerics/kernels/packed_group.h"
#include "numerics/quant/grouped_block.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

constexpr std::uint32_t quads = group_columns / 4;

// The word of row `row` in vector `vector` of a group.
void put_word(std::byte* codes, std::uint32_t vector, std::uint32_t row, std::uint32_t word) {
  std::memcpy(codes + 64 * vector + 4 * row, &word, sizeof word);
}

void put_nibbles(const std::uint32_t (&quad)[quads], std::byte* codes, std::uint32_t row) {
  for (std::uint32_t j = 0; j < 4; ++j)
    put_word(codes, j, row, (quad[j] & 0x0f0f0f0fu) | (quad[j + 4] & 0x0f0f0f0fu) << 4);
}

// Bits `from`, `from + 1` of each code into two vectors from `vector` on.
void put_pairs(const std::uint32_t (&quad)[quads], int from, std::byte* codes, std::uint32_t vector,
               std::uint32_t row) {
  for (std::uint32_t h = 0; h < 2; ++h) {
    std::uint32_t word = 0;
    for (std::uint32_t q = 0; q < 4; ++q)
      word |= ((quad[4 * h + q] >> from) & 0x03030303u) << (2 * q);
    put_word(codes, vector + h, row, word);
  }
}

// Bit `from` of each code into vector `vector`.
void put_plane(const std::uint32_t (&quad)[quads], int from, std::byte* codes, std::uint32_t vector,
               std::uint32_t row) {
  std::uint32_t word = 0;
  for (std::uint32_t q = 0; q < quads; ++q) word |= ((quad[q] >> from) & 0x01010101u) << q;
  put_word(codes, vector, row, word);
}

void put_codes(Layout layout, const std::uint8_t* from, std::byte* codes, std::uint32_t row) {
  std::uint32_t quad[quads];
  std::memcpy(quad, from, sizeof quad);
  switch (layout) {
    case Layout::p2:
      put_pairs(quad, 0, codes, 0, row);
      return;
    case Layout::p3:
      put_pairs(quad, 0, codes, 0, row);
      put_plane(quad, 2, codes, 2, row);
      return;
    case Layout::p4:
    case Layout::t4:
      put_nibbles(quad, codes, row);
      return;
    case Layout::p5:
      put_nibbles(quad, codes, row);
      put_plane(quad, 4, codes, 4, row);
      return;
    case Layout::p6:
      put_nibbles(quad, codes, row);
      put_pairs(quad, 4, codes, 4, row);
      return;
    case Layout::p8:
      for (std::uint32_t q = 0; q < quads; ++q) put_word(codes, q, row, quad[q]);
      return;
    default:
      assert(false);
  }
}

void put_f16(std::byte* to, std::uint32_t index, std::uint16_t bits) {
  std::memcpy(to + 2 * index, &bits, sizeof bits);
}

// Scales of group `group` of a chunk whose factors begin at `chunk`. `index` is the first of the
// block's scale groups that lie in it.
void put_scales(ScaleKind kind, const GroupedBlock& block, std::uint32_t index, std::uint32_t group,
                std::byte* chunk, std::uint32_t row) {
  std::byte* scales = chunk + super_bytes(kind) + group * scale_bytes(kind);
  if (super_bytes(kind) >= 32) put_f16(chunk, row, block.d);
  if (super_bytes(kind) == 64) put_f16(chunk, panel_rows + row, block.dmin);
  switch (kind) {
    case ScaleKind::f16_min:
      put_f16(scales, panel_rows + row, block.dmin ^ 0x8000u);  // a GroupedBlock has dmin = −m
      [[fallthrough]];
    case ScaleKind::f16:
      put_f16(scales, row, block.d);
      return;
    case ScaleKind::super32_min:
      scales[panel_rows + row] = std::byte{block.min[index]};
      [[fallthrough]];
    case ScaleKind::super32:
      scales[row] = static_cast<std::byte>(block.scale[index]);
      return;
    case ScaleKind::super16:
      for (std::uint32_t half = 0; half < 2; ++half)
        scales[half * panel_rows + row] = static_cast<std::byte>(block.scale[index + half]);
      return;
    case ScaleKind::super16_min:
      for (std::uint32_t half = 0; half < 2; ++half)
        scales[half * panel_rows + row] =
            static_cast<std::byte>((block.scale[index + half] & 15) | block.min[index + half] << 4);
      return;
    case ScaleKind::none:
      assert(false);
  }
}

// One row's blocks of one chunk.
void pack_chunk_row(const PackedFormat& format, const GroupedFormat& blocks,
                    const std::byte* source, std::uint32_t groups, std::byte* chunk,
                    std::uint32_t row) {
  std::byte* codes = chunk + codes_offset(format.scales, groups);
  const std::uint32_t groups_a_block = blocks.traits.elements / group_columns;
  const std::uint32_t scales_a_group = group_columns / blocks.traits.group_elements;
  const std::uint32_t block_bytes = traits(format.dtype).block_bytes;
  GroupedBlock block;
  for (std::uint32_t g = 0; g < groups; ++g) {
    const std::uint32_t inside = g % groups_a_block;
    if (inside == 0) {
      blocks.unpack(source, block);
      source += block_bytes;
    }
    put_scales(format.scales, block, inside * scales_a_group, g, chunk, row);
    put_codes(format.layout, block.code.data() + inside * group_columns,
              codes + g * code_bytes(format.layout), row);
  }
}

void pack_integer_panel(const PackedFormat& format, const TensorView& source,
                        std::uint64_t first_row, std::uint32_t rows, std::byte* panel) {
  const GroupedFormat& blocks = *grouped_format(format.dtype);
  const std::uint64_t columns = source.shape.columns();
  for (std::uint64_t column = 0; column < columns; column += chunk_columns) {
    const auto groups = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(columns - column, chunk_columns) / group_columns);
    const std::uint64_t offset = *row_bytes(format.dtype, column);
    std::memset(panel, 0, codes_offset(format.scales, groups));
    for (std::uint32_t r = 0; r < rows; ++r)
      pack_chunk_row(format, blocks, source.row(first_row + r).data() + offset, groups, panel, r);
    panel += chunk_bytes(format.layout, format.scales, groups);
  }
}

// Rows are turned in blocks of 64 columns: 16 rows of one or two cache lines, 2 or 4 KiB written.
template <typename Element>
void pack_plain_panel(const TensorView& source, std::uint64_t first_row, std::uint32_t rows,
                      std::byte* panel) {
  constexpr std::uint64_t block = 64;
  const std::uint64_t columns = source.shape.columns();
  if (columns * panel_rows * sizeof(Element) % 64 != 0)  // 16-bit elements, odd columns
    std::memset(panel + columns * panel_rows * sizeof(Element), 0, 32);
  for (std::uint64_t begin = 0; begin < columns; begin += block) {
    const std::uint64_t end = std::min(columns, begin + block);
    for (std::uint32_t r = 0; r < rows; ++r) {
      const std::byte* from = source.row(first_row + r).data();
      for (std::uint64_t k = begin; k < end; ++k)
        std::memcpy(panel + (k * panel_rows + r) * sizeof(Element), from + k * sizeof(Element),
                    sizeof(Element));
    }
  }
}

template <typename Element, float (*to_f32)(Element)>
void decode_plain(const std::byte* panel, std::uint64_t lane, std::uint64_t columns, float* out) {
  for (std::uint64_t k = 0; k < columns; ++k) {
    Element element;
    std::memcpy(&element, panel + (k * panel_rows + lane) * sizeof element, sizeof element);
    out[k] = to_f32(element);
  }
}

float same(float value) { return value; }

void decode_groups(const PackedMatrix& matrix, std::uint64_t row, float* out) {
  GroupValues values;
  const bool with_min = has_min(matrix.scales);
  for (std::uint64_t g = 0; g < matrix.columns / group_columns; ++g) {
    read_group(matrix, row, g, values);
    for (std::uint32_t k = 0; k < group_columns; ++k) {
      const int level = values.code[k] - matrix.zero;
      const float value = values.scale[k / 16] * static_cast<float>(level);
      out[g * group_columns + k] = with_min ? value - values.min[k / 16] : value;
    }
  }
}

}  // namespace

void pack_panels(const TensorView& source, std::uint64_t panel_begin, std::uint64_t panel_end,
                 std::byte* destination) {
  const PackedFormat* format = packed_format(source.dtype);
  assert(format != nullptr);
  const std::uint64_t rows = source.shape.rows();
  const std::uint64_t panel_bytes = *panel_bytes_of(*format, source.shape.columns());
  assert(panel_end <= panel_count(rows));
  for (std::uint64_t p = panel_begin; p < panel_end; ++p) {
    const std::uint64_t first = p * panel_rows;
    const auto present =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(panel_rows, rows - first));
    std::byte* panel = destination + p * panel_bytes;
    if (present < panel_rows) std::memset(panel, 0, panel_bytes);
    switch (format->layout) {
      case Layout::f32:
        pack_plain_panel<float>(source, first, present, panel);
        break;
      case Layout::f16:
      case Layout::bf16:
        pack_plain_panel<std::uint16_t>(source, first, present, panel);
        break;
      default:
        pack_integer_panel(*format, source, first, present, panel);
    }
  }
}

void decode_row(const PackedMatrix& matrix, std::uint64_t row, float* out) {
  assert(row < matrix.rows);
  const std::byte* panel = matrix.data + row / panel_rows * matrix.panel_bytes;
  const std::uint64_t lane = row % panel_rows;
  switch (matrix.layout) {
    case Layout::f32:
      return decode_plain<float, same>(panel, lane, matrix.columns, out);
    case Layout::f16:
      return decode_plain<std::uint16_t, f16_to_f32>(panel, lane, matrix.columns, out);
    case Layout::bf16:
      return decode_plain<std::uint16_t, bf16_to_f32>(panel, lane, matrix.columns, out);
    default:
      return decode_groups(matrix, row, out);
  }
}

}  // namespace premise
