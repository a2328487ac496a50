// Instruction sets the program can compute with, and the choice between them.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"

namespace premise {

/// Ordered: a later one is wider. `ref` is the plain interpreter in C++, the oracle of the others.
/// `amx` is avx512 with tiles of bf16 for many tokens; `amx_emulated` computes the same tiles in
/// software, for tests and for measuring accuracy where no tiles are: slow, and never chosen
/// unasked.
enum class Isa { ref, avx2, avx512, amx_emulated, amx };

/// The set whose vector instructions a set computes with beside its tiles.
constexpr Isa vectors_of(Isa isa) { return isa > Isa::avx512 ? Isa::avx512 : isa; }

std::string_view name_of(Isa isa);  // as in PREMISE_ISA
std::optional<Isa> isa_from_name(std::string_view name);

/// The widest set that this processor and kernel really offer (CPUID and XCR0).
/// avx2: AVX2, FMA, F16C, BMI2. avx512: F, BW, DQ, VL, VNNI. amx: that, AVX512-BF16, AMX-TILE and
/// AMX-BF16, and Linux has granted this process the registers: the first call asks for them.
/// Nothing below AVX2: `ref`. Whether tiles compute rightly says usable_isa()
/// (numerics/kernels/usable_isa.h).
Isa widest_isa();

/// Whether this machine computes with `isa`: sets up to the widest, and amx_emulated with avx512
/// and AVX512-BF16.
bool offers(Isa isa);

/// The set to compute with: `forced` (the value of PREMISE_ISA) where given, else the widest.
/// A forced set that the machine lacks, or an unknown name, is an Error; never a silent fallback.
Result<Isa> choose_isa(std::optional<std::string_view> forced);

}  // namespace premise
