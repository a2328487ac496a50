// Models with the exact shape of a published one and weights that mean nothing: speed, memory and
// behaviour under load can be measured before anything is downloaded, and by anyone.
//
// Shapes are those of planning/families.h, types those that a recipe gives a published file, and
// the tokenizer a whole one. Memory does not grow with the weights: a few megabytes of them, a pool
// of blocks of each type (weight_pool.h) and the vocabulary, 46 MB in all for Qwen2's, 60 for
// Gemma's.
//
// What a published file has and these do not: a trained vocabulary (byte-level BPE everywhere, also
// where the published one is SentencePiece), and rope_freqs of Llama 3, on which no speed depends.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "planning/weight_recipe.h"
#include "synth/synthetic_shape.h"
#include "synth/weight_maker.h"

namespace premise {

struct SyntheticModel {
  SyntheticShape shape;
  const WeightRecipe* recipe = nullptr;
  std::uint64_t seed = 0;
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;  // of the file
};

/// What would be written. Errors (usage): an architecture, size or type that is not known.
Result<SyntheticModel> plan_synthetic(std::string_view architecture, std::string_view size,
                                      std::string_view type, std::uint64_t seed);

/// Writes it, whole or not at all; the same model gives the same bytes on every machine. Errors:
/// no_resources where the disk has no room for it, said before anything is written.
Status write_synthetic(const SyntheticModel& model, const std::filesystem::path& path,
                       const WeightMaker::Progress& progress);

}  // namespace premise
