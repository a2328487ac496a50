// Versions as drivers, CUDA and Python packages write them: whole numbers with dots between. What
// follows the numbers ("+cu128", "rc1", "-devel") does not take part in a comparison, since every
// rule of the matrix speaks of releases.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace premise {

/// "12.4", "535.104.05", "8.6". A part that is not written counts as zero: 12 equals 12.0.
struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;

  auto operator<=>(const Version&) const = default;
};

/// The numbers at the beginning of a text: at most three of at most six digits each, the rest is
/// left alone. Nothing where the text does not begin with a digit.
std::optional<Version> parse_version(std::string_view text);

/// "12.4": what CUDA, capabilities and frameworks are called by.
std::string major_minor(const Version& version);

}  // namespace premise
