// Text for people, always in both languages.
//
// A Phrase is a pair of format strings, English and 简体中文, written where it is used. Both are
// checked against the arguments by the compiler, so that a translation can neither be missing nor
// disagree; a catalogue of ids would find that out only in a test. A Text is a phrase with its
// arguments filled in, in both languages: who reads it (terminal, log, HTTP client) chooses late,
// and no global language exists. Decision: docs/decisions/0001-bilingual-phrases.md.
#pragma once

#include <fmt/core.h>

#include <string>
#include <type_traits>
#include <utility>

namespace premise {

enum class Language { english, chinese };

struct Text {
  std::string en;
  std::string zh;

  const std::string& in(Language language) const { return language == Language::chinese ? zh : en; }
  bool empty() const { return en.empty(); }
};

template <typename... Args>
struct Phrase {
  fmt::format_string<Args...> en;
  fmt::format_string<Args...> zh;
};

/// Fills a phrase in: text({"{} is short", "{} 不完整"}, path).
template <typename... Args>
Text text(Phrase<std::type_identity_t<Args>...> phrase, Args&&... args) {
  // The phrase was checked against Args when it was written down, so vformat cannot fail here.
  const auto fill = [&](fmt::string_view format) {
    return fmt::vformat(format, fmt::make_format_args(args...));
  };
  return {fill(phrase.en), fill(phrase.zh)};
}

}  // namespace premise
