// Attention over the paged cache, written once for every instruction set and element type. Included
// by avx2/attention_avx2.cpp and avx512/attention_avx512.cpp after their Vector,
// elementwise_math.h, attention_elements.h and attention_products.h; hence no include of its own.
//
// The method is online softmax (Milakov and Gimelshein, 2018) in the order of FlashAttention (Dao
// et al., 2022): no row of scores is ever whole. For each step of 64 positions a row (one query of
// one head) computes 64 scores, moves its running maximum, rescales its sum and its accumulator by
// exp(old maximum - new maximum), and adds exp(score - maximum) times the values.
//
// Rows are taken four at a time (row_tile), so that a loaded key or value serves four products;
// four rows of one query and group are four heads, in prefill also neighbouring queries. Two ways
// lead through the cache:
//   direct   up to 8 rows (decode): F16 is converted in registers, each step is read once from
//            memory for all rows. The bandwidth of memory is the bound, if it is asked in time:
//            the product with keys fetches the values, that with values the next step's keys. 300
//            positions of 4 heads of 256 on a core of a Zen 5: 36 us without, 15 us with it,
//            7.5 us where they lie in the cache
//   staged   more rows (prefill): a step is converted once to F32, 64 + 64 KiB at head_dim 256, and
//            stays in L2 for up to 128 rows, whose queries and accumulators (128 + 128 KiB) do too.
//            Converting costs about as much as computing two rows. A cache of F32 is staged as
//            well, for the order in which values then lie (staged_step).
// Both do the same operations in the same order on the same numbers (conversion to F32 is exact),
// and what a row does not see takes no part in its result: its scores are replaced before the
// maximum, its values are not touched. That is why the result of a row does not depend on its
// company.
//
// A number of Q8_0 is multiplied by its scale as it is converted, exactly: 7 bits times 11 fit the
// 24 of F32. Scaling sums instead would save a multiplication for each number read, and would give
// up the equality with F32 over the same numbers (decision 0011 has what that costs).
#pragma once

