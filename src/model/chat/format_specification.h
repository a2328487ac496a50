// How one value is written into a hole of a text: fill, alignment, sign, width, precision, type.
// Source: Python's documentation, "Format Specification Mini-Language".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/chat/runtime.h"

namespace premise {

struct Specification {
  MarkedString fill{" ", true};
  char align = 0;  // < > ^ =, or 0 for the usual one
  char sign = '-';
  bool alternate = false;
  bool zero = false;
  std::int64_t width = 0;
  char grouping = 0;
  std::int64_t precision = -1;  // -1: none
  char type = 0;
};

/// The failure that a format is which Python refuses, too.
[[noreturn]] void fail_format(std::string_view what);

bool is_digit_at(std::string_view text, std::size_t at);
/// Digits from `at` on, which comes to lie behind them. No width or precision may exceed
/// format_width_max.
inline constexpr std::int64_t format_width_max = 1 << 20;
std::int64_t read_number(std::string_view text, std::size_t& at);

/// The digits of an integer in the base of `type` (b, o, x, X; else ten).
std::string integer_digits(std::uint64_t magnitude, char type, bool alternate);

MarkedString aligned(Budget& budget, const MarkedString& sign, const MarkedString& body,
                     const Specification& spec, char otherwise);
MarkedString format_number(Budget& budget, const Value& value, const Specification& spec);
MarkedString format_text(Budget& budget, const MarkedString& text, const Specification& spec);
/// Python's format(value, specification).
MarkedString format_value(Runtime& runtime, const Value& value, std::string_view specification);

}  // namespace premise
