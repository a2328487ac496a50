// The oracle of matrix multiplication: weights as the file has them, decoded by quant/, and sums in
// double. It knows nothing of panels, int16 or instruction sets.
#include <cassert>
#include <vector>

#include "numerics/kernels/matmul.h"
#include "numerics/quant/decode.h"

namespace premise {

void matmul_reference(const TensorView& weights, const float* x, std::size_t row_count,
                      std::size_t x_stride, float* y, std::size_t y_stride, std::uint64_t row_begin,
                      std::uint64_t row_end) {
  const std::uint64_t columns = weights.shape.columns();
  std::vector<float> row(columns);
  for (std::uint64_t r = row_begin; r < row_end; ++r) {
    decode_blocks(weights.dtype, weights.row(r).data(), row.data(), columns);
    for (std::size_t t = 0; t < row_count; ++t) {
      const float* from = x + t * x_stride;
      double sum = 0;
      for (std::uint64_t k = 0; k < columns; ++k)
        sum += static_cast<double>(row[k]) * static_cast<double>(from[k]);
      y[t * y_stride + r] = static_cast<float>(sum);
    }
  }
}

}  // namespace premise
