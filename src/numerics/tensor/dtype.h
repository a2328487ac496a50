// Element types of tensors as files store them: plain numbers and the block formats of GGUF.
//
// A block format packs `block_elements` consecutive elements of a row into `block_bytes`; a plain
// type is a block of one. Values of the enum are the type numbers of the GGUF format (ggml.h of
// llama.cpp, MIT), so that a file's number is checked and cast in one place: dtype_from_gguf().
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace premise {

enum class DType : std::uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q8_1 = 9,
  q2_k = 10,
  q3_k = 11,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  q8_k = 15,
  iq2_xxs = 16,
  iq2_xs = 17,
  iq3_xxs = 18,
  iq1_s = 19,
  iq4_nl = 20,
  iq3_s = 21,
  iq2_s = 22,
  iq4_xs = 23,
  i8 = 24,
  i16 = 25,
  i32 = 26,
  i64 = 27,
  f64 = 28,
  iq1_m = 29,
  bf16 = 30,
  tq1_0 = 34,
  tq2_0 = 35,
  mxfp4 = 39,
  nvfp4 = 40,
  q1_0 = 41,
  q2_0 = 42,
};

/// What a type is. `computes` says whether the engine can use weights of this type.
struct DTypeTraits {
  DType dtype;
  std::string_view name;         // as people write it: "q4_k"
  std::uint32_t block_elements;  // elements of one row that share a block
  std::uint32_t block_bytes;
  bool computes;
};

/// Every known type, in the order of its number.
std::span<const DTypeTraits> all_dtypes();

/// Traits of a type; the type must be one of the enum.
const DTypeTraits& traits(DType dtype);

/// The type behind a number in a GGUF file, or nothing where the number is unknown or withdrawn.
std::optional<DType> dtype_from_gguf(std::uint32_t number);

/// The type of a name such as "q4_k" or "Q4_K"; nothing where unknown.
std::optional<DType> dtype_from_name(std::string_view name);

/// Bytes of one row of `elements` elements; nothing where the row is no whole number of blocks or
/// the product overflows.
std::optional<std::uint64_t> row_bytes(DType dtype, std::uint64_t elements);

}  // namespace premise
