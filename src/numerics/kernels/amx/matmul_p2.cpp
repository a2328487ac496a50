// Q2_K.
#include "numerics/kernels/amx/matmul_tiles.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const TileKernels matmul_p2_amx = {
    {"matmul.p2.amx", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<HardwareTiles, Layout::p2, ScaleKind::super16_min>},
    {"matmul.p2.amx-emulated", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<EmulatedTiles, Layout::p2, ScaleKind::super16_min>},
};

}  // namespace premise
