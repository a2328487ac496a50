// What the cache of attention holds, read and written in vectors: F16 (std::uint16_t), F32 (float)
// and the codes of Q8_0 (std::int8_t), whose scales lie before them in each tile of 16 positions
// (contracts/attention.h). Included by the kernels of each instruction set after their Vector;
// hence no include of its own.
#pragma once

namespace premise {
namespace {

constexpr int lanes = 16;
constexpr int scale_columns = attention_scale_columns;
static_assert(scale_columns == 2 * lanes);

inline std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
inline std::int64_t larger(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

/// Eight elements; the upper lanes are 0.
inline Vector load_eight(const float* p) { return load_first(p, 8); }

template <typename Element>
constexpr bool is_scaled = false;
template <>
constexpr bool is_scaled<std::int8_t> = true;

/// Elements of a tile before the first key or value: scales, as many bytes as head_dim.
template <typename Element>
constexpr std::int64_t scale_elements(std::int64_t dim) {
  return is_scaled<Element> ? dim / scale_columns * lanes * 2 : 0;
}
template <typename Element>
constexpr std::int64_t tile_elements(std::int64_t dim) {
  return scale_elements<Element>(dim) + dim * lanes;
}

/// The 16 scales, by position, of the 32 columns around `column`; `codes` are those of the whole
/// tile.
inline const std::uint16_t* scales_of(const std::int8_t* codes, std::int64_t dim,
                                      std::int64_t column) {
  return reinterpret_cast<const std::uint16_t*>(codes - scale_elements<std::int8_t>(dim)) +
         column / scale_columns * lanes;
}

inline void encode(Vector x, std::uint16_t* out) { store_half(out, x); }
inline void encode(Vector x, float* out) { store(out, x); }

/// Rounds 32 numbers to codes. Returns their scale, F16.
inline std::uint16_t encode_scaled(const float* x, std::int8_t* codes) {
  constexpr std::uint16_t infinite = 0x7c00, not_a_number = 0x7e00;
  const Vector low = load(x);
  const Vector high = load(x + lanes);
  const float most = largest(maximum(magnitude(low), magnitude(high)));
  const float finite = sum(add(subtract(low, low), subtract(high, high)));  // 0, or NaN
  std::uint16_t half = half_above(most / 127.0f);
  if (finite != 0.0f || half == infinite) half = not_a_number;
  if (half == 0 || half == not_a_number) {
    for (int i = 0; i < scale_columns; ++i) codes[i] = 0;
    return half;
  }
  const Vector scale = broadcast(from_half(half));
  store_codes(codes, round_to_nearest(divide(low, scale)));
  store_codes(codes + lanes, round_to_nearest(divide(high, scale)));
  return half;
}

/// AttentionKernel::write for F16 and F32.
template <typename Element>
void write(const float* key, const float* value, std::int32_t head_dim, std::int32_t place,
           void* key_block, void* value_block) {
  const std::int64_t dim = head_dim;
  Element* keys = static_cast<Element*>(key_block) + place / lanes * lanes * dim + place % lanes;
  Element* values = static_cast<Element*>(value_block) + place * dim;
  for (std::int64_t d = 0; d < dim; d += lanes) {
    const std::int64_t count = smaller(dim - d, lanes);
    Element part[lanes];
    encode(count == lanes ? load(key + d) : load_eight(key + d), part);
    for (std::int64_t i = 0; i < count; ++i) keys[(d + i) * lanes] = part[i];
    if (count == lanes) {
      encode(load(value + d), values + d);
    } else {
      encode(load_eight(value + d), part);
      for (std::int64_t i = 0; i < count; ++i) values[d + i] = part[i];
    }
  }
}

/// AttentionKernel::write for Q8_0.
template <>
void write<std::int8_t>(const float* key, const float* value, std::int32_t head_dim,
                        std::int32_t place, void* key_block, void* value_block) {
  const std::int64_t dim = head_dim;
  const std::int64_t tile = place / lanes * tile_elements<std::int8_t>(dim);
  const std::int64_t column = place % lanes;
  auto* key_codes = static_cast<std::int8_t*>(key_block) + tile + scale_elements<std::int8_t>(dim);
  auto* value_codes =
      static_cast<std::int8_t*>(value_block) + tile + scale_elements<std::int8_t>(dim);
  for (std::int64_t d = 0; d < dim; d += scale_columns) {
    std::int8_t codes[scale_columns];
    const_cast<std::uint16_t*>(scales_of(key_codes, dim, d))[column] =
        encode_scaled(key + d, codes);
    for (std::int64_t i = 0; i < scale_columns; ++i) key_codes[(d + i) * lanes + column] = codes[i];
    const_cast<std::uint16_t*>(scales_of(value_codes, dim, d))[column] =
        encode_scaled(value + d, value_codes + column * dim + d);
  }
}

}  // namespace
}  // namespace premise
