// Instruction sets the program can compute with, and the choice between them.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"

namespace premise {

/// Ordered: a later one is wider. `ref` is the plain interpreter in C++, the oracle of the others.
enum class Isa { ref, avx2, avx512 };

std::string_view name_of(Isa isa);  // as in PREMISE_ISA
std::optional<Isa> isa_from_name(std::string_view name);

/// The widest set that this processor and kernel really offer (CPUID and XCR0).
/// avx2: AVX2, FMA, F16C, BMI2. avx512: F, BW, DQ, VL, VNNI. Nothing below AVX2: `ref`.
Isa widest_isa();

/// The set to compute with: `forced` (the value of PREMISE_ISA) where given, else the widest.
/// A forced set that the machine lacks, or an unknown name, is an Error; never a silent fallback.
Result<Isa> choose_isa(std::optional<std::string_view> forced);

}  // namespace premise
