// One step's work for a backend, as flat arrays of integers.
//
// Prefill chunks, decode and speculative checks are the same thing with different query lengths:
// each sequence brings a run of consecutive tokens, and says how long its context is with them.
// The arrays belong to the caller, keep their address and capacity from step to step (a captured
// CUDA graph needs that), and stay unchanged from launch to collect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace premise {

/// Block tables of one cache group, [sequences, stride]: entry b of a row is the physical block of
/// positions [b * block_tokens, (b + 1) * block_tokens), or -1 where it is neither read nor
/// written.
struct BlockTableView {
  const std::int32_t* entries = nullptr;
  std::size_t stride = 0;
};

struct BatchView {
  std::span<const std::int32_t> tokens;       // [T] token ids
  std::span<const std::int32_t> positions;    // [T] in the token's sequence
  std::span<const std::int32_t> query_start;  // [S + 1] first row of each sequence; last is T
  std::span<const std::int32_t> context_len;  // [S] positions cached when the step is done
  std::span<const BlockTableView> tables;     // [cache groups]
  std::span<const std::int32_t> logits_rows;  // [R] rows of `tokens` whose logits are wanted
  std::size_t peak_rows = 0;  // the last so many of those want their largest logit alone, which is
                              // less work; 0 where Executable::finds_peaks() is false

  std::size_t token_count() const { return tokens.size(); }
  std::size_t sequence_count() const { return context_len.size(); }
};

}  // namespace premise
