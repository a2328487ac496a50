// Writes a plan, and checks the file against it on the way.
//
// Methods return the new value, so that an architecture reads like its formula. What a file can get
// wrong (a missing tensor, another shape, an unused one) is an Error from finish(): the first
// problem is kept and the rest of the building goes on with harmless ids. That spares an
// architecture a check behind every line. Wrong widths between ops are bugs of an architecture and
// assert.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/formats/tensor_source.h"
#include "model/plan/plan.h"

namespace premise {

class PlanBuilder {
 public:
  PlanBuilder(const TensorSource& source, std::string_view architecture);

  // Weights. Shapes are row-major: {rows, columns}, or {width}.
  WeightId weight(std::string_view name, std::initializer_list<std::uint64_t> shape);
  std::optional<WeightId> optional_weight(std::string_view name,
                                          std::initializer_list<std::uint64_t> shape);
  /// A tensor that the plan has taken into account otherwise (frequency factors of a rope table).
  void consumed(std::string_view name);

  std::uint32_t rope(RopeTable table);
  std::uint32_t cache_group(std::uint32_t window, std::uint32_t kv_heads, std::uint32_t head_dim);

  /// Ops that follow belong to this layer (-1: to none).
  void layer(std::int32_t index) { layer_ = index; }

  ValueId embed(WeightId table, float scale = 1.0f);
  ValueId rms_norm(ValueId in, WeightId weight, float eps, std::uint32_t heads = 1);
  ValueId linear(ValueId in, WeightId weight, std::optional<WeightId> bias = std::nullopt);
  ValueId slice(ValueId in, std::uint64_t offset, std::uint64_t width);
  ValueId rope(ValueId in, std::uint32_t table, std::uint32_t heads);
  /// Stores keys and values in the group's next slot, and attends over it.
  ValueId attention(std::uint32_t group, ValueId query, ValueId key, ValueId value,
                    std::uint32_t heads, float scale, float softcap = 0.0f);
  ValueId glu(GluOp::Activation activation, ValueId gate, ValueId up);
  ValueId add(ValueId a, ValueId b);
  ValueId scale(ValueId in, float factor);
  ValueId softcap(ValueId in, float cap);
  ValueId select_rows(ValueId in);

  std::uint64_t width(ValueId value) const;

  /// The finished plan, or the first thing that was wrong with the file.
  Result<Plan> finish(ValueId logits, std::uint64_t context_length);

 private:
  WeightId placeholder(std::initializer_list<std::uint64_t> shape);
  WeightId take(std::size_t index);
  ValueId value(const char* name, Rows rows, std::uint64_t width);
  void push(OpBody body);
  void fail(Error error);

  const TensorSource& source_;
  Plan plan_;
  std::int32_t layer_ = -1;
  std::vector<WeightId> weight_of_tensor_;  // by tensor index; -1: not used so far
  std::vector<bool> consumed_;
  std::optional<Error> error_;
};

/// "[640, 2048]"
std::string to_string(const Shape& shape);

}  // namespace premise
