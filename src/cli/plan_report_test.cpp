#include "cli/plan_report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace premise {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Four layers of one product each, of which the third is of another type, between embed and output.
struct Example {
  Plan plan;
  std::vector<OpReport> ops;

  Example() {
    plan.architecture = "test";
    plan.layers = 4;
    plan.vocabulary = 320;
    plan.context_length = 512;
    plan.groups = {{.window = 24, .layers = 3, .kv_heads = 2, .head_dim = 8},
                   {.window = 0, .layers = 1, .kv_heads = 2, .head_dim = 8}};
    plan.ropes = {{.frequencies = {1.0f, 0.5f}}};
    add(-1, EmbedOp{.table = 0, .scale = 2.0f, .out = 0}, "token_embd.weight", "f32", 64);
    for (std::int32_t layer = 0; layer < 4; ++layer)
      add(layer, LinearOp{.in = 0, .weight = 0, .bias = {}, .out = 1},
          fmt::format("blk.{}.attn_q.weight", layer), layer == 2 ? "q8_0" : "q4_k", 1000);
    add(-1, SelectRowsOp{.in = 1, .out = 2}, "", "", 0);
  }

  void add(std::int32_t layer, OpBody body, std::string weight, std::string type,
           std::uint64_t bytes) {
    ops.push_back({layer, op_name(body), std::move(weight), std::move(type), "kernel.x", bytes});
    plan.ops.push_back({layer, body});
  }

  PlanReport report() const {
    return {.plan = plan, .ops = ops, .isa = "avx2", .threads = 2, .context = 64};
  }
};

TEST(PlanReport, FoldsLayersThatAreAlike) {
  const std::string page = plan_page(Example().report(), Language::english);
  EXPECT_THAT(page, AllOf(HasSubstr("layers 0–1, 3\n"), HasSubstr("layer 2\n"),
                          HasSubstr("before the layers\n"), HasSubstr("after the layers\n")));
  EXPECT_THAT(page, Not(HasSubstr("blk.")));
  EXPECT_EQ(page.find("attn_q.weight  q8_0"), page.rfind("attn_q.weight  q8_0"));
}

TEST(PlanReport, ShowsCacheGroupsAndRotaryTables) {
  const std::string page = plan_page(Example().report(), Language::english);
  // 3 layers of keys and values of 2 heads of 8 numbers of 2 bytes: 192 bytes.
  EXPECT_THAT(page, AllOf(HasSubstr("24         2          8  f16       192 B\n"),
                          HasSubstr("none         2          8  f16        64 B\n"),
                          HasSubstr("half   1 … 0.5")));
}

TEST(PlanReport, SpeaksChinese) {
  EXPECT_THAT(plan_page(Example().report(), Language::chinese),
              AllOf(HasSubstr("第 0–1, 3 层"), HasSubstr("缓存组"), HasSubstr("各层之后")));
}

TEST(PlanReport, TheDocumentLeavesNoOperationOut) {
  const Example example;
  const auto document = nlohmann::json::parse(plan_document(example.report()));
  ASSERT_EQ(document["ops"].size(), example.ops.size());
  EXPECT_TRUE(document["ops"][0]["layer"].is_null());
  EXPECT_EQ(document["ops"][0]["settings"]["scale"], 2.0);
  EXPECT_EQ(document["ops"][4]["weight"], "blk.3.attn_q.weight");
  EXPECT_EQ(document["ops"][4]["bytes"], 1000);
  EXPECT_FALSE(document["ops"][5].contains("weight"));
  EXPECT_EQ(document["cache_groups"][0]["window"], 24);
  EXPECT_TRUE(document["cache_groups"][1]["window"].is_null());
  EXPECT_EQ(document["ropes"][0]["frequencies"], nlohmann::json({1.0, 0.5}));
}

TEST(PlanReport, NamesOfAFileCannotForgeLines) {
  Example example;
  example.ops[1].weight = "blk.0.a\x1b[2J";
  EXPECT_THAT(plan_page(example.report(), Language::english), HasSubstr("a\\x1b[2J"));
}

}  // namespace
}  // namespace premise
