#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace premise {
namespace {

Result<int> parse(std::string_view digits) {
  if (digits.empty()) return error(ErrorCode::bad_input, {"no digits", "没有数字"});
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

Status check(int value) {
  if (value < 10) return {};
  return error(ErrorCode::no, {"{} is too large for {}", "{} 对 {} 来说太大"}, value, "the test");
}

Result<int> doubled(std::string_view digits) {
  PREMISE_TRY(const int value, parse(digits));
  PREMISE_CHECK(check(value));
  return 2 * value;
}

TEST(Result, CarriesAValueOrAnError) {
  EXPECT_EQ(*parse("42"), 42);
  ASSERT_FALSE(parse("").ok());
  EXPECT_EQ(parse("").error().code, ErrorCode::bad_input);
}

TEST(Result, HoldsWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> value = std::move(result).value();
  EXPECT_EQ(*value, 7);
}

TEST(Error, SpeaksBothLanguagesWithTheSameArguments) {
  const Status status = check(12);
  EXPECT_EQ(status.error().what.en, "12 is too large for the test");
  EXPECT_EQ(status.error().what.zh, "12 对 the test 来说太大");
  EXPECT_EQ(status.error().what.in(Language::chinese), status.error().what.zh);
}

TEST(Error, TakesAHint) {
  const Error with =
      error(ErrorCode::usage, {"no", "否"}).with_hint(text({"try {}", "试试 {}"}, 3));
  EXPECT_EQ(with.hint.en, "try 3");
  EXPECT_EQ(with.hint.zh, "试试 3");
}

TEST(Try, ReturnsTheFirstErrorAndGoesOnOtherwise) {
  EXPECT_EQ(*doubled("4"), 8);
  EXPECT_EQ(doubled("").error().code, ErrorCode::bad_input);
  EXPECT_EQ(doubled("12").error().code, ErrorCode::no);
}

}  // namespace
}  // namespace premise
