// Finding the largest product of a row without computing all of them: see contracts/peak.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "numerics/device/isa.h"
#include "numerics/kernels/contracts/peak.h"

namespace premise {

/// The kernel for a matrix; null where the instruction set has none for its layout or scales.
const PeakKernel* peak_kernel(Isa isa, const PackedMatrix& matrix);

/// Blocks of panels that bounds are given for.
std::uint64_t peak_block_count(std::uint64_t rows);

/// Memory for `rows` coarse rows: bytes, a multiple of 64; `columns` is a multiple of 32.
std::uint64_t coarse_bytes(std::uint64_t rows, std::uint64_t columns);

/// Buffers at `memory` (64-byte aligned, coarse_bytes() long).
CoarseRows coarse_rows_at(std::byte* memory, std::uint64_t rows, std::uint64_t columns);

/// Row `from` of `in` as row `to` of `out`.
void coarsen(const QuantizedRows& in, std::size_t from, std::size_t columns, const CoarseRows& out,
             std::size_t to);

}  // namespace premise
