// Q4_0, Q4_1, Q4_K.
#include "numerics/kernels/amx/matmul_tiles.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const TileKernels matmul_p4_amx = {
    {"matmul.p4.amx", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<HardwareTiles, Layout::p4, ScaleKind::f16, ScaleKind::f16_min,
               ScaleKind::super32_min>},
    {"matmul.p4.amx-emulated", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<EmulatedTiles, Layout::p4, ScaleKind::f16, ScaleKind::f16_min,
               ScaleKind::super32_min>},
};

}  // namespace premise
