#include "numerics/kernels/attention.h"

namespace premise {

extern const AttentionKernel attention_ref;     // ref/attention_ref.cpp
extern const AttentionKernel attention_avx2;    // avx2/attention_avx2.cpp
extern const AttentionKernel attention_avx512;  // avx512/attention_avx512.cpp

const AttentionKernel& attention_kernel(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      return attention_avx512;
    case Isa::avx2:
      return attention_avx2;
    case Isa::ref:
      break;
  }
  return attention_ref;
}

}  // namespace premise
