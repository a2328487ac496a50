// Q8_0.
#include "numerics/kernels/amx/matmul_tiles.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const TileKernels matmul_p8_amx = {
    {"matmul.p8.amx", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<HardwareTiles, Layout::p8, ScaleKind::f16>},
    {"matmul.p8.amx-emulated", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<EmulatedTiles, Layout::p8, ScaleKind::f16>},
};

}  // namespace premise
