#include "numerics/kernels/contracts/tile_probe.h"

#include "numerics/kernels/amx/tiles.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {
namespace {

template <typename Tiles>
void multiply(const TileShapes& shapes, const std::byte* a, const std::byte* b, std::byte* c) {
  TileConfig config = {1, 0, {}, {}, {}};
  for (int t = 0; t < 3; ++t) {
    config.rows[t] = shapes.rows[t];
    config.row_bytes[t] = shapes.row_bytes[t];
  }
  Tiles tiles;
  tiles.configure(config);
  tiles.template load<0>(c, tile_row_bytes);
  tiles.template load<1>(a, tile_row_bytes);
  tiles.template load<2>(b, tile_row_bytes);
  tiles.template multiply<0, 1, 2>();
  tiles.template store<0>(c, tile_row_bytes);
  tiles.release();
}

}  // namespace

constinit const TileProbes tile_probes = {{multiply<HardwareTiles>}, {multiply<EmulatedTiles>}};

}  // namespace premise
