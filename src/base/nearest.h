// "Did you mean …?": the known name nearest to what was typed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace premise {

/// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), counted
/// in bytes, without regard to ASCII case.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The nearest candidate, the first of equals; nothing when none is near enough to be meant (more
/// than a third of the letters differ, and it does not begin with what was typed).
std::optional<std::string> nearest(std::string_view typed, std::span<const std::string> candidates);

}  // namespace premise
