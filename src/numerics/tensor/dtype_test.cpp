#include "numerics/tensor/dtype.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>

namespace premise {
namespace {

TEST(DType, numbers_are_those_of_gguf) {
  EXPECT_EQ(dtype_from_gguf(0), DType::f32);
  EXPECT_EQ(dtype_from_gguf(12), DType::q4_k);
  EXPECT_EQ(dtype_from_gguf(30), DType::bf16);
  EXPECT_EQ(dtype_from_gguf(39), DType::mxfp4);
}

TEST(DType, withdrawn_and_unknown_numbers_are_nothing) {
  // 4, 5: Q4_2, Q4_3; 31-33: Q4_0 rearranged; 36-38: IQ4_NL rearranged. All withdrawn by ggml.
  for (const std::uint32_t number : {4u, 5u, 31u, 32u, 33u, 36u, 37u, 38u, 1000u, 0xffffffffu})
    EXPECT_EQ(dtype_from_gguf(number), std::nullopt) << number;
}

TEST(DType, every_type_is_found_again_by_number_and_by_name) {
  std::set<std::string> names;
  for (const DTypeTraits& t : all_dtypes()) {
    EXPECT_EQ(dtype_from_gguf(static_cast<std::uint32_t>(t.dtype)), t.dtype);
    EXPECT_EQ(dtype_from_name(t.name), t.dtype);
    EXPECT_EQ(traits(t.dtype).name, t.name);
    EXPECT_TRUE(names.insert(std::string(t.name)).second) << t.name << " appears twice";
    EXPECT_GT(t.block_bytes, 0u);
    EXPECT_GT(t.block_elements, 0u);
  }
  EXPECT_TRUE(std::ranges::is_sorted(all_dtypes(), {}, &DTypeTraits::dtype));
}

TEST(DType, names_are_read_in_any_case_and_never_in_part) {
  EXPECT_EQ(dtype_from_name("Q4_K"), DType::q4_k);
  EXPECT_EQ(dtype_from_name("BF16"), DType::bf16);
  for (const char* name : {"", "q4", "q4_k_m", " q4_k", "q4_k ", "Q４_K"})
    EXPECT_EQ(dtype_from_name(name), std::nullopt) << name;
}

TEST(RowBytes, counts_whole_blocks_only) {
  EXPECT_EQ(row_bytes(DType::f32, 640), 2560u);
  EXPECT_EQ(row_bytes(DType::q5_0, 640), 440u);
  EXPECT_EQ(row_bytes(DType::q6_k, 512), 420u);
  EXPECT_EQ(row_bytes(DType::q6_k, 0), 0u);
  EXPECT_EQ(row_bytes(DType::q6_k, 640), std::nullopt) << "640 is no multiple of 256";
  EXPECT_EQ(row_bytes(DType::q4_0, 31), std::nullopt);
}

TEST(RowBytes, an_overflowing_product_is_nothing) {
  constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(row_bytes(DType::f32, largest), std::nullopt);
  EXPECT_EQ(row_bytes(DType::f64, largest / 8 + 1), std::nullopt);
  EXPECT_EQ(row_bytes(DType::f64, largest / 8), largest / 8 * 8);
  EXPECT_EQ(row_bytes(DType::i8, largest), largest);
}

}  // namespace
}  // namespace premise
