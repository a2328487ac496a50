// One product of tiles of any shape, by itself: what tests ask of the tiles in software, and where
// there are some, of those of the processor. Plain data only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace premise {

/// Rows and bytes a row of the sums c, and of the factors a [m][k][2] and b [k][n][2].
struct TileShapes {
  std::uint8_t rows[3];        // c, a, b
  std::uint16_t row_bytes[3];  // c, a, b
};

struct TileProbe {
  /// c += a · b with tiles configured so: c, a and b are read, and c is written, in rows of 64
  /// bytes. A shape that the processor refuses ends the program.
  void (*multiply)(const TileShapes& shapes, const std::byte* a, const std::byte* b, std::byte* c);
};

struct TileProbes {
  TileProbe hardware;
  TileProbe emulated;
};

}  // namespace premise
