// Activations to bf16, in the order of tiles.
#include "numerics/kernels/avx512/intrinsics.h"
#include "numerics/kernels/contracts/unroll.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {
namespace {

/// Of x[0 … 15] those that exist, else zeros.
PREMISE_INLINE __m512 present(const float* x, std::size_t count) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(count >= 16 ? 0xffffu : (1u << count) - 1u),
                               x);
}

void run(const float* x, std::size_t columns, const TileRows& out, std::size_t row) {
  std::uint16_t* to = out.data + row / 16 * out.block_stride + row % 16 * 32;
  for (std::size_t k = 0; k < columns; k += 32, to += 512) {
    const std::size_t left = columns - k;
    const __m512 low = present(x + k, left);
    const __m512 high = left > 16 ? present(x + k + 16, left - 16) : _mm512_setzero_ps();
    _mm512_store_si512(to, (__m512i)_mm512_cvtne2ps_pbh(high, low));
  }
}

}  // namespace

constinit const RoundKernel round_amx = {"round.amx", run};

}  // namespace premise
