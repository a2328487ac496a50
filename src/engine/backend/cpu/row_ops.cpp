// The operations of row phases, one row at a time.
#include <algorithm>
#include <cmath>

#include "engine/backend/cpu/cpu_backend.h"

namespace premise {

void CpuBackend::run_row(const EmbedOp& op, std::size_t index) {
  float* out = row(op.out, index);
  decode_row(weights_.matrix(op.table), static_cast<std::uint64_t>(batch_->tokens[index]), out);
  if (op.scale != 1.0f) elementwise_.scale(out, op.scale, width(op.out), out);
}

void CpuBackend::run_row(const RmsNormOp& op, std::size_t index) {
  const std::size_t slice = width(op.in) / op.heads;
  const float* in = row(op.in, index);
  float* out = row(op.out, index);
  for (std::size_t head = 0; head < op.heads; ++head)
    elementwise_.rms_norm(in + head * slice, weights_.vector(op.weight), op.eps, slice,
                          out + head * slice);
}

void CpuBackend::run_row(const RopeAnglesOp&, std::size_t index) {
  for (std::size_t t = 0; t < plan_.ropes.size(); ++t) {
    const RopeTable& rope = plan_.ropes[t];
    const std::size_t pairs = rope.frequencies.size();
    float* cosine = angles_of(t, index);
    float* sine = cosine + pairs;
    for (std::size_t i = 0; i < pairs; ++i) {
      // In double: at position 100,000 an angle in float would be off by 0.004.
      const double angle = double{rope.frequencies[i]} * batch_->positions[index];
      cosine[i] = static_cast<float>(std::cos(angle)) * rope.magnitude;
      sine[i] = static_cast<float>(std::sin(angle)) * rope.magnitude;
    }
  }
}

void CpuBackend::run_row(const RopeOp& op, std::size_t index) {
  const RopeTable& rope = plan_.ropes[op.table];
  const std::size_t pairs = rope.frequencies.size();
  const float* cosine = angles_of(op.table, token_of(rows_of(op.out), index));
  const std::size_t head_dim = width(op.in) / op.heads;
  const auto rotate = rope.pairing == RopeTable::Pairing::half ? elementwise_.rope_half
                                                               : elementwise_.rope_adjacent;
  float* out = row(op.out, index);
  std::copy_n(row(op.in, index), width(op.in), out);
  for (std::size_t head = 0; head < op.heads; ++head)
    rotate(out + head * head_dim, cosine, cosine + pairs, 2 * pairs);
}

void CpuBackend::run_row(const KvWriteOp& op, std::size_t index) {
  const CacheGroup& group = plan_.groups[op.group];
  const auto position = static_cast<std::size_t>(batch_->positions[index]);
  constexpr auto block_tokens = static_cast<std::size_t>(kv_block_tokens);
  const std::int32_t block = block_of(op.group, sequence_of_row_[index], position / block_tokens);
  const auto place = static_cast<std::int32_t>(position % block_tokens);
  const std::size_t dim = group.head_dim;
  for (std::uint32_t head = 0; head < group.kv_heads; ++head) {
    attention_->write(row(op.key, index) + head * dim, row(op.value, index) + head * dim,
                      static_cast<std::int32_t>(dim), place,
                      cache_.keys(op.group, op.slot, block, head),
                      cache_.values(op.group, op.slot, block, head));
  }
}

void CpuBackend::run_row(const GluOp& op, std::size_t index) {
  const auto gated =
      op.activation == GluOp::Activation::silu ? elementwise_.silu_mul : elementwise_.gelu_tanh_mul;
  gated(row(op.gate, index), row(op.up, index), width(op.out), row(op.out, index));
}

void CpuBackend::run_row(const AddOp& op, std::size_t index) {
  elementwise_.add(row(op.a, index), row(op.b, index), width(op.out), row(op.out, index));
}

void CpuBackend::run_row(const ScaleOp& op, std::size_t index) {
  elementwise_.scale(row(op.in, index), op.factor, width(op.out), row(op.out, index));
}

void CpuBackend::run_row(const SoftcapOp& op, std::size_t index) {
  elementwise_.softcap(row(op.in, index), op.cap, width(op.out), row(op.out, index));
}

void CpuBackend::run_row(const SelectRowsOp& op, std::size_t index) {
  const auto source = static_cast<std::size_t>(batch_->logits_rows[index]);
  std::copy_n(row(op.in, source), width(op.out), row(op.out, index));
}

void CpuBackend::run_row(const QuantizeOp& op, std::size_t index) {
  if (op.has_tiles && takes_tiles(batch_->token_count()))
    round_kernel().run(row(op.in, index), width(op.in), tiles_, index);
  else if (op.quantizes)
    quantize_.run(row(op.in, index), width(op.in), op.bits, quantized_, index);
}

void CpuBackend::run_row(const BiasOp& op, std::size_t index) {
  float* out = row(op.value, index);
  elementwise_.add(out, weights_.vector(op.bias), width(op.value), out);
}

}  // namespace premise
