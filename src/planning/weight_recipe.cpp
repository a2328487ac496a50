#include "planning/weight_recipe.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace premise {
namespace {

using enum RicherWhere;

// One type for everything.
constexpr WeightRecipe pure(std::string_view name, DType type, DType output) {
  return {name, type, output, {type, type, nowhere}, {type, type, nowhere}, type, type};
}

constexpr std::array recipes = {
    pure("f32", DType::f32, DType::f32),
    pure("bf16", DType::bf16, DType::bf16),
    pure("f16", DType::f16, DType::f16),
    pure("q8_0", DType::q8_0, DType::q8_0),
    pure("q6_k", DType::q6_k, DType::q6_k),
    pure("q5_1", DType::q5_1, DType::q6_k),
    WeightRecipe{"q5_k_m",
                 DType::q5_k,
                 DType::q6_k,
                 {DType::q5_k, DType::q6_k, more_bits},
                 {DType::q5_k, DType::q6_k, more_bits},
                 DType::q5_k,
                 DType::q6_k},
    pure("q5_k_s", DType::q5_k, DType::q6_k),
    pure("q5_0", DType::q5_0, DType::q6_k),
    pure("q4_1", DType::q4_1, DType::q6_k),
    WeightRecipe{"q4_k_m",
                 DType::q4_k,
                 DType::q6_k,
                 {DType::q4_k, DType::q6_k, more_bits},
                 {DType::q4_k, DType::q6_k, more_bits},
                 DType::q4_k,
                 DType::q5_k},
    WeightRecipe{"iq4_nl",
                 DType::iq4_nl,
                 DType::q6_k,
                 {DType::iq4_nl, DType::q5_k, shared_by_four},
                 {DType::iq4_nl, DType::q5_k, first_eighth},
                 DType::iq4_nl,
                 DType::iq4_nl},
    WeightRecipe{"q4_k_s",
                 DType::q4_k,
                 DType::q6_k,
                 {DType::q4_k, DType::q5_k, first_four},
                 {DType::q4_k, DType::q5_k, first_eighth},
                 DType::q4_k,
                 DType::q4_k},
    pure("q4_0", DType::q4_0, DType::q6_k),
    WeightRecipe{"iq4_xs",
                 DType::iq4_xs,
                 DType::q6_k,
                 {DType::iq4_xs, DType::q5_k, shared_by_four},
                 {DType::iq4_xs, DType::q5_k, first_eighth},
                 DType::iq4_xs,
                 DType::iq4_xs},
    WeightRecipe{"q3_k_l",
                 DType::q3_k,
                 DType::q6_k,
                 {DType::q5_k, DType::q5_k, nowhere},
                 {DType::q5_k, DType::q5_k, nowhere},
                 DType::q5_k,
                 DType::q4_k},
    WeightRecipe{"q3_k_m",
                 DType::q3_k,
                 DType::q6_k,
                 {DType::q4_k, DType::q5_k, first_two},
                 {DType::q4_k, DType::q5_k, first_sixteenth},
                 DType::q4_k,
                 DType::q4_k},
    pure("q3_k_s", DType::q3_k, DType::q6_k),
    WeightRecipe{"q2_k",
                 DType::q2_k,
                 DType::q6_k,
                 {DType::q3_k, DType::q4_k, shared_by_four},
                 {DType::q3_k, DType::q3_k, nowhere},
                 DType::q3_k,
                 DType::q2_k},
};

// The layer of "blk.3.ffn_down.weight", and what follows; -1 outside the layers.
struct TensorName {
  std::int64_t layer = -1;
  std::string_view role;
};

TensorName split_name(std::string_view name) {
  constexpr std::string_view prefix = "blk.";
  if (!name.starts_with(prefix)) return {-1, name};
  std::int64_t layer = -1;
  const char* end = name.data() + name.size();
  const auto [rest, failure] = std::from_chars(name.data() + prefix.size(), end, layer);
  if (failure != std::errc{} || rest == end || *rest != '.') return {-1, name};
  return {layer, std::string_view(rest + 1, end)};
}

// What the rules ask of a model.
struct Facts {
  std::int64_t layers = 0;
  bool shared_by_four = false;
  bool shared_by_eight = false;
  bool tied = true;
};

Facts facts_of(const Plan& plan) {
  Facts facts;
  facts.layers = static_cast<std::int64_t>(plan.layers);
  for (const Op& op : plan.ops)
    if (const auto* attention = std::get_if<AttentionOp>(&op.body)) {
      const std::uint32_t shared = attention->heads / plan.groups[attention->group].kv_heads;
      facts.shared_by_four = shared >= 4;
      facts.shared_by_eight = shared >= 8;
      break;
    }
  for (const Weight& weight : plan.weights) facts.tied &= weight.name != "output.weight";
  return facts;
}

bool is_richer(RicherWhere where, std::int64_t layer, const Facts& facts) {
  const std::int64_t eighth = facts.layers / 8;
  switch (where) {
    case nowhere:
      return false;
    case everywhere:
      return true;
    case more_bits:
      return layer < eighth || layer >= 7 * facts.layers / 8 || (layer - eighth) % 3 == 2;
    case first_eighth:
      return layer < eighth;
    case first_sixteenth:
      return layer < facts.layers / 16;
    case first_two:
      return layer < 2;
    case first_four:
      return layer < 4;
    case RicherWhere::shared_by_four:
      return facts.shared_by_four;
  }
  return false;
}

DType chosen(const TypeChoice& choice, std::int64_t layer, const Facts& facts) {
  return is_richer(choice.where, layer, facts) ? choice.richer : choice.plain;
}

DType type_of_role(const WeightRecipe& recipe, const TensorName& name, const Facts& facts) {
  if (name.role == "output.weight" || (facts.tied && name.role == "token_embd.weight"))
    return recipe.output;
  if (name.role == "ffn_down.weight") return chosen(recipe.down, name.layer, facts);
  if (name.role == "attn_output.weight") return recipe.attention_output;
  if (name.role == "attn_qkv.weight") return recipe.fused;
  if (name.role != "attn_v.weight") return recipe.base;
  const DType value = chosen(recipe.value, name.layer, facts);
  // In the 70B shape eight heads share each value head: few bytes, read often.
  const bool small = value == DType::q3_k || value == DType::q4_k;
  return facts.layers == 80 && facts.shared_by_eight && small ? DType::q5_k : value;
}

// Blocks of 256 do not fit every row.
DType fitting(DType type, std::uint64_t columns) {
  if (row_bytes(type, columns)) return type;
  DType fallback = DType::f16;
  if (type == DType::q6_k) fallback = DType::q8_0;
  if (type == DType::q5_k) fallback = DType::q5_1;
  if (type == DType::q4_k) fallback = DType::q5_0;
  if (type == DType::q3_k || type == DType::q2_k || type == DType::iq4_xs) fallback = DType::iq4_nl;
  return row_bytes(fallback, columns) ? fallback : DType::f16;
}

}  // namespace

std::span<const WeightRecipe> all_recipes() { return recipes; }

const WeightRecipe* find_recipe(std::string_view name) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  const auto found = std::ranges::find_if(
      recipes, [&](const WeightRecipe& r) { return std::ranges::equal(name, r.name, same); });
  return found == recipes.end() ? nullptr : &*found;
}

std::string recipe_names() {
  std::string names;
  for (const WeightRecipe& recipe : recipes)
    names += (names.empty() ? "" : ", ") + std::string(recipe.name);
  return names;
}

std::vector<DType> recipe_types(const WeightRecipe& recipe, const Plan& plan) {
  const Facts facts = facts_of(plan);
  std::vector<DType> types;
  types.reserve(plan.weights.size());
  for (const Weight& weight : plan.weights) {
    const DType type =
        weight.shape.rank < 2 ? DType::f32 : type_of_role(recipe, split_name(weight.name), facts);
    types.push_back(fitting(type, weight.shape.columns()));
  }
  return types;
}

}  // namespace premise
