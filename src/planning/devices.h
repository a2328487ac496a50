// Known graphics cards and servers, as data.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "planning/capacity.h"

namespace premise {

/// Graphics cards by memory and bandwidth, then servers.
std::span<const Capacity> all_devices();

/// The device of an id ("rtx3060"; case, spaces and dashes do not count). An unknown one is an
/// Error (usage) with the nearest id.
Result<const Capacity*> find_device(std::string_view typed);

/// How cards are sold: 24 GB stands for 24 · 2^30 bytes.
inline constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;

}  // namespace premise
