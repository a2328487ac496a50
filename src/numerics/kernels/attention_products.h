// The two products of attention with the rows of the cache, tiled in registers: queries with keys,
// and weights with values. Included after Vector and attention_elements.h; hence no include of its
// own.
//
// A tile of four rows by column_tiles() vectors keeps its sums in registers and reuses each loaded
// vector for all rows and each broadcast number for all columns. With AVX-512 that is 16
// multiply-adds for 8 loads, so one load a cycle is enough; with AVX2 8 for 6, at two a cycle.
#pragma once

namespace premise {
namespace {

constexpr int step_tokens = attention_step_tokens;
constexpr int step_tiles = step_tokens / attention_tile_tokens;
constexpr int value_group = 64;  // columns of staged values that lie together
static_assert(attention_tile_tokens == lanes && value_group == 4 * lanes);

/// Positions first … last - 1.
struct Span {
  std::int64_t first, last;
};

/// 64 positions as the loops below read them: straight from the cache, or staged in F32.
///   key of position 16 t + i, dimension d: keys[t][d * key_stride + i]
///   value of position 16 t + i, column 64 g + c:
///                                          values[t][g * group_stride + i * value_stride + c]
/// Tiles that no row sees are null. `next` holds the keys of the step after this one, null where
/// there is none: the products fetch them, and the values of this step, before they are read.
/// Where a step is padded, columns past head_dim, up to whole
/// vectors, may be read.
template <typename ElementType, bool Padded>
struct Step {
  using Element = ElementType;
  static constexpr bool padded = Padded;
  static constexpr bool scaled = is_scaled<Element>;  // straight from the cache, hence
                                                      // value_stride is head_dim
  // Vectors of elements in a cache line: it is fetched once.
  static constexpr int line_vectors = 64 / (lanes * static_cast<int>(sizeof(Element)));

