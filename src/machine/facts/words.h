// Cutting the texts of /proc and /sys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace premise {

std::vector<std::string_view> lines_of(std::string_view text);

/// Separated by white space.
std::vector<std::string_view> words_of(std::string_view line);

/// Between single characters, empty pieces too: "a,,b" gives three.
std::vector<std::string_view> pieces_of(std::string_view text, char separator);

std::string_view trimmed(std::string_view text);

/// A whole decimal number and nothing else.
std::optional<std::int64_t> whole_number(std::string_view text);

/// A decimal number at the beginning: "25 Gb/sec (1X EDR)" gives 25.
std::optional<double> leading_number(std::string_view text);

/// The kernel's list of numbers: "0-3,8,10-11". Nothing where it is none, or names more than
/// Linux has processors for (8192).
std::optional<std::vector<int>> number_list(std::string_view text);

/// "a, b, c"
std::string joined(const std::vector<std::string>& words, std::string_view separator);

/// Without regard to the case of ASCII letters.
bool contains_word(std::string_view text, std::string_view part);

}  // namespace premise
