// What a model is called in the store: NAME or NAME:TAG.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace premise {

/// "gemma3:270m-base". Only letters, digits, '.', '_' and '-', first a letter or digit: a name is
/// safe in a path, a URL and a terminal, and never looks like a path.
struct ModelName {
  std::string name;
  std::string tag;

  std::string text() const { return name + ":" + tag; }
  auto operator<=>(const ModelName&) const = default;

  static constexpr std::string_view default_tag = "latest";
};

/// Without a tag it is default_tag. An Error (usage) says what is wrong with the text.
Result<ModelName> parse_model_name(std::string_view text);

}  // namespace premise
