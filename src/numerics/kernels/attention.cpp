#include "numerics/kernels/attention.h"

namespace premise {

extern const AttentionKernels attention_ref;     // ref/attention_ref.cpp
extern const AttentionKernels attention_avx2;    // avx2/attention_avx2.cpp
extern const AttentionKernels attention_avx512;  // avx512/attention_avx512.cpp

namespace {

const AttentionKernels& kernels_of(Isa isa) {
  switch (vectors_of(isa)) {
    case Isa::avx512:
      return attention_avx512;
    case Isa::avx2:
      return attention_avx2;
    default:
      break;
  }
  return attention_ref;
}

}  // namespace

const AttentionKernel* attention_kernel(Isa isa, DType cache_type) {
  const AttentionKernels& kernels = kernels_of(isa);
  if (cache_type == DType::f16) return &kernels.f16;
  if (cache_type == DType::f32) return &kernels.f32;
  if (cache_type == DType::q8_0) return &kernels.q8_0;
  return nullptr;
}

}  // namespace premise
