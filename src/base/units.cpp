#include "base/units.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

namespace premise {
namespace {

constexpr std::array<std::string_view, 7> byte_units = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

/// "9.9" below ten, "10" and above whole. 9.96 is "10", not "10.0".
std::string two_figures(double value) {
  return std::round(value * 10) < 100 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

Text in_parts(double seconds) {
  constexpr std::uint64_t minute = 60, hour = 60 * minute, day = 24 * hour;
  constexpr double longest = 1e15;  // thirty million years; keeps the conversion defined
  const auto whole = static_cast<std::uint64_t>(std::llround(std::min(seconds, longest)));
  if (whole < hour) {
    return text({"{} min {:02} s", "{} 分 {:02} 秒"}, whole / minute, whole % minute);
  }
  if (whole < day) {
    return text({"{} h {:02} min", "{} 小时 {:02} 分"}, whole / hour, whole % hour / minute);
  }
  return text({"{} d {} h", "{} 天 {} 小时"}, whole / day, whole % day / hour);
}

}  // namespace

std::string format_bytes(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 999.6 kB would be shown as "1000 kB": the next unit begins where rounding reaches it.
  while (std::round(value) >= 1000) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{} {}", two_figures(value), byte_units[unit]);
}

std::string format_byte_rate(double bytes_per_second) {
  constexpr double most = 18e18;
  const bool sensible = bytes_per_second > 0;  // false for NaN
  const double rate = sensible ? std::min(bytes_per_second, most) : 0;
  return format_bytes(static_cast<std::uint64_t>(rate)) + "/s";
}

Text format_duration(double seconds) {
  const double positive = seconds > 0 ? seconds : 0;  // NaN too
  if (positive == 0) return text({"0 s", "0 秒"});
  if (std::round(positive * 1e6) < 1000) {
    return text({"{:.0f} µs", "{:.0f} 微秒"}, positive * 1e6);
  }
  if (std::round(positive * 1e3) < 1000) {
    return text({"{} ms", "{} 毫秒"}, two_figures(positive * 1e3));
  }
  if (std::round(positive) < 60) return text({"{} s", "{} 秒"}, two_figures(positive));
  return in_parts(positive);
}

}  // namespace premise
