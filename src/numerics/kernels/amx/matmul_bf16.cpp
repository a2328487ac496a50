#include "numerics/kernels/amx/matmul_tiles.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const TileKernels matmul_bf16_amx = {
    {"matmul.bf16.amx", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<HardwareTiles, Layout::bf16, ScaleKind::none>},
    {"matmul.bf16.amx-emulated", ActivationKind::bf16, sizeof(TileScratch),
     run_tiles<EmulatedTiles, Layout::bf16, ScaleKind::none>},
};

}  // namespace premise
