#include "synth/weight_maker.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace premise {
namespace {

constexpr float weight_deviation = 0.02f;
constexpr float norm_deviation = 0.05f;  // around 1
constexpr float bias_deviation = 0.1f;
constexpr float logit_deviation = 3.0f;

constexpr std::size_t piece_bytes = std::size_t{4} << 20;

constexpr std::string_view last_norm_name = "output_norm.weight";

// A logit is the sum of as many products of what the last norm puts out with weights as the norm is
// wide.
float last_norm_for(const Plan& plan) {
  const auto norm = std::ranges::find(plan.weights, last_norm_name, &Weight::name);
  if (norm == plan.weights.end()) return 1.0f;
  const auto width = static_cast<float>(norm->shape.columns());
  return logit_deviation / (weight_deviation * std::sqrt(width));
}

}  // namespace

WeightMaker::WeightMaker(const Plan& plan, const WeightRecipe& recipe, std::uint64_t seed,
                         const Progress& progress)
    : plan_(plan),
      progress_(progress),
      seed_(SplitMix64(seed).next()),
      last_norm_(last_norm_for(plan)),
      types_(recipe_types(recipe, plan)) {
  for (std::size_t i = 0; i < plan_.weights.size(); ++i) total_ += bytes_of(i);
}

void WeightMaker::declare(GgufWriter& writer) {
  for (std::size_t i = 0; i < plan_.weights.size(); ++i)
    writer.add_tensor_in_pieces(plan_.weights[i].name, types_[i], plan_.weights[i].shape,
                                [this, i] { return next(i); });
}

std::uint64_t WeightMaker::bytes_of(std::size_t index) const {
  const Shape& shape = plan_.weights[index].shape;
  return shape.rows() * row_bytes(types_[index], shape.columns()).value_or(0);
}

Result<std::span<const std::byte>> WeightMaker::next(std::size_t index) {
  PREMISE_CHECK(progress_(done_, total_));
  if (index != index_) {
    index_ = index;
    left_ = bytes_of(index);
    // Of its own, so that a tensor's values do not depend on those before it.
    random_ = SplitMix64(seed_ + index);
    piece_.resize(piece_bytes);
  }
  const std::size_t block = traits(types_[index]).block_bytes;
  const std::size_t size = std::min<std::uint64_t>(left_, piece_bytes / block * block);
  const std::span<std::byte> piece = std::span(piece_).first(size);
  if (plan_.weights[index].shape.rank < 2) {
    fill_vector(plan_.weights[index].name, piece);
  } else {
    PREMISE_TRY(const WeightPool* pool, pool_of(types_[index]));
    pool->draw(piece, random_);
  }
  left_ -= size;
  done_ += size;
  return std::span<const std::byte>(piece);
}

// Vectors are F32 in every recipe.
void WeightMaker::fill_vector(std::string_view name, std::span<std::byte> out) {
  float center = name == last_norm_name ? last_norm_ : 1.0f;
  float deviation = norm_deviation * center;
  if (name.ends_with(".bias")) {
    center = 0.0f;
    deviation = bias_deviation;
  }
  for (std::size_t at = 0; at < out.size(); at += sizeof(float)) {
    const float value = center + deviation * random_.normal();
    std::memcpy(out.data() + at, &value, sizeof value);
  }
}

Result<const WeightPool*> WeightMaker::pool_of(DType dtype) {
  auto found = pools_.find(dtype);
  if (found == pools_.end()) {
    SplitMix64 random(seed_ ^ static_cast<std::uint64_t>(dtype) << 32);
    PREMISE_TRY(WeightPool pool, WeightPool::create(dtype, weight_deviation, random));
    found = pools_.emplace(dtype, std::move(pool)).first;
  }
  return &found->second;
}

}  // namespace premise
