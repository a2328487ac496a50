#include "planning/rules_of_thumb.h"

#include <gmock/gmock.h>

namespace premise {
namespace {

using ::testing::HasSubstr;

std::vector<RuleRow> rows() {
  Workload work;
  work.context = 4096;
  return rules_of_thumb(work).value();
}

RuleRow row(std::string_view size, std::string_view type) {
  for (const RuleRow& row : rows())
    if (row.size == size && row.type == type) return row;
  ADD_FAILURE() << "no row " << size << " " << type;
  return {};
}

double gibibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / 1073741824.0; }

// The rules (7B 10–12 GB, 14B 20–24 GB, 32B 40–48 GB) are those of 8-bit weights and 80 %.
TEST(RulesOfThumb, QuantizedRulesAreThoseOfEightBits) {
  EXPECT_EQ(row("7B", "q8_0").rule, "10–12 GB");
  EXPECT_EQ(row("14B", "q8_0").rule, "20–24 GB");
  EXPECT_EQ(row("32B", "q8_0").rule, "40–48 GB");
  for (const char* size : {"7B", "14B", "32B"}) {
    EXPECT_EQ(row(size, "q8_0").why.en, "agrees") << size;
    EXPECT_THAT(row(size, "q4_k_m").why.en, HasSubstr("8-bit")) << size;
  }
  EXPECT_NEAR(gibibytes(row("7B", "q8_0").card_bytes), 11, 1);
}

// 13.0 billion weights of two bytes are 26 GB; 4096 tokens of Llama 2 13B are 3.4 GB of cache.
TEST(RulesOfThumb, HalfPrecisionRulesLeaveNoReserve) {
  EXPECT_EQ(row("7B", "bf16").rule, "≥16 GB");
  EXPECT_EQ(row("13B", "bf16").rule, "≥32 GB");
  EXPECT_EQ(row("13B", "bf16").card.cache, 4096u * 2 * 40 * 40 * 128 * 2);
  EXPECT_THAT(row("13B", "bf16").why.en, HasSubstr("% full"));
  EXPECT_THAT(row("7B", "bf16").why.en, HasSubstr("% full"));
}

TEST(RulesOfThumb, EveryRowWithARuleSaysHowItCompares) {
  for (const RuleRow& row : rows()) {
    EXPECT_EQ(row.rule.empty(), row.why.empty()) << row.size << row.type;
    EXPECT_EQ(row.why.en.empty(), row.why.zh.empty());
  }
}

TEST(RulesOfThumb, APastContextIsCut) {
  Workload work;
  work.context = 1 << 20;
  ASSERT_TRUE(rules_of_thumb(work).ok());
}

}  // namespace
}  // namespace premise
