// Intrinsics without the warnings that GCC 12 gives inside its own headers.
#pragma once

// GCC 12 warns of the registers that its own intrinsics leave undefined on purpose
// (gcc.gnu.org/PR105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
