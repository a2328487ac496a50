// The shape of a model from its Hugging Face config.json.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "numerics/tensor/dtype.h"
#include "planning/model_shape.h"

namespace premise {

struct HfModel {
  ModelShape shape;
  DType dtype = DType::bf16;  // of the weights, as the configuration says
};

/// Reads a document; `path` is for messages. Models with several parts (image input) give the shape
/// of their text model. Errors (bad_input): no JSON, a model_type that is not known, a field that
/// is missing, of another kind or out of range.
Result<HfModel> parse_hf_config(std::string_view text, const std::string& path);

}  // namespace premise
