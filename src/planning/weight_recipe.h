// Which type each tensor of a model gets when the whole is called "q4_k_m".
//
// A recipe spends more bits where errors hurt most: on the output matrix, and on attn_v and
// ffn_down of the layers at both ends and every third between. The rules are those that GGUF files
// in the wild were made by (llama-quantize of llama.cpp, MIT, without an importance matrix), so
// that sizes agree with what can be downloaded; they are stated here as a table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/plan/plan.h"
#include "numerics/tensor/dtype.h"

namespace premise {

/// Layers in which a kind of tensor gets the richer of two types.
enum class RicherWhere : std::uint8_t {
  nowhere,
  everywhere,
  more_bits,  // the first and last eighth, and every third between
  first_eighth,
  first_sixteenth,
  first_two,
  first_four,
  shared_by_four,  // everywhere, where four or more query heads share a KV head
};

struct TypeChoice {
  DType plain;
  DType richer;
  RicherWhere where = RicherWhere::nowhere;
};

struct WeightRecipe {
  std::string_view name;   // "q4_k_m"
  DType base;              // of every matrix that the members below do not name
  DType output;            // of the output matrix, or of the embedding where that is tied
  TypeChoice value;        // attn_v
  TypeChoice down;         // ffn_down
  DType attention_output;  // attn_output
  DType fused;             // attn_qkv of architectures that fuse the three
};

/// From the most bits to the fewest.
std::span<const WeightRecipe> all_recipes();

/// Regardless of ASCII case; null where unknown.
const WeightRecipe* find_recipe(std::string_view name);

/// "f32, bf16, …", for messages.
std::string recipe_names();

/// The type of each weight of a plan, by WeightId. Vectors stay F32; a row that is no whole number
/// of blocks of 256 gets the nearest type with blocks of 32, and F16 where even those do not fit.
std::vector<DType> recipe_types(const WeightRecipe& recipe, const Plan& plan);

}  // namespace premise
