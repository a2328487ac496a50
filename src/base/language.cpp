#include "base/language.h"

#include <cstdlib>

namespace premise {
namespace {

std::optional<std::string_view> first_set(const Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    if (const auto value = environment(name); value && !value->empty()) return value;
  }
  return std::nullopt;
}

/// The part of a locale name that names the language: "zh" of "zh_CN.UTF-8@pinyin".
std::string_view language_of(std::string_view locale) {
  return locale.substr(0, locale.find_first_of("_-.@"));
}

}  // namespace

std::optional<std::string_view> process_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

std::optional<Language> parse_language(std::string_view name) {
  const std::string_view language = language_of(name);
  if (language == "zh" || language == "ZH" || language == "中文") return Language::chinese;
  if (language == "en" || language == "EN" || language == "C" || language == "POSIX") {
    return Language::english;
  }
  return std::nullopt;
}

Language detect_language(const Environment& environment) {
  const auto locale = first_set(environment);
  // gettext's rule: LANGUAGE is ignored in the locale "C" (also when none is set), and is a list.
  const bool plain = !locale || language_of(*locale) == "C" || language_of(*locale) == "POSIX";
  if (const auto list = environment("LANGUAGE"); list && !plain) {
    for (std::size_t begin = 0; begin <= list->size();) {
      const std::size_t end = std::min(list->find(':', begin), list->size());
      if (const auto known = parse_language(list->substr(begin, end - begin))) return *known;
      begin = end + 1;
    }
  }
  return locale ? parse_language(*locale).value_or(Language::english) : Language::english;
}

}  // namespace premise
