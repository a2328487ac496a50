// Quantities as people read them. Machines get plain numbers (bytes, seconds, rates per second);
// these are for tables, progress and messages. Units are decimal, as disks and networks are sold.
#pragma once

#include <cstdint>
#include <string>

#include "base/text.h"

namespace premise {

/// "999 B", "4.1 kB", "253 MB", "1.2 GB": two figures below ten, else whole.
std::string format_bytes(std::uint64_t bytes);

/// format_bytes a second: "31 GB/s". Nothing sensible (negative, not a number) is "0 B/s".
std::string format_byte_rate(double bytes_per_second);

/// "850 µs", "12 ms", "4.2 s", "3 min 12 s", "5 h 04 min", "2 d 3 h". Negative counts as zero.
Text format_duration(double seconds);

}  // namespace premise
