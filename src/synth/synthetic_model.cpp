#include "synth/synthetic_model.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <utility>

#include "base/printable.h"
#include "base/units.h"
#include "model/formats/gguf_writer.h"
#include "model/plan/architecture.h"
#include "planning/families.h"
#include "synth/made_vocabulary.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

// general.file_type, which readers show and nobody computes with: llama_ftype of llama.cpp.
std::optional<std::uint32_t> file_type(std::string_view recipe) {
  constexpr std::pair<std::string_view, std::uint32_t> numbers[] = {
      {"f32", 0},     {"f16", 1},     {"q4_0", 2},    {"q4_1", 3},    {"q8_0", 7},
      {"q5_0", 8},    {"q5_1", 9},    {"q2_k", 10},   {"q3_k_s", 11}, {"q3_k_m", 12},
      {"q3_k_l", 13}, {"q4_k_s", 14}, {"q4_k_m", 15}, {"q5_k_s", 16}, {"q5_k_m", 17},
      {"q6_k", 18},   {"iq4_nl", 25}, {"iq4_xs", 30}, {"bf16", 32}};
  const auto* found =
      std::ranges::find(numbers, recipe, &std::pair<std::string_view, std::uint32_t>::first);
  return found == std::end(numbers) ? std::nullopt : std::optional(found->second);
}

constexpr std::string_view chat_template =
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

void set_general(GgufWriter& writer, const SyntheticModel& model) {
  std::string label = model.shape.size;  // "0.5B"
  label.back() = static_cast<char>(std::toupper(static_cast<unsigned char>(label.back())));
  writer.set("general.architecture", model.shape.shape.architecture);
  writer.set("general.type", std::string("model"));
  writer.set("general.name", model.shape.name + ", random weights");
  writer.set("general.description",
             "Random weights in the shape of a published model, for measuring. Seed " +
                 std::to_string(model.seed) + ".");
  if (model.shape.size != tiny_size) writer.set("general.size_label", label);
  writer.set("general.quantization_version", std::uint32_t{2});
  if (const auto number = file_type(model.recipe->name)) writer.set("general.file_type", *number);
}

void set_sizes(GgufWriter& writer, const SyntheticShape& made) {
  const ModelShape& shape = made.shape;
  const auto set = [&](std::string_view key, auto value) {
    writer.set(shape.architecture + "." + std::string(key), value);
  };
  const auto count = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  set("block_count", count(shape.layers));
  set("context_length", count(shape.context_length));
  set("embedding_length", count(shape.hidden));
  set("feed_forward_length", count(shape.feed_forward));
  set("attention.head_count", count(shape.heads));
  set("attention.head_count_kv", count(shape.kv_heads));
  set("attention.key_length", count(shape.head_dim));
  set("attention.value_length", count(shape.head_dim));
  set("attention.layer_norm_rms_epsilon", made.epsilon);
  set("rope.dimension_count", count(shape.head_dim));
  set("rope.freq_base", made.rope_base);
  if (shape.window != 0) set("attention.sliding_window", count(shape.window));
}

void set_tokenizer(GgufWriter& writer, std::size_t size) {
  MadeVocabulary made = make_vocabulary(size);
  writer.set("tokenizer.ggml.model", std::string("gpt2"));
  writer.set("tokenizer.ggml.pre", std::string("qwen2"));
  writer.set("tokenizer.ggml.tokens", std::move(made.tokens));
  writer.set("tokenizer.ggml.token_type", std::move(made.kinds));
  writer.set("tokenizer.ggml.merges", std::move(made.merges));
  writer.set("tokenizer.ggml.bos_token_id", made.end_of_text);
  writer.set("tokenizer.ggml.eos_token_id", made.end_of_text);
  writer.set("tokenizer.ggml.eot_token_id", made.end_of_turn);
  writer.set("tokenizer.ggml.padding_token_id", made.end_of_text);
  writer.set("tokenizer.ggml.add_bos_token", false);
  writer.set("tokenizer.chat_template", std::string(chat_template));
}

// `weights` lives until the writer has written.
GgufWriter writer_of(const SyntheticModel& model, WeightMaker& weights) {
  GgufWriter writer;
  set_general(writer, model);
  set_sizes(writer, model.shape);
  set_tokenizer(writer, model.shape.shape.vocabulary);
  weights.declare(writer);
  return writer;
}

Result<Plan> plan_of(const SyntheticShape& shape) {
  PREMISE_TRY(const auto source, shape_source(shape.shape, DType::bf16, shape.name));
  return plan_model({*source, 0});
}

Status check_room(const fs::path& path, std::uint64_t bytes) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code code;
  const fs::space_info space = fs::space(folder, code);
  // Without an answer the write itself will tell.
  if (code || space.available >= bytes) return {};
  return error(ErrorCode::no_resources,
               {"{}: {} are needed and {} are free on this disk", "{}：需要 {}，该磁盘仅剩 {}"},
               printable(path.string()), format_bytes(bytes), format_bytes(space.available))
      .with_hint(text(
          {"make room, or write to another disk with -o", "请清理磁盘空间，或用 -o 写到其他磁盘"}));
}

}  // namespace

Result<SyntheticModel> plan_synthetic(std::string_view architecture, std::string_view size,
                                      std::string_view type, std::uint64_t seed) {
  SyntheticModel model;
  PREMISE_TRY(model.shape, find_synthetic_shape(architecture, size));
  model.recipe = find_recipe(type);
  if (model.recipe == nullptr)
    return error(ErrorCode::usage, {"--type \"{}\" is not known", "--type “{}”：未知的类型"},
                 printable(type))
        .with_hint(text({"known types: {}", "支持的类型：{}"}, recipe_names()));
  model.seed = seed;
  model.parameters = parameter_count(model.shape.shape);
  PREMISE_TRY(const Plan plan, plan_of(model.shape));
  const WeightMaker::Progress silent = [](std::uint64_t, std::uint64_t) { return Status(); };
  WeightMaker weights(plan, *model.recipe, seed, silent);
  model.bytes = writer_of(model, weights).file_bytes();
  return model;
}

Status write_synthetic(const SyntheticModel& model, const fs::path& path,
                       const WeightMaker::Progress& progress) {
  PREMISE_CHECK(check_room(path, model.bytes));
  PREMISE_TRY(const Plan plan, plan_of(model.shape));
  WeightMaker weights(plan, *model.recipe, model.seed, progress);
  return writer_of(model, weights).write(path);
}

}  // namespace premise
