// Which language a user reads, as POSIX programs find it out: the GNU list LANGUAGE, then LC_ALL,
// LC_MESSAGES, LANG. Chinese of any region gets 简体中文, everybody else English.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace premise {

/// The value of an environment variable, or nothing; a seam for tests.
using Environment = std::function<std::optional<std::string_view>(const char* name)>;

/// The environment of this process.
std::optional<std::string_view> process_environment(const char* name);

Language detect_language(const Environment& environment);

/// "zh", "zh-CN", "zh_TW.UTF-8", "中文" → Chinese; "en", "en_US", "C" → English; else nothing.
std::optional<Language> parse_language(std::string_view name);

}  // namespace premise