namespace premise {
namespace {

constexpr int row_tile = 4;
constexpr int direct_rows = 8;
constexpr int staged_rows = 128;

/// How a call is cut, and where its parts lie in the scratch memory (in floats).
struct Layout {
  std::int64_t rows;        // all: query_count * group_heads
  std::int64_t block_rows;  // taken together over one pass of the cache
  bool staged;
  std::int64_t stride;  // of a row of queries or accumulators: head_dim, rounded up to 16
  std::int64_t queries, sums, maxima, totals, scores, keys, values, end;
};

Layout layout_of(const AttentionArgs& args) {
  Layout at;
  at.rows = std::int64_t{args.query_count} * args.group_heads;
  at.staged = at.rows > direct_rows;
  at.block_rows = at.rows < staged_rows ? at.rows : staged_rows;
  at.stride = (args.head_dim + lanes - 1) / lanes * lanes;
  const std::int64_t row_floats = (at.block_rows + lanes - 1) / lanes * lanes;
  const std::int64_t groups = (args.head_dim + value_group - 1) / value_group;
  at.queries = 0;
  at.sums = at.queries + at.block_rows * at.stride;
  at.maxima = at.sums + at.block_rows * at.stride;
  at.totals = at.maxima + row_floats;
  at.scores = at.totals + row_floats;
  at.keys = at.scores + row_tile * step_tokens;
  at.values = at.keys + (at.staged ? std::int64_t{step_tokens} * args.head_dim : 0);
  at.end = at.values + (at.staged ? groups * value_group * step_tokens : 0);
  return at;
}

/// What row `row` of the call sees.
inline Span visible(const AttentionArgs& args, std::int64_t row) {
  const std::int64_t position = args.first_position + row / args.group_heads;
  return {args.window > 0 ? larger(0, position - args.window + 1) : 0, position + 1};
}

/// The part of `span` inside the step that starts at `start`, counted from there; may be empty.
inline Span within_step(Span span, std::int64_t start) {
  const std::int64_t first = smaller(larger(span.first - start, 0), step_tokens);
  return {first, larger(smaller(span.last - start, step_tokens), first)};
}

template <typename Element>
using DirectStep = Step<Element, false>;
using StagedStep = Step<float, true>;

template <typename Element>
DirectStep<Element> direct_step(const AttentionArgs& args, std::int64_t start, Span seen) {
  DirectStep<Element> step = {};
  step.key_stride = lanes;
  step.value_stride = args.head_dim;
  step.group_stride = value_group;
  for (std::int64_t tile = seen.first / lanes; tile * lanes < seen.last; ++tile) {
    const std::int64_t position = start + tile * lanes;
    const std::int64_t block = position / args.block_tokens;
    const std::int64_t offset =
        position % args.block_tokens / lanes * tile_elements<Element>(args.head_dim) +
        scale_elements<Element>(args.head_dim);
    step.keys[tile] = static_cast<const Element*>(args.key_blocks[block]) + offset;
    step.values[tile] = static_cast<const Element*>(args.value_blocks[block]) + offset;
  }
  return step;
}

/// A tile's keys [head_dim][16] in F32, at rows of step_tokens.
template <typename Element>
void stage_keys(const Element* keys, std::int64_t dim, float* out) {
  for (std::int64_t d = 0; d < dim; ++d) {
    Vector key = load(keys + d * lanes);
    if constexpr (is_scaled<Element>) key = multiply(key, load(scales_of(keys, dim, d)));
    store(out + d * step_tokens, key);
  }
}

/// 16 columns of a tile's values in F32, at rows of value_group.
template <typename Element>
void stage_values(const Element* values, std::int64_t dim, std::int64_t column, float* out) {
  float scales[lanes];
  if constexpr (is_scaled<Element>) store(scales, load(scales_of(values, dim, column)));
  const bool whole = column + lanes <= dim;
  for (std::int64_t i = 0; i < lanes; ++i) {
    const Element* place = values + i * dim + column;
    if constexpr (is_scaled<Element>) {
      store(out + i * value_group, multiply(load(place), broadcast(scales[i])));
    } else {
      store(out + i * value_group, whole ? load(place) : load_eight(place));
    }
  }
}

/// Converts a step to F32. Keys become [head_dim][64] and values [head_dim / 64][64][64], so that
/// the loops over them read memory straight on: at a stride of head_dim, 64 rows of values would
/// fall into a few sets of the first-level cache. Columns past head_dim, up to 16, become 0.
template <typename Element>
StagedStep staged_step(const AttentionArgs& args, const DirectStep<Element>& cache,
                       const Layout& at) {
  float* keys = args.scratch + at.keys;
  float* values = args.scratch + at.values;
  StagedStep step = {};
  step.key_stride = step_tokens;
  step.value_stride = value_group;
  step.group_stride = value_group * step_tokens;
  const std::int64_t dim = args.head_dim;
  for (std::int64_t tile = 0; tile < step_tiles; ++tile) {
    if (cache.keys[tile] == nullptr) continue;
    float* tile_keys = keys + tile * lanes;
    stage_keys(cache.keys[tile], dim, tile_keys);
    float* tile_values = values + tile * lanes * value_group;
    for (std::int64_t c = 0; c < dim; c += lanes) {
      stage_values(cache.values[tile], dim, c,
                   tile_values + c / value_group * step.group_stride + c % value_group);
    }
    step.keys[tile] = tile_keys;
    step.values[tile] = tile_values;
  }
  return step;
}

/// One row's 64 scores become weights exp(score - maximum); its maximum and total move on.
/// Returns the factor for what the row has summed up so far.
inline float weigh(const AttentionArgs& args, Span seen, float* scores, float* maximum_so_far,
                   float* total) {
  const Vector nothing = broadcast(-__builtin_inff());
  Vector score[step_tiles];
  for (int t = 0; t < step_tiles; ++t) {
    score[t] = load(scores + t * lanes);
    if (args.softcap > 0) {
      const Vector cap = broadcast(args.softcap);
      score[t] = multiply(cap, hyperbolic_tangent(divide(score[t], cap)));
    }
  }
  if (seen.first > 0 || seen.last < step_tokens) {
    for (int t = 0; t < step_tiles; ++t) {
      const std::int64_t first = smaller(larger(seen.first - t * lanes, 0), lanes);
      const std::int64_t last = smaller(larger(seen.last - t * lanes, 0), lanes);
      score[t] = keep_lanes(score[t], static_cast<int>(first), static_cast<int>(last), nothing);
    }
  }
  const float highest = largest(maximum(maximum(score[0], score[1]), maximum(score[2], score[3])));
  const float before = *maximum_so_far;
  const float after = highest > before ? highest : before;
  for (int t = 0; t < step_tiles; ++t) {
    score[t] = exponential(subtract(score[t], broadcast(after)));
    store(scores + t * lanes, score[t]);
  }
  float factor[lanes];
  store(factor, exponential(broadcast(before - after)));
  *maximum_so_far = after;
  *total = *total * factor[0] + sum(add(add(score[0], score[1]), add(score[2], score[3])));
  return factor[0];
}

/// The rows of one block and their state in the scratch memory.
struct Block {
  std::int64_t first_row, count;
  float *queries, *sums, *maxima, *totals, *scores;
};

/// One step for rows row … row + Rows - 1 of the block.
template <int Rows, typename Positions>
void advance_rows(const AttentionArgs& args, const Layout& at, const Block& block, std::int64_t row,
                  std::int64_t start, const Positions& step) {
  Span seen[Rows];  // ascending in both ends, since rows are
  for (int r = 0; r < Rows; ++r) {
    seen[r] = within_step(visible(args, block.first_row + row + r), start);
  }
  const Span any = {seen[0].first, seen[Rows - 1].last};
  if (any.first >= any.last) return;
  score_rows<Rows>(block.queries + row * at.stride, at.stride, step, any, args.head_dim,
                   block.scores);
  float factors[Rows];
  for (int r = 0; r < Rows; ++r) {
    factors[r] = 1;
    if (seen[r].first == seen[r].last) continue;
    factors[r] = weigh(args, seen[r], block.scores + r * step_tokens, block.maxima + row + r,
                       block.totals + row + r);
  }
  // What all rows see is summed up together, what only some see before and after it, one by one.
  Span all = {seen[Rows - 1].first, seen[0].last};
  if (all.first > all.last) all = {any.last, any.last};
  float* sums = block.sums + row * at.stride;
  for (int r = 0; r < Rows; ++r) {
    const Span before = {seen[r].first, smaller(seen[r].last, all.first)};
    if (before.first >= before.last) continue;
    sum_rows<1>(sums + r * at.stride, at.stride, block.scores + r * step_tokens, factors + r, step,
                args.head_dim, before);
    factors[r] = 1;
  }
  if (all.first < all.last) {
    sum_rows<Rows>(sums, at.stride, block.scores, factors, step, args.head_dim, all);
    for (int r = 0; r < Rows; ++r) factors[r] = 1;
  }
  for (int r = 0; r < Rows; ++r) {
    const Span after = {larger(seen[r].first, all.last), seen[r].last};
    if (after.first >= after.last) continue;
    sum_rows<1>(sums + r * at.stride, at.stride, block.scores + r * step_tokens, factors + r, step,
                args.head_dim, after);
  }
}

template <typename Positions>
void advance_block(const AttentionArgs& args, const Layout& at, const Block& block,
                   std::int64_t start, const Positions& step) {
  std::int64_t row = 0;
  for (; row + row_tile <= block.count; row += row_tile) {
    advance_rows<row_tile>(args, at, block, row, start, step);
  }
  switch (block.count - row) {
    case 3:
      return advance_rows<3>(args, at, block, row, start, step);
    case 2:
      return advance_rows<2>(args, at, block, row, start, step);
    case 1:
      return advance_rows<1>(args, at, block, row, start, step);
    default:
      return;
  }
}

/// Copies the queries, times the scale, and clears the state.
void begin(const AttentionArgs& args, const Layout& at, const Block& block) {
  const Vector scale = broadcast(args.scale);
  for (std::int64_t r = 0; r < block.count; ++r) {
    const std::int64_t row = block.first_row + r;
    const float* query = args.queries + row / args.group_heads * args.query_stride +
                         row % args.group_heads * args.head_stride;
    for (std::int64_t d = 0; d < args.head_dim; d += lanes) {
      const Vector x = d + lanes <= args.head_dim ? load(query + d) : load_first(query + d, 8);
      store(block.queries + r * at.stride + d, multiply(x, scale));
      store(block.sums + r * at.stride + d, zero());
    }
    block.maxima[r] = -__builtin_inff();
    block.totals[r] = 0;
  }
}

/// Divides by the totals.
void finish(const AttentionArgs& args, const Layout& at, const Block& block) {
  for (std::int64_t r = 0; r < block.count; ++r) {
    const std::int64_t row = block.first_row + r;
    float* out = args.out + row / args.group_heads * args.out_query_stride +
                 row % args.group_heads * args.out_head_stride;
    const Vector total = broadcast(block.totals[r]);
    for (std::int64_t d = 0; d < args.head_dim; d += lanes) {
      const Vector x = divide(load(block.sums + r * at.stride + d), total);
      if (d + lanes <= args.head_dim) {
        store(out + d, x);
      } else {
        store_first(out + d, x, 8);
      }
    }
  }
}

template <typename Element>
void run(const AttentionArgs& args) {
  const Layout at = layout_of(args);
  for (std::int64_t first = 0; first < at.rows; first += at.block_rows) {
    const Block block = {first,
                         smaller(at.block_rows, at.rows - first),
                         args.scratch + at.queries,
                         args.scratch + at.sums,
                         args.scratch + at.maxima,
                         args.scratch + at.totals,
                         args.scratch + at.scores};
    begin(args, at, block);
    const Span span = {visible(args, first).first, visible(args, first + block.count - 1).last};
    const auto step_at = [&](std::int64_t start) {
      return direct_step<Element>(args, start, within_step(span, start));
    };
    std::int64_t start = span.first / step_tokens * step_tokens;
    for (auto cache = step_at(start); start < span.last; start += step_tokens) {
      const bool last = start + step_tokens >= span.last;
      const auto next = last ? DirectStep<Element>{} : step_at(start + step_tokens);
      for (int tile = 0; tile < step_tiles; ++tile) cache.next[tile] = next.keys[tile];
      if (at.staged) {
        advance_block(args, at, block, start, staged_step(args, cache, at));
      } else {
        advance_block(args, at, block, start, cache);
      }
      cache = next;
    }
    finish(args, at, block);
  }
}

std::size_t scratch_floats(const AttentionArgs& args) {
  return static_cast<std::size_t>(layout_of(args).end);
}

}  // namespace
}  // namespace premise
