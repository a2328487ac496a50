// IQ4_NL, IQ4_XS.
#include "numerics/kernels/amx/matmul_tiles.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const TileKernels matmul_t4_amx = {
    {"matmul.t4.amx", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<HardwareTiles, Layout::t4, ScaleKind::f16, ScaleKind::super32>},
    {"matmul.t4.amx-emulated", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<EmulatedTiles, Layout::t4, ScaleKind::f16, ScaleKind::super32>},
};

}  // namespace premise
