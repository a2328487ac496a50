#include "planning/rules_of_thumb.h"

#include <algorithm>

#include "planning/devices.h"

namespace premise {
namespace {

// Rules as they are passed on, in GB as cards are sold (2^30 bytes).
struct Rule {
  const char* size;
  const char* model;                     // the shape that stands for the size
  double quantized_low, quantized_high;  // 0: no rule
  double half_least;                     // for FP16; 0: no rule
};

constexpr Rule thumb_rules[] = {
    {"7B", "Qwen2.5 7B", 10, 12, 16},  {"13B", "Llama 2 13B", 0, 0, 32},
    {"14B", "Qwen2.5 14B", 20, 24, 0}, {"32B", "Qwen2.5 32B", 40, 48, 0},
    {"70B", "Llama 3.1 70B", 0, 0, 0},
};

constexpr const char* table_types[] = {"bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m"};

// A figure within this share of the rule's edge counts as the rule's.
constexpr double tolerance = 0.05;

std::uint64_t with_reserve(std::uint64_t bytes) {
  return static_cast<std::uint64_t>(static_cast<double>(bytes) / memory_share_max);
}

double gibibytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(gibibyte);
}

Text why_quantized(const Rule& rule, const RuleRow& row) {
  const double needed = gibibytes(row.card_bytes);
  if (needed < rule.quantized_low * (1 - tolerance))
    return text({"less: the rule fits 8-bit weights, these have {:.1f} bits",
                 "更少：经验值按 8 位权重估算，这里平均 {:.1f} 位"},
                row.bits);
  if (needed > rule.quantized_high * (1 + tolerance))
    return text({"more: the cache of {:.1f} GB comes on top of what the rule counts",
                 "更多：经验值未计入 {:.1f} GB 的缓存"},
                static_cast<double>(row.card.cache) / 1e9);
  return text({"agrees", "一致"});
}

Text why_half(const Rule& rule, const RuleRow& row) {
  if (gibibytes(row.card_bytes) <= rule.half_least * (1 + tolerance))
    return text({"agrees", "一致"});
  const double filled = 100.0 * gibibytes(row.card.total) / rule.half_least;
  return text({"more: {:.0f} GB would be {:.0f} % full, the aim is 80 %",
               "更多：{:.0f} GB 将占用 {:.0f} %，目标为 80 %"},
              rule.half_least, filled);
}

void compare(const Rule& rule, RuleRow& row) {
  const bool half = row.type == "bf16";
  if (half && rule.half_least > 0) {
    row.rule = fmt::format("≥{:g} GB", rule.half_least);
    row.why = why_half(rule, row);
  } else if (!half && rule.quantized_low > 0) {
    row.rule = fmt::format("{:g}–{:g} GB", rule.quantized_low, rule.quantized_high);
    row.why = why_quantized(rule, row);
  }
}

Result<RuleRow> row_of(const Rule& rule, SizedModel& model, const WeightRecipe& recipe,
                       const Workload& wanted) {
  retype(model, recipe);
  Workload work = wanted;
  work.context = std::min(wanted.context, model.plan.context_length);
  Capacity card;
  card.gpu = true;
  const Capacity cpu;
  RuleRow row;
  row.model = model.title;
  row.size = rule.size;
  row.type = recipe.name;
  PREMISE_TRY(row.card, memory_need(model, work, card));
  PREMISE_TRY(row.cpu, memory_need(model, work, cpu));
  row.bits = 8.0 * static_cast<double>(row.card.weights) / static_cast<double>(model.parameters);
  row.card_bytes = with_reserve(row.card.total);
  row.cpu_bytes = with_reserve(row.cpu.total);
  for (const Capacity& device : all_devices())
    if (row.device.empty() && device.gpu && device.memory_bytes >= row.card_bytes)
      row.device = device.name;
  compare(rule, row);
  return row;
}

}  // namespace

Result<std::vector<RuleRow>> rules_of_thumb(const Workload& work) {
  std::vector<RuleRow> rows;
  for (const Rule& rule : thumb_rules) {
    const auto shapes = published_shapes();
    const auto found = std::ranges::find(shapes, rule.model, &PublishedShape::name);
    const ShapeChoice choice{&*found, found->shape, false, {}};
    PREMISE_TRY(SizedModel model,
                published_model(choice, found->billions * 1e9, *find_recipe("bf16")));
    for (const char* type : table_types) {
      PREMISE_TRY(RuleRow row, row_of(rule, model, *find_recipe(type), work));
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace premise
