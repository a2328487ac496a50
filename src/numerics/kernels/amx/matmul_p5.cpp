// Q5_0, Q5_1, Q5_K.
#include "numerics/kernels/amx/matmul_tiles.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const TileKernels matmul_p5_amx = {
    {"matmul.p5.amx", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<HardwareTiles, Layout::p5, ScaleKind::f16, ScaleKind::f16_min,
               ScaleKind::super32_min>},
    {"matmul.p5.amx-emulated", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<EmulatedTiles, Layout::p5, ScaleKind::f16, ScaleKind::f16_min,
               ScaleKind::super32_min>},
};

}  // namespace premise
