// Hugging Face configurations leave out what equals the default of their class, so that every
// model_type brings its defaults here (configuration_*.py of transformers 5).
#include "planning/hf_config.h"

#include <algorithm>

#include "planning/json_field.h"

namespace premise {
namespace {

using Json = nlohmann::json;

struct Defaults {
  const char* model_type;
  const char* architecture;  // as GGUF files name it
  bool tied;
  std::uint64_t heads;       // 0: the field is required
  std::uint64_t kv_heads;    // 0: as many as heads
  std::uint64_t head_dim;    // 0: hidden / heads
  std::uint64_t vocabulary;  // 0: required
  std::uint64_t context;     // 0: required
  std::uint64_t window;      // where the field is missing
  bool window_is_optional;   // use_sliding_window has to say so
};

constexpr Defaults known[] = {
    {"llama", "llama", false, 32, 0, 0, 32000, 2048, 0, false},
    {"mistral", "llama", false, 32, 8, 0, 32000, 131072, 4096, false},
    {"qwen2", "qwen2", false, 32, 32, 0, 151936, 32768, 4096, true},
    {"qwen3", "qwen3", false, 32, 32, 128, 151936, 32768, 4096, true},
    {"gemma2", "gemma2", true, 8, 4, 256, 256000, 8192, 4096, false},
    {"gemma3_text", "gemma3", true, 8, 4, 256, 262208, 131072, 4096, false},
    {"gemma3", "gemma3", true, 8, 4, 256, 262208, 131072, 4096, false},
    {"phi3", "phi3", false, 32, 0, 0, 32064, 4096, 0, false},
};

Result<const Defaults*> defaults_of(const Json& config, const std::string& path) {
  const std::string type = string_or_empty(config, "model_type");
  std::string names;
  for (const Defaults& entry : known) {
    if (type == entry.model_type) return &entry;
    names += (names.empty() ? "" : ", ") + std::string(entry.model_type);
  }
  const Text hint = text({"known are {}", "支持的有 {}"}, names);
  if (type.empty())
    return error(ErrorCode::bad_input,
                 {"{}: field model_type is missing, so this is no model's config.json",
                  "{}：缺少字段 model_type，不是模型的 config.json"},
                 printable(path))
        .with_hint(hint);
  return error(ErrorCode::bad_input,
               {"{}: model_type \"{}\" is not one that Premise knows",
                "{}：Premise 不支持 model_type“{}”"},
               printable(path), printable(type))
      .with_hint(hint);
}

// A window of null means none, which differs from a field that is not there.
Result<std::uint64_t> window_of(const Json& config, const Defaults& defaults,
                                const std::string& path) {
  if (defaults.window_is_optional) {
    PREMISE_TRY(const bool used, flag(config, "use_sliding_window", path, false));
    if (!used) return std::uint64_t{0};
  }
  const bool there = config.contains("sliding_window");
  return whole_number(config, "sliding_window", path, there ? 0 : defaults.window);
}

// Gemma 3 says which layers have a window as a period, or as a list with a name for each layer.
Result<std::uint64_t> period_of(const Json& config, const std::string& path) {
  PREMISE_TRY(const std::uint64_t period,
              whole_number(config, "sliding_window_pattern", path, std::uint64_t{0}));
  if (period != 0) return period;
  const auto types = config.find("layer_types");
  if (types == config.end() || !types->is_array()) return std::uint64_t{0};
  const auto full = std::ranges::find(*types, Json("full_attention"));
  return full == types->end() ? std::uint64_t{0}
                              : static_cast<std::uint64_t>(full - types->begin()) + 1;
}

DType dtype_of(const Json& outer, const Json& config) {
  for (const Json* object : {&config, &outer})
    for (const char* field : {"dtype", "torch_dtype"}) {
      const std::string name = string_or_empty(*object, field);
      if (name == "float32") return DType::f32;
      if (name == "float16") return DType::f16;
      if (name == "bfloat16") return DType::bf16;
    }
  return DType::bf16;
}

}  // namespace

Result<HfModel> parse_hf_config(std::string_view text, const std::string& path) {
  PREMISE_TRY(const Json outer, parse_json(text, path));
  PREMISE_TRY(const Defaults* defaults, defaults_of(outer, path));
  const auto inner = outer.find("text_config");
  const Json& config = inner != outer.end() && inner->is_object() ? *inner : outer;
  const auto number = [&](const char* field, std::uint64_t fallback) {
    return whole_number(config, field, path,
                        fallback == 0 ? std::nullopt : std::optional(fallback));
  };
  HfModel model;
  ModelShape& s = model.shape;
  s.architecture = defaults->architecture;
  PREMISE_TRY(s.layers, number("num_hidden_layers", 0));
  PREMISE_TRY(s.hidden, number("hidden_size", 0));
  PREMISE_TRY(s.feed_forward, number("intermediate_size", 0));
  PREMISE_TRY(s.heads, number("num_attention_heads", defaults->heads));
  if (s.heads == 0)
    return error(ErrorCode::bad_input,
                 {"{}: field num_attention_heads is 0", "{}：字段 num_attention_heads 为 0"},
                 printable(path));
  PREMISE_TRY(s.kv_heads, number("num_key_value_heads",
                                 defaults->kv_heads == 0 ? s.heads : defaults->kv_heads));
  const std::uint64_t head_dim = defaults->head_dim == 0 ? s.hidden / s.heads : defaults->head_dim;
  PREMISE_TRY(s.head_dim, number("head_dim", head_dim));
  PREMISE_TRY(s.vocabulary, number("vocab_size", defaults->vocabulary));
  PREMISE_TRY(s.context_length, number("max_position_embeddings", defaults->context));
  PREMISE_TRY(s.window, window_of(config, *defaults, path));
  PREMISE_TRY(s.full_every, period_of(config, path));
  PREMISE_TRY(s.attention_bias, flag(config, "attention_bias", path, false));
  PREMISE_TRY(const bool tied_outside, flag(outer, "tie_word_embeddings", path, defaults->tied));
  PREMISE_TRY(s.tied, flag(config, "tie_word_embeddings", path, tied_outside));
  model.dtype = dtype_of(outer, config);
  return model;
}

}  // namespace premise
