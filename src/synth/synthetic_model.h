// Models with the exact shape of a published one and weights that mean nothing: speed, memory and
// behaviour under load can be measured before anything is downloaded, and by anyone.
//
// Shapes are those of planning/families.h, types those that a recipe gives a published file, and
// the tokenizer a whole one. Weights are normal with a standard deviation of 0.02, as transformers
// start training with; norms lie near 1, and the last one is such that logits spread as those of a
// trained model do. Activations then neither die nor explode: each layer adds some units to a
// residual stream that is normed before it is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "planning/model_shape.h"
#include "planning/weight_recipe.h"

namespace premise {

struct SyntheticModel {
  std::string name;  // "Qwen2 0.5b, synthetic"
  ModelShape shape;
  const WeightRecipe* recipe = nullptr;
  std::uint64_t seed = 0;
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;  // of the file
};

/// "qwen2", for messages.
std::string synthetic_architectures();

/// "tiny, 0.5b, …", for messages.
std::string synthetic_sizes();

/// What would be written. Errors (usage): an architecture, size or type that is not known.
Result<SyntheticModel> plan_synthetic(std::string_view architecture, std::string_view size,
                                      std::string_view type, std::uint64_t seed);

/// Writes it, whole or not at all; the same model gives the same bytes on every machine. `progress`
/// is called with bytes of weights written so far and in all, every few megabytes; an Error from it
/// ends the writing. Errors: no_resources where the disk has no room for it, said before anything
/// is written.
Status write_synthetic(
    const SyntheticModel& model, const std::filesystem::path& path,
    const std::function<Status(std::uint64_t done, std::uint64_t total)>& progress);

}  // namespace premise
