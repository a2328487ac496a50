#include "numerics/kernels/amx/matmul_tiles.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const TileKernels matmul_f16_amx = {
    {"matmul.f16.amx", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<HardwareTiles, Layout::f16, ScaleKind::none>},
    {"matmul.f16.amx-emulated", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<EmulatedTiles, Layout::f16, ScaleKind::none>},
};

}  // namespace premise
