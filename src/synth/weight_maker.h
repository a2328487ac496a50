// The weights of a synthetic model, one after the other, a few megabytes at a time.
//
// Matrices are normal with a standard deviation of 0.02, as transformers start training with; norms
// lie near 1, and the last one is such that logits spread as those of a trained model do.
// Activations then neither die nor explode: each layer adds some units to a residual stream that is
// normed before it is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/formats/gguf_writer.h"
#include "model/plan/plan.h"
#include "planning/weight_recipe.h"
#include "synth/split_mix.h"
#include "synth/weight_pool.h"

namespace premise {

class WeightMaker {
 public:
  /// Called with bytes of weights made so far and in all; an Error from it ends the making.
  using Progress = std::function<Status(std::uint64_t done, std::uint64_t total)>;

  /// `plan` and `progress` outlive the maker. Types are those that the recipe gives.
  WeightMaker(const Plan& plan, const WeightRecipe& recipe, std::uint64_t seed,
              const Progress& progress);
  WeightMaker(const WeightMaker&) = delete;
  WeightMaker& operator=(const WeightMaker&) = delete;

  /// Adds every tensor to a writer, which must write (if at all) before the maker ends, and once.
  void declare(GgufWriter& writer);

 private:
  std::uint64_t bytes_of(std::size_t index) const;
  Result<std::span<const std::byte>> next(std::size_t index);
  void fill_vector(std::string_view name, std::span<std::byte> out);
  Result<const WeightPool*> pool_of(DType dtype);

  const Plan& plan_;
  const Progress& progress_;
  std::uint64_t seed_;
  float last_norm_;           // around which the weights of the last norm lie
  std::vector<DType> types_;  // by WeightId
  std::map<DType, WeightPool> pools_;
  std::vector<std::byte> piece_;
  SplitMix64 random_{0};
  std::size_t index_ = SIZE_MAX;  // of the weight being made
  std::uint64_t left_ = 0;        // its bytes that are still to be made
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace premise
