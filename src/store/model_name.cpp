#include "store/model_name.h"

#include "base/printable.h"

namespace premise {
namespace {

constexpr std::size_t name_bytes_max = 96;
constexpr std::size_t tag_bytes_max = 64;
constexpr std::size_t shown_bytes_max = 80;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_word(std::string_view word, std::size_t bytes_max) {
  if (word.empty() || word.size() > bytes_max || !is_letter_or_digit(word.front())) return false;
  for (const char c : word) {
    if (!is_letter_or_digit(c) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

}  // namespace

Result<ModelName> parse_model_name(std::string_view typed) {
  const std::size_t colon = typed.find(':');
  const std::string_view name = typed.substr(0, colon);
  const std::string_view tag =
      colon == std::string_view::npos ? ModelName::default_tag : typed.substr(colon + 1);
  if (is_word(name, name_bytes_max) && is_word(tag, tag_bytes_max)) {
    return ModelName{std::string(name), std::string(tag)};
  }
  return error(ErrorCode::usage, {"\"{}\" is no model name", "“{}”不是有效的模型名称"},
               printable(typed.substr(0, shown_bytes_max)))
      .with_hint(text({"a name is NAME or NAME:TAG, up to {} and {} letters, digits, '.', '_' or "
                       "'-', beginning with a letter or digit; example: gemma3:270m-base",
                       "名称形如 NAME 或 NAME:TAG，分别最多 {} 和 {} 个字符，仅限字母、数字、"
                       "'.'、'_'、'-'，且以字母或数字开头；例如 gemma3:270m-base"},
                      name_bytes_max, tag_bytes_max));
}

}  // namespace premise
