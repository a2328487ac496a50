#include "numerics/kernels/elementwise.h"

namespace premise {

extern const ElementwiseKernels elementwise_ref;     // ref/elementwise_ref.cpp
extern const ElementwiseKernels elementwise_avx2;    // avx2/elementwise_avx2.cpp
extern const ElementwiseKernels elementwise_avx512;  // avx512/elementwise_avx512.cpp

const ElementwiseKernels& elementwise_kernels(Isa isa) {
  switch (vectors_of(isa)) {
    case Isa::avx512:
      return elementwise_avx512;
    case Isa::avx2:
      return elementwise_avx2;
    default:
      break;
  }
  return elementwise_ref;
}

}  // namespace premise
