#include "numerics/tensor/dtype.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cctype>

namespace premise {
namespace {

// {type, name, elements a block, bytes a block, computed with}. Sizes: ggml-common.h of llama.cpp.
constexpr std::array table = {
    DTypeTraits{DType::f32, "f32", 1, 4, true},
    DTypeTraits{DType::f16, "f16", 1, 2, true},
    DTypeTraits{DType::q4_0, "q4_0", 32, 18, true},
    DTypeTraits{DType::q4_1, "q4_1", 32, 20, true},
    DTypeTraits{DType::q5_0, "q5_0", 32, 22, true},
    DTypeTraits{DType::q5_1, "q5_1", 32, 24, true},
    DTypeTraits{DType::q8_0, "q8_0", 32, 34, true},
    DTypeTraits{DType::q8_1, "q8_1", 32, 36, false},
    DTypeTraits{DType::q2_k, "q2_k", 256, 84, true},
    DTypeTraits{DType::q3_k, "q3_k", 256, 110, true},
    DTypeTraits{DType::q4_k, "q4_k", 256, 144, true},
    DTypeTraits{DType::q5_k, "q5_k", 256, 176, true},
    DTypeTraits{DType::q6_k, "q6_k", 256, 210, true},
    DTypeTraits{DType::q8_k, "q8_k", 256, 292, false},
    DTypeTraits{DType::iq2_xxs, "iq2_xxs", 256, 66, false},
    DTypeTraits{DType::iq2_xs, "iq2_xs", 256, 74, false},
    DTypeTraits{DType::iq3_xxs, "iq3_xxs", 256, 98, false},
    DTypeTraits{DType::iq1_s, "iq1_s", 256, 50, false},
    DTypeTraits{DType::iq4_nl, "iq4_nl", 32, 18, true},
    DTypeTraits{DType::iq3_s, "iq3_s", 256, 110, false},
    DTypeTraits{DType::iq2_s, "iq2_s", 256, 82, false},
    DTypeTraits{DType::iq4_xs, "iq4_xs", 256, 136, true},
    DTypeTraits{DType::i8, "i8", 1, 1, false},
    DTypeTraits{DType::i16, "i16", 1, 2, false},
    DTypeTraits{DType::i32, "i32", 1, 4, false},
    DTypeTraits{DType::i64, "i64", 1, 8, false},
    DTypeTraits{DType::f64, "f64", 1, 8, false},
    DTypeTraits{DType::iq1_m, "iq1_m", 256, 56, false},
    DTypeTraits{DType::bf16, "bf16", 1, 2, true},
    DTypeTraits{DType::tq1_0, "tq1_0", 256, 54, false},
    DTypeTraits{DType::tq2_0, "tq2_0", 256, 66, false},
    DTypeTraits{DType::mxfp4, "mxfp4", 32, 17, false},
    DTypeTraits{DType::nvfp4, "nvfp4", 64, 36, false},
    DTypeTraits{DType::q1_0, "q1_0", 128, 18, false},
    DTypeTraits{DType::q2_0, "q2_0", 64, 18, false},
};

}  // namespace

std::span<const DTypeTraits> all_dtypes() { return table; }

std::optional<DType> dtype_from_gguf(std::uint32_t number) {
  const auto found = std::ranges::find(
      table, number, [](const auto& t) { return static_cast<std::uint32_t>(t.dtype); });
  if (found == table.end()) return std::nullopt;
  return found->dtype;
}

const DTypeTraits& traits(DType dtype) {
  const auto found = std::ranges::find(table, dtype, &DTypeTraits::dtype);
  assert(found != table.end());
  return *found;
}

std::optional<DType> dtype_from_name(std::string_view name) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  for (const auto& t : table)
    if (std::ranges::equal(name, t.name, same)) return t.dtype;
  return std::nullopt;
}

std::optional<std::uint64_t> row_bytes(DType dtype, std::uint64_t elements) {
  const auto& t = traits(dtype);
  std::uint64_t bytes = 0;
  if (elements % t.block_elements != 0 ||
      __builtin_mul_overflow(elements / t.block_elements, std::uint64_t{t.block_bytes}, &bytes))
    return std::nullopt;
  return bytes;
}

}  // namespace premise