  const Element* keys[step_tiles];
  const Element* values[step_tiles];
  const Element* next[step_tiles];
  std::int64_t key_stride;
  std::int64_t value_stride;
  std::int64_t group_stride;
};

/// scores[r][first_tile … + Tiles) = queries[r] · keys, each lane one sum over ascending
/// dimensions.
template <int Rows, int Tiles, typename Positions>
inline void multiply_keys(const float* queries, std::int64_t stride, const Positions& step,
                          std::int64_t first_tile, std::int64_t dim, float* scores) {
  Vector sums[Rows][Tiles];
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int t = 0; t < Tiles; ++t) sums[r][t] = zero();
  }
  const typename Positions::Element* keys[Tiles];
  for (int t = 0; t < Tiles; ++t) keys[t] = step.keys[first_tile + t];
  constexpr int unit = Positions::padded ? 1 : Positions::line_vectors;
  for (std::int64_t start = 0, end = dim; start < dim; start = end) {
    Vector scale[Tiles];
    if constexpr (Positions::scaled) {
      end = start + scale_columns;
      for (int t = 0; t < Tiles; ++t) {
        scale[t] = load(scales_of(keys[t], dim, start));
        fetch(scales_of(step.values[first_tile + t], dim, start));
      }
    }
    for (std::int64_t d = start; d < end; d += unit) {
      if constexpr (!Positions::padded) {
#pragma GCC unroll 4
        for (int t = 0; t < Tiles; ++t) fetch(step.values[first_tile + t] + d * lanes);
      }
#pragma GCC unroll 4
      for (std::int64_t i = d; i < d + unit; ++i) {
        Vector key[Tiles];
#pragma GCC unroll 4
        for (int t = 0; t < Tiles; ++t) {
          key[t] = load(keys[t] + i * step.key_stride);
          if constexpr (Positions::scaled) key[t] = multiply(key[t], scale[t]);
        }
#pragma GCC unroll 4
        for (int r = 0; r < Rows; ++r) {
          const Vector query = broadcast(queries[r * stride + i]);
#pragma GCC unroll 4
          for (int t = 0; t < Tiles; ++t) sums[r][t] = fma(query, key[t], sums[r][t]);
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int t = 0; t < Tiles; ++t) {
      store(scores + r * step_tokens + (first_tile + t) * lanes, sums[r][t]);
    }
  }
}

/// The scores of `Rows` rows for every tile that one of them sees.
template <int Rows, typename Positions>
void score_rows(const float* queries, std::int64_t stride, const Positions& step, Span seen,
                std::int64_t dim, float* scores) {
  constexpr int tiles = Positions::scaled ? scaled_tiles(Rows) : column_tiles(Rows);
  std::int64_t tile = seen.first / lanes;
  const std::int64_t last = (seen.last + lanes - 1) / lanes;
  for (; tile + tiles <= last; tile += tiles) {
    multiply_keys<Rows, tiles>(queries, stride, step, tile, dim, scores);
  }
  for (; tile < last; ++tile) multiply_keys<Rows, 1>(queries, stride, step, tile, dim, scores);
}

/// sums[r][column …] = factor[r] * sums + weights[r] · values, over ascending positions.
template <int Rows, int Columns, bool Half, typename Positions>
inline void multiply_values(float* sums, std::int64_t stride, const float* weights,
                            const float* factors, const Positions& step, std::int64_t column,
                            Span positions) {
  Vector total[Rows][Columns];
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) {
      total[r][c] = multiply(load(sums + r * stride + column + c * lanes), broadcast(factors[r]));
    }
  }
  const std::int64_t offset = column / value_group * step.group_stride + column % value_group;
  for (std::int64_t p = positions.first; p < positions.last;) {
    const auto* values = step.values[p / lanes] + offset + p % lanes * step.value_stride;
    const auto* next = step.next[p / lanes];
    float scales[(Columns + 1) / 2][lanes];  // of 32 columns each
    if constexpr (Positions::scaled) {
      for (int g = 0; g < (Columns + 1) / 2; ++g) {
        store(scales[g], load(scales_of(step.values[p / lanes], step.value_stride,
                                        column + g * scale_columns)));
      }
      if (next != nullptr) fetch(scales_of(next, step.value_stride, 0) + column / 2);
    }
    if (next != nullptr) next += (column + p % lanes * Columns) * lanes;
    const std::int64_t tile_end = smaller((p / lanes + 1) * lanes, positions.last);
    for (; p < tile_end; ++p, values += step.value_stride) {
      if constexpr (!Positions::padded && !Half) {
        if (next != nullptr) {
#pragma GCC unroll 4
          for (int c = 0; c < Columns; c += Positions::line_vectors) fetch(next + c * lanes);
          next += Columns * lanes;
        }
      }
      Vector value[Columns];
#pragma GCC unroll 4
      for (int c = 0; c < Columns; ++c) {
        if constexpr (Half) {
          value[c] = load_eight(values);
        } else {
          value[c] = load(values + c * lanes);
        }
        if constexpr (Positions::scaled) {
          value[c] = multiply(value[c], broadcast(scales[c / 2][p % lanes]));
        }
      }
#pragma GCC unroll 4
      for (int r = 0; r < Rows; ++r) {
        const Vector weight = broadcast(weights[r * step_tokens + p]);
#pragma GCC unroll 4
        for (int c = 0; c < Columns; ++c) total[r][c] = fma(weight, value[c], total[r][c]);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) store(sums + r * stride + column + c * lanes, total[r][c]);
  }
}

/// All columns of `Rows` rows.
template <int Rows, typename Positions>
void sum_rows(float* sums, std::int64_t stride, const float* weights, const float* factors,
              const Positions& step, std::int64_t dim, Span positions) {
  constexpr int columns = column_tiles(Rows);
  const std::int64_t whole = Positions::padded ? stride : dim / lanes * lanes;
  std::int64_t column = 0;
  for (; column + columns * lanes <= whole; column += columns * lanes) {
    multiply_values<Rows, columns, false>(sums, stride, weights, factors, step, column, positions);
  }
  for (; column < whole; column += lanes) {
    multiply_values<Rows, 1, false>(sums, stride, weights, factors, step, column, positions);
  }
  if constexpr (!Positions::padded && !Positions::scaled) {
    if (column < dim) {
      multiply_values<Rows, 1, true>(sums, stride, weights, factors, step, column, positions);
    }
  }
}

}  // namespace
}  // namespace premise
