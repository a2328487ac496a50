#include "numerics/tensor/tensor_view.h"

#include <gtest/gtest.h>

#include <vector>

namespace premise {
namespace {

TEST(Shape, is_rows_of_columns) {
  const Shape matrix{{3, 5, 1, 1}, 2};
  EXPECT_EQ(matrix.columns(), 5u);
  EXPECT_EQ(matrix.rows(), 3u);
  const Shape stack{{2, 3, 5, 1}, 3};
  EXPECT_EQ(stack.columns(), 5u);
  EXPECT_EQ(stack.rows(), 6u);
  EXPECT_EQ(stack.elements(), 30u);
}

TEST(Shape, a_vector_is_one_row_and_a_scalar_one_element) {
  EXPECT_EQ((Shape{{7, 1, 1, 1}, 1}).rows(), 1u);
  EXPECT_EQ((Shape{{7, 1, 1, 1}, 1}).columns(), 7u);
  EXPECT_EQ(Shape{}.elements(), 1u);
}

TEST(TensorView, rows_follow_one_another) {
  const std::vector<std::byte> bytes(3 * 36);
  const TensorView view{DType::q4_0, Shape{{3, 64, 1, 1}, 2}, bytes};
  for (std::uint64_t row = 0; row < 3; ++row) {
    EXPECT_EQ(view.row(row).size(), 36u);
    EXPECT_EQ(view.row(row).data(), bytes.data() + row * 36);
  }
}

}  // namespace
}  // namespace premise
