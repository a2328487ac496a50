#include "machine/compatibility/version.h"

#include <fmt/format.h>

namespace premise {
namespace {

constexpr std::size_t digits_max = 6;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the number at the beginning of `text` away; nothing where there is none or it is too long.
std::optional<int> take_number(std::string_view& text) {
  int value = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && is_digit(text[digits]); ++digits) {
    if (digits == digits_max) return std::nullopt;
    value = value * 10 + (text[digits] - '0');
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

}  // namespace

std::optional<Version> parse_version(std::string_view text) {
  Version version;
  int* const parts[] = {&version.major, &version.minor, &version.patch};
  for (int* part : parts) {
    const std::optional<int> number = take_number(text);
    if (!number) return part == parts[0] ? std::nullopt : std::optional(version);
    *part = *number;
    if (text.size() < 2 || text[0] != '.' || !is_digit(text[1])) break;
    text.remove_prefix(1);
  }
  return version;
}

std::string major_minor(const Version& version) {
  return fmt::format("{}.{}", version.major, version.minor);
}

}  // namespace premise
