// The instruction set to compute with: what the machine offers, and on tiles what it was seen to
// compute rightly.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "numerics/device/isa.h"
#include "numerics/kernels/contracts/matmul.h"

namespace premise {

struct UsableIsa {
  Isa isa;
  std::optional<Text> notice;  // why a narrower set than the machine offers computes
};

/// choose_isa(), and where that is amx a product on the processor's tiles, compared with the same
/// in software (once a process). Where they differ: an Error if amx was forced, else AVX-512 with a
/// notice to be shown.
Result<UsableIsa> usable_isa(std::optional<std::string_view> forced);

/// The same with the verdict of the tiles given.
Result<UsableIsa> usable_isa(std::optional<std::string_view> forced, Isa chosen, bool tiles_agree);

/// Whether `kernel` multiplies as `expected` does, bit for bit: two panels and a half by 595
/// columns by 37 tokens, small integers, whose sums are exact in any order.
bool same_product(const MatmulKernel& kernel, const MatmulKernel& expected);

/// Whether `check` says so, in a child of this process; one that faults says no.
bool holds_in_child(bool (*check)());

}  // namespace premise
