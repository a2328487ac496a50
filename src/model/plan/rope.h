// Rotary position embedding: from a model's settings to one frequency per pair.
//
// Sources: RoFormer (arXiv:2104.09864), position interpolation (arXiv:2306.15595), YaRN
// (arXiv:2309.00071), LongRoPE (arXiv:2402.13753). Llama-3 scaling reaches GGUF files as one factor
// per frequency (tensor rope_freqs.weight), and is a division here.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "model/formats/tensor_source.h"
#include "model/plan/plan.h"

namespace premise {

struct YarnScaling {
  double factor = 1.0;            // context extension
  double original_context = 0.0;  // tokens the model was trained on before the extension
  double beta_fast = 32.0;        // rotations above which a dimension is left as it is
  double beta_slow = 1.0;         // rotations below which it is interpolated in full
  double attention_factor = 1.0;  // further factor on top of 1 + 0.1 ln(factor)
};

/// base^(-2i / rotary_dim), i < rotary_dim / 2.
RopeTable plain_rope(std::uint64_t rotary_dim, double base, RopeTable::Pairing pairing);

/// Every frequency divided by `factor`.
void interpolate_linear(RopeTable& table, double factor);

/// High frequencies kept, low ones interpolated, a ramp between; magnitude 1 + 0.1 ln(factor).
void interpolate_yarn(RopeTable& table, double base, const YarnScaling& scaling);

/// frequency[i] / factors[i]; an Error names `tensor` where sizes differ or a factor is not
/// positive.
Status divide_frequencies(RopeTable& table, std::span<const float> factors,
                          std::string_view tensor);

/// The table that the keys `<prefix>.rope.*` describe, scaling included. `rotary_dim` is the
/// fallback for rope.dimension_count. Frequency factors in tensors are the architecture's to apply.
Result<RopeTable> read_rope(const TensorSource& source, std::string_view prefix,
                            std::uint64_t rotary_dim, RopeTable::Pairing pairing);

/// The values of an F32 vector tensor; an Error where its type or rank is another.
Result<std::vector<float>> read_f32_vector(const TensorSource& source, std::string_view name);

}  // namespace premise
