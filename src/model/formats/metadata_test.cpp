#include "model/formats/metadata.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace premise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Metadata sample() {
  Metadata m;
  m.set("yes", true);
  m.set("five", std::uint64_t{5}, 32);
  m.set("minus", std::int64_t{-7}, 8);
  m.set("six", std::int64_t{6});
  m.set("half", 0.5, 32);
  m.set("nan", std::nan(""));
  m.set("name", std::string("gemma3"));
  m.set("bools", std::vector<bool>{true, false});
  m.set("signed", std::vector<std::int64_t>{-1, 2});
  m.set("unsigned", std::vector<std::uint64_t>{3, 4});
  m.set("huge", std::vector<std::uint64_t>{1, std::numeric_limits<std::uint64_t>::max()});
  m.set("floats", std::vector<double>{0.25, -1});
  m.set("infinite", std::vector<double>{1, -std::numeric_limits<double>::infinity()});
  m.set("words", std::vector<std::string>{"a", "b"});
  return m;
}

template <typename T>
std::string problem(const Result<T>& result) {
  EXPECT_FALSE(result.ok());
  if (result.ok()) return {};
  EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  EXPECT_FALSE(result.error().what.zh.empty());
  return result.error().what.en;
}

TEST(Metadata, GivesScalarsOfTheirKind) {
  const Metadata m = sample();
  EXPECT_EQ(*m.u64("five"), 5u);
  EXPECT_EQ(*m.boolean("yes"), true);
  EXPECT_EQ(*m.string("name"), "gemma3");
  EXPECT_EQ(*m.number("half"), 0.5);
}

TEST(Metadata, ReadsASignedIntegerAsUnsignedWhereItIsNotNegative) {
  const Metadata m = sample();
  EXPECT_EQ(*m.u64("six"), 6u);
  EXPECT_EQ(problem(m.u64("minus")),
            "metadata key \"minus\" is -7, expected an integer of 0 or more");
}

TEST(Metadata, ReadsAnyFiniteNumberAsANumber) {
  const Metadata m = sample();
  EXPECT_EQ(*m.number("five"), 5.0);
  EXPECT_EQ(*m.number("minus"), -7.0);
  EXPECT_THAT(problem(m.number("nan")), HasSubstr("expected a finite number"));
  EXPECT_EQ(problem(m.number("name")), "metadata key \"name\" is a string, expected a number");
}

TEST(Metadata, NamesTheKeyThatIsMissing) {
  EXPECT_EQ(problem(sample().u64("gemma3.block_count")),
            "metadata key \"gemma3.block_count\" is missing");
}

TEST(Metadata, NamesTheFileWhereItIsKnown) {
  Metadata m = sample();
  m.set_path("model.gguf");
  EXPECT_EQ(problem(m.boolean("five")),
            "model.gguf: metadata key \"five\" is an unsigned integer, expected a boolean");
}

TEST(Metadata, NeverTakesABooleanForANumberNorAFloatForAnInteger) {
  const Metadata m = sample();
  EXPECT_THAT(problem(m.u64("yes")), HasSubstr("is a boolean"));
  EXPECT_THAT(problem(m.number("yes")), HasSubstr("is a boolean"));
  EXPECT_THAT(problem(m.u64("half")), HasSubstr("is a float"));
}

TEST(Metadata, FallsBackOnlyWhereTheKeyIsMissing) {
  const Metadata m = sample();
  EXPECT_EQ(*m.u64_or("none", 9), 9u);
  EXPECT_EQ(*m.u64_or("five", 9), 5u);
  EXPECT_EQ(*m.number_or("none", 1.5), 1.5);
  EXPECT_EQ(*m.boolean_or("none", true), true);
  EXPECT_EQ(*m.string_or("none", "x"), "x");
  EXPECT_THAT(problem(m.u64_or("name", 9)), HasSubstr("is a string"));
  EXPECT_THAT(problem(m.boolean_or("five", true)), HasSubstr("expected a boolean"));
  EXPECT_THAT(problem(m.string_or("five", "x")), HasSubstr("expected a string"));
}

TEST(Metadata, GivesArrays) {
  const Metadata m = sample();
  EXPECT_THAT(*m.strings("words"), ElementsAre("a", "b"));
  EXPECT_THAT(*m.integers("signed"), ElementsAre(-1, 2));
  EXPECT_THAT(*m.integers("unsigned"), ElementsAre(3, 4));
  EXPECT_THAT(*m.numbers("floats"), ElementsAre(0.25, -1.0));
  EXPECT_THAT(*m.numbers("signed"), ElementsAre(-1.0, 2.0));
  EXPECT_THAT(*m.numbers("unsigned"), ElementsAre(3.0, 4.0));
  EXPECT_THAT(*m.booleans("bools"), ElementsAre(true, false));
}

TEST(Metadata, NamesTheElementThatDoesNotFit) {
  const Metadata m = sample();
  EXPECT_THAT(problem(m.integers("huge")), HasSubstr("holds 18446744073709551615 at index 1"));
  EXPECT_THAT(problem(m.numbers("infinite")), HasSubstr("holds -inf at index 1"));
}

TEST(Metadata, RefusesArraysOfAnotherKind) {
  const Metadata m = sample();
  EXPECT_EQ(problem(m.strings("floats")),
            "metadata key \"floats\" is an array of floats, expected an array of strings");
  EXPECT_THAT(problem(m.integers("floats")), HasSubstr("expected an array of integers"));
  EXPECT_THAT(problem(m.numbers("words")), HasSubstr("expected an array of numbers"));
  EXPECT_THAT(problem(m.booleans("five")), HasSubstr("expected an array of booleans"));
  EXPECT_THAT(problem(m.u64("signed")), HasSubstr("is an array of signed integers"));
}

TEST(Metadata, KnowsArraysAndWidths) {
  Metadata m = sample();
  EXPECT_TRUE(m.is_array("bools"));
  EXPECT_TRUE(m.is_array("words"));
  EXPECT_FALSE(m.is_array("name"));
  EXPECT_FALSE(m.is_array("none"));
  EXPECT_EQ(m.bits("five"), 32u);
  EXPECT_EQ(m.bits("six"), 0u);
  m.set("five", std::uint64_t{6});
  EXPECT_EQ(m.bits("five"), 0u);
}

TEST(Metadata, EveryKindHasANameInBothLanguages) {
  const MetadataValue values[] = {true, std::int64_t{1}, std::uint64_t{1}, 1.0, std::string()};
  for (const auto& value : values) {
    EXPECT_FALSE(kind_of(value).en.empty());
    EXPECT_FALSE(kind_of(value).zh.empty());
  }
}

}  // namespace
}  // namespace premise
