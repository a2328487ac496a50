#include "synth/synthetic_model.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/printable.h"
#include "base/units.h"
#include "model/formats/gguf_writer.h"
#include "model/plan/architecture.h"
#include "planning/families.h"
#include "synth/made_vocabulary.h"
#include "synth/weight_pool.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view architecture_name = "qwen2";
constexpr std::string_view family = "qwen2.5";  // of the same shapes as Qwen2, size by size

constexpr float weight_deviation = 0.02f;
constexpr float norm_deviation = 0.05f;  // around 1
constexpr float bias_deviation = 0.1f;
constexpr float logit_deviation = 3.0f;
constexpr float epsilon = 1e-6f;
constexpr float rope_base = 1e6f;

constexpr std::size_t piece_bytes = std::size_t{4} << 20;

// Everything a model has, in a tenth of a second. Rows are two blocks of 256: with one, rows of a
// matrix would be equal, being drawn from few thousand blocks.
ModelShape tiny_shape() {
  return {.architecture = std::string(architecture_name),
          .layers = 2,
          .hidden = 512,
          .heads = 8,
          .kv_heads = 2,
          .head_dim = 64,
          .feed_forward = 1024,
          .vocabulary = 2048,
          .context_length = 32768,
          .tied = true};
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

// "0.5b" and its shape, in the order of the table of families.
std::vector<std::pair<std::string, ModelShape>> sizes() {
  std::vector<std::pair<std::string, ModelShape>> out{{"tiny", tiny_shape()}};
  for (const PublishedShape& published : published_shapes())
    if (published.family == family)
      out.emplace_back(lower(published.name.substr(published.name.rfind(' ') + 1)),
                       published.shape);
  return out;
}

Result<Plan> plan_of(const ModelShape& shape, const std::string& name) {
  PREMISE_TRY(const auto source, shape_source(shape, DType::bf16, name));
  return plan_model({*source, 0});
}

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

void set_keys(GgufWriter& writer, const SyntheticModel& model) {
  const ModelShape& shape = model.shape;
  const auto set = [&](std::string_view key, auto value) {
    writer.set(shape.architecture + "." + std::string(key), value);
  };
  const auto count = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  writer.set("general.architecture", shape.architecture);
  writer.set("general.name", model.name);
  writer.set("general.description",
             "Random weights in the shape of a published model, for measuring. Seed " +
                 std::to_string(model.seed) + ".");
  writer.set("general.quantization_version", std::uint32_t{2});
  if (const auto number = file_type(model.recipe->name)) writer.set("general.file_type", *number);
  set("block_count", count(shape.layers));
  set("context_length", count(shape.context_length));
  set("embedding_length", count(shape.hidden));
  set("feed_forward_length", count(shape.feed_forward));
  set("attention.head_count", count(shape.heads));
  set("attention.head_count_kv", count(shape.kv_heads));
  set("attention.layer_norm_rms_epsilon", epsilon);
  set("rope.freq_base", rope_base);
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

// The weights of a model in the order of its plan, a few megabytes at a time.
class WeightMaker {
 public:
  using Progress = std::function<Status(std::uint64_t done, std::uint64_t total)>;

  WeightMaker(const SyntheticModel& model, const Plan& plan, const Progress& progress)
      : model_(model),
        plan_(plan),
        types_(recipe_types(*model.recipe, plan)),
        progress_(progress),
        piece_(piece_bytes) {}

  void declare(GgufWriter& writer) {
    for (std::size_t i = 0; i < plan_.weights.size(); ++i) {
      const Weight& weight = plan_.weights[i];
      writer.add_tensor_in_pieces(weight.name, types_[i], weight.shape,
                                  [this, i] { return next(i); });
      total_ += bytes_of(i);
    }
  }

 private:
  std::uint64_t bytes_of(std::size_t index) const {
    const Shape& shape = plan_.weights[index].shape;
    return shape.rows() * row_bytes(types_[index], shape.columns()).value_or(0);
  }

  Result<std::span<const std::byte>> next(std::size_t index) {
    PREMISE_CHECK(progress_(done_, total_));
    if (index != index_) {
      index_ = index;
      left_ = bytes_of(index);
      // Of its own, so that a tensor's values do not depend on those before it.
      random_ = Random(Random(model_.seed).next() + index);
    }
    const std::size_t block = traits(types_[index]).block_bytes;
    const std::size_t size = std::min<std::uint64_t>(left_, piece_bytes / block * block);
    const std::span<std::byte> piece = std::span(piece_).first(size);
    if (plan_.weights[index].shape.rank < 2) {
      fill_vector(plan_.weights[index].name, piece);
    } else {
      PREMISE_TRY(const WeightPool* pool, pool_of(types_[index]));
      pool->draw(piece, random_);
    }
    left_ -= size;
    done_ += size;
    return std::span<const std::byte>(piece);
  }

  void fill_vector(std::string_view name, std::span<std::byte> out) {
    float center = 1.0f;
    float deviation = norm_deviation;
    if (name.ends_with(".bias")) {
      center = 0.0f;
      deviation = bias_deviation;
    } else if (name == "output_norm.weight") {
      // A logit is the sum of `hidden` products of what this norm puts out with weights.
      center =
          logit_deviation / (weight_deviation * std::sqrt(static_cast<float>(model_.shape.hidden)));
      deviation *= center;
    }
    for (std::size_t at = 0; at < out.size(); at += sizeof(float)) {
      const float value = center + deviation * random_.normal();
      std::memcpy(out.data() + at, &value, sizeof value);
    }
  }

  Result<const WeightPool*> pool_of(DType dtype) {
    auto found = pools_.find(dtype);
    if (found == pools_.end()) {
      Random random(Random(model_.seed).next() ^ static_cast<std::uint64_t>(dtype) << 32);
      PREMISE_TRY(WeightPool pool, WeightPool::create(dtype, weight_deviation, random));
      found = pools_.emplace(dtype, std::move(pool)).first;
    }
    return &found->second;
  }

  const SyntheticModel& model_;
  const Plan& plan_;
  std::vector<DType> types_;  // by WeightId
  const Progress& progress_;
  std::map<DType, WeightPool> pools_;
  std::vector<std::byte> piece_;
  Random random_{0};
  std::size_t index_ = SIZE_MAX;  // of the weight being made
  std::uint64_t left_ = 0;        // its bytes that are still to be made
  std::uint64_t done_ = 0, total_ = 0;
};

GgufWriter writer_of(const SyntheticModel& model, WeightMaker& weights) {
  GgufWriter writer;
  set_keys(writer, model);
  set_tokenizer(writer, model.shape.vocabulary);
  weights.declare(writer);
  return writer;
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

std::string synthetic_architectures() { return std::string(architecture_name); }

std::string synthetic_sizes() {
  std::string names;
  for (const auto& [name, shape] : sizes()) names += (names.empty() ? "" : ", ") + name;
  return names;
}

Result<SyntheticModel> plan_synthetic(std::string_view architecture, std::string_view size,
                                      std::string_view type, std::uint64_t seed) {
  if (lower(architecture) != architecture_name)
    return error(ErrorCode::usage,
                 {"--arch \"{}\": synthetic models of this architecture are not made",
                  "--arch “{}”：无法生成该架构的合成模型"},
                 printable(architecture))
        .with_hint(text({"known: {}", "支持：{}"}, synthetic_architectures()));
  SyntheticModel model;
  const std::string wanted = lower(size);
  for (const auto& [name, shape] : sizes())
    if (name == wanted) model.shape = shape;
  if (model.shape.layers == 0)
    return error(ErrorCode::usage, {"--size \"{}\" is not known", "--size “{}”：未知的规模"},
                 printable(size))
        .with_hint(text({"known sizes: {}", "支持的规模：{}"}, synthetic_sizes()));
  model.recipe = find_recipe(type);
  if (model.recipe == nullptr)
    return error(ErrorCode::usage, {"--type \"{}\" is not known", "--type “{}”：未知的类型"},
                 printable(type))
        .with_hint(text({"known types: {}", "支持的类型：{}"}, recipe_names()));
  model.name = fmt::format("Qwen2 {}, synthetic", wanted);
  model.seed = seed;
  model.parameters = parameter_count(model.shape);
  PREMISE_TRY(const Plan plan, plan_of(model.shape, model.name));
  const WeightMaker::Progress silent = [](std::uint64_t, std::uint64_t) { return Status(); };
  WeightMaker weights(model, plan, silent);
  model.bytes = writer_of(model, weights).file_bytes();
  return model;
}

Status write_synthetic(const SyntheticModel& model, const fs::path& path,
                       const std::function<Status(std::uint64_t, std::uint64_t)>& progress) {
  PREMISE_CHECK(check_room(path, model.bytes));
  PREMISE_TRY(const Plan plan, plan_of(model.shape, model.name));
  WeightMaker weights(model, plan, progress);
  return writer_of(model, weights).write(path);
}

}  // namespace premise
