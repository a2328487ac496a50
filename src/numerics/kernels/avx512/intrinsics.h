// Intrinsics, with helpers that every AVX-512 file may use; all private to the including file.
#pragma once

// GCC 12 warns of the registers that its own intrinsics leave undefined on purpose
// (gcc.gnu.org/PR105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#define PREMISE_INLINE inline __attribute__((always_inline))
#define PREMISE_INLINE_LAMBDA __attribute__((always_inline))
