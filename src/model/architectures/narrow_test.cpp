// Plans of every architecture, narrowed: what is computed for all tokens, and what only for rows
// whose logits are wanted. That both give the same logits is what the tests of the CPU backend
// show, since the interpreter computes the plan as it was described.
#include "model/plan/narrow.h"

#include <gtest/gtest.h>

#include "model/architectures/tiny_model_testing.h"
#include "model/plan/architecture.h"

namespace premise {
namespace {

class Narrowed : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto tiny = testing::tiny_model(GetParam());
    ASSERT_TRUE(tiny.ok());
    auto file = testing::tiny_file(*tiny, {DType::f32});
    ASSERT_TRUE(file.ok());
    auto plan = plan_model({*file->source});
    ASSERT_TRUE(plan.ok());
    wide_ = std::move(plan).value();
    plan_ = narrowed(wide_);
  }
  Rows rows_of(ValueId value) const { return plan_.values[static_cast<std::size_t>(value)].rows; }

  Plan wide_;
  Plan plan_;
};

TEST_P(Narrowed, ReadsOnlyWhatWasWrittenForTheSameRows) {
  std::vector<bool> written(plan_.values.size(), false);
  for (const Op& op : plan_.ops) {
    const auto out = output_of(op.body);
    const bool selects = std::holds_alternative<SelectRowsOp>(op.body);
    for (const ValueId in : inputs_of(op.body)) {
      EXPECT_TRUE(written[static_cast<std::size_t>(in)]) << op_name(op.body);
      if (!out) continue;
      EXPECT_EQ(rows_of(in), selects ? Rows::tokens : rows_of(*out)) << op_name(op.body);
    }
    if (out) written[static_cast<std::size_t>(*out)] = true;
  }
  EXPECT_EQ(rows_of(plan_.logits), Rows::logits);
}

TEST_P(Narrowed, ComputesTheSameOperations) {
  const auto count = [](const Plan& plan) {
    return std::ranges::count_if(
        plan.ops, [](const Op& op) { return !std::holds_alternative<SelectRowsOp>(op.body); });
  };
  EXPECT_EQ(count(plan_), count(wide_));
  EXPECT_EQ(plan_.weights.size(), wide_.weights.size());
}

// For all tokens the last layer brings its keys and values and no more.
TEST_P(Narrowed, OfTheLastLayerOnlyKeysAndValuesAreWantedOfAllTokens) {
  const auto last = static_cast<std::int32_t>(plan_.layers) - 1;
  std::size_t attentions = 0;
  for (const Op& op : plan_.ops) {
    if (const auto* attention = std::get_if<AttentionOp>(&op.body)) {
      ++attentions;
      EXPECT_EQ(rows_of(attention->out), op.layer == last ? Rows::logits : Rows::tokens);
    }
    if (const auto* glu = std::get_if<GluOp>(&op.body)) {
      EXPECT_EQ(rows_of(glu->out), op.layer == last ? Rows::logits : Rows::tokens);
    }
    if (const auto* write = std::get_if<KvWriteOp>(&op.body)) {
      EXPECT_EQ(rows_of(write->key), Rows::tokens);
      EXPECT_EQ(rows_of(write->value), Rows::tokens);
    }
  }
  EXPECT_EQ(attentions, plan_.layers);
}

INSTANTIATE_TEST_SUITE_P(All, Narrowed,
                         ::testing::Values("gemma2", "gemma3", "llama", "phi3", "qwen2", "qwen3"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace premise
