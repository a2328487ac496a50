// Q3_K.
#include "numerics/kernels/amx/matmul_tiles.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const TileKernels matmul_p3_amx = {
    {"matmul.p3.amx", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<HardwareTiles, Layout::p3, ScaleKind::super16>},
    {"matmul.p3.amx-emulated", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<EmulatedTiles, Layout::p3, ScaleKind::super16>},
};

}  // namespace premise
