// Attention over a paged cache: what the kernel computes. Plain data only: files of every
// instruction set include this.
//
//   s[t,p]   = softcap(scale * q[t] · k[p])           softcap(x) = c * tanh(x / c) where c > 0
//   out[t]   = sum_p softmax_p(s[t,p]) * v[p]         over the visible positions p of query t
//
// A query at position P sees p <= P, and with a window w only p > P - w.
//
// The cache comes in blocks of `block_tokens` positions (a multiple of 16). Inside a block, for one
// KV head, both layouts let the kernel run without a horizontal sum:
//   keys    [block_tokens / 16][head_dim][16]   16 positions side by side for each dimension
//   values  [block_tokens][head_dim]
// Elements are F16, F32 or Q8_0, one type in a cache. A kernel belongs to one of them, writes what
// it reads, and nobody else looks inside a block. All types are converted to F32 exactly where they
// are read: what a type costs is the rounding of what is written, and nothing else. Over the
// numbers that a Q8_0 cache holds, a cache of F32 gives the same result, to the last bit.
//
// F16 and F32 lie as above and are rounded to nearest even. Of Q8_0, 32 neighbouring dimensions of
// one position share an F16 scale, and a number is code * scale; head_dim is a multiple of 32. A
// row is rounded alone, whatever lies beside it, so what is kept does not depend on chunks of a
// prompt. Each 16 positions of a block are a tile of 17 * head_dim bytes, scales before codes:
//   keys    F16 [head_dim / 32][16], then int8 [head_dim][16]
//   values  F16 [head_dim / 32][16], then int8 [16][head_dim]
// Scales of 16 positions are one load, and codes lie as F16 would: none crosses a cache line. (The
// files' order, scale and 32 codes in turns, would put one dimension of 16 keys 34 bytes apart.)
//   scale = max |x| / 127, rounded to F32 and then up to F16, so that no code exceeds 127; 0
//           where that is 0 in F32 (below 2^-143)
//   code  = x / scale, rounded to F32 and then to a whole number, each to nearest even; 0 where
//           scale is 0. A number is off by half a scale at most: 2^-7.98 of the largest, and
//           where that is below 0.0078, 2^-25 more at most: the scale is a denormal F16
//   32 numbers with a NaN or an infinity among them, or larger than 127 * 65504, are NaN, all of
//   them
//
// Cache memory that no query of the call sees is never used, only perhaps read: it may hold
// anything (a freed block's old content, NaN), also inside the tile of the last visible position.
//
// Numeric contract: positions are taken in ascending steps of 64, aligned to absolute positions,
// with a running maximum and sum for each query and head; inside a step the maximum is taken first.
// A result therefore depends, to the last bit, neither on how queries and heads are cut into calls,
// nor on the size of blocks, nor on what else is in the batch.
#pragma once

#include <cstddef>
#include <cstdint>

namespace premise {

inline constexpr int attention_tile_tokens = 16;    // of the layout of keys
inline constexpr int attention_step_tokens = 64;    // between two looks at the running maximum
inline constexpr int attention_scale_columns = 32;  // dimensions under one scale of Q8_0

/// One KV head of one sequence, for a run of consecutive queries and the heads that share it.
struct AttentionArgs {
  const float* queries;      // [query_count, group_heads, head_dim], by the strides below
  std::size_t query_stride;  // floats between consecutive queries
  std::size_t head_stride;   // floats between consecutive heads of the group
  float* out;                // same shape
  std::size_t out_query_stride;
  std::size_t out_head_stride;
  std::int32_t query_count;
  std::int32_t group_heads;
  std::int32_t head_dim;        // any multiple of 8; of 32 where the cache is Q8_0
  std::int32_t first_position;  // of queries[0]; queries follow one by one
  std::int32_t window;          // 0: everything before
  float scale;
  float softcap;                    // 0: none
  const void* const* key_blocks;    // [blocks], by position / block_tokens; blocks wholly
  const void* const* value_blocks;  // outside every window may be null
  std::int32_t block_tokens;
  float* scratch;  // AttentionKernel::scratch_floats(args), 64-byte aligned
};

struct AttentionKernel {
  const char* name;  // "attention.f16.avx512"

  /// Writes key and value [head_dim] of one KV head at `place` (position % block_tokens) of its
  /// blocks, and nothing beside it.
  void (*write)(const float* key, const float* value, std::int32_t head_dim, std::int32_t place,
                void* key_block, void* value_block);

  std::size_t (*scratch_floats)(const AttentionArgs&);
  void (*run)(const AttentionArgs&);
};

/// What an instruction set offers, by element type of the cache.
struct AttentionKernels {
  AttentionKernel f16;
  AttentionKernel f32;
  AttentionKernel q8_0;
};

}  // namespace premise
