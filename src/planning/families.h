// Published models, by family and size: what "a model of 7b" looks like.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "planning/model_shape.h"

namespace premise {

struct PublishedShape {
  std::string_view family;  // "qwen2.5"
  std::string_view name;    // "Qwen2.5 7B"
  double billions;          // as the name says it
  ModelShape shape;
};

/// By family, in the order in which they are preferred among equals.
std::span<const PublishedShape> published_shapes();

/// "qwen2.5, llama, …", for messages.
std::string family_names();

/// Matrices and vectors of a shape, tied ones once.
std::uint64_t parameter_count(const ModelShape& shape);

/// "7b", "0.5B", "270m" in parameters. Errors (usage): no such number, or outside 100m … 1000b.
Result<double> parse_parameters(std::string_view typed);

struct ShapeChoice {
  const PublishedShape* nearest;
  ModelShape shape;                      // that of `nearest`, perhaps with other layers
  bool scaled = false;                   // layers were changed to come near what was asked for
  std::vector<std::string_view> equals;  // names of others of the same nominal size
};

/// The shape of the published model whose size is nearest, by ratio. Where that is more than an
/// eighth away its layers are multiplied, since sizes in between have no common width. An unknown
/// family is an Error (usage); an empty one stands for all.
Result<ShapeChoice> choose_shape(double parameters, std::string_view family);

}  // namespace premise
