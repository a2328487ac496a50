// Which published models can be made up, by architecture and size.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "planning/model_shape.h"

namespace premise {

/// The size that no published model has: for tests.
inline constexpr std::string_view tiny_size = "tiny";

struct SyntheticShape {
  std::string size;  // "0.5b", as it is asked for
  std::string name;  // "Qwen2.5 0.5B"
  ModelShape shape;
  float epsilon = 0.0f;    // of the norms
  float rope_base = 0.0f;  // of the rotary angles; of layers without a window in Gemma 3
};

/// "qwen2, qwen3, …", for messages.
std::string synthetic_architectures();

/// "tiny, 0.5b, …" of one architecture, or a line each: "qwen2: tiny, 0.5b, …\nqwen3: …".
std::string synthetic_sizes(std::string_view architecture);
std::string synthetic_sizes();

/// Regardless of ASCII case. Errors (usage): an architecture or a size that is not known.
Result<SyntheticShape> find_synthetic_shape(std::string_view architecture, std::string_view size);

}  // namespace premise
