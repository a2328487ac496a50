// A model as sizing sees it: its logical plan, and the type of each weight. No weight is read.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/formats/tensor_source.h"
#include "model/plan/plan.h"
#include "planning/families.h"
#include "planning/weight_recipe.h"

namespace premise {

struct SizedModel {
  std::string title;                     // "Qwen2.5 7B", or the path
  std::unique_ptr<TensorSource> source;  // for names and sizes only
  Plan plan;
  std::vector<DType> types;  // by WeightId
  std::string type_name;     // "q4_k_m", or "bf16"
  bool as_stored = false;    // the types are those of a file
  std::uint64_t parameters = 0;
  std::vector<Text> notes;  // what the user should know about how it was sized
};

/// Opens a GGUF file or folder, a safetensors file or folder, a config.json or a folder with one.
/// Errors (bad_input) as the readers of these formats give them.
Result<SizedModel> open_sized_model(const std::filesystem::path& path);

/// A published shape, or one near it, as `recipe`.
Result<SizedModel> published_model(const ShapeChoice& choice, double parameters,
                                   const WeightRecipe& recipe);

/// The same model with the types of a recipe.
void retype(SizedModel& model, const WeightRecipe& recipe);

}  // namespace premise
