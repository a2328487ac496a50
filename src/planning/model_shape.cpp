#include "planning/model_shape.h"

#include <algorithm>
#include <array>
#include <map>

namespace premise {
namespace {

// What an architecture's layers have beside the plain decoder's norms and matrices. The names are
// those of the GGUF specification; a plan refuses a source that has one too many or too few.
struct TensorRules {
  std::string_view architecture;
  bool qkv_bias = false;    // always, whatever the configuration says
  bool head_norms = false;  // attn_q_norm, attn_k_norm
  bool sandwich = false;    // post_attention_norm, post_ffw_norm
  bool fused = false;       // attn_qkv, and gate and up in one ffn_up
};

constexpr std::array tensor_rules = {
    TensorRules{.architecture = "gemma2", .sandwich = true},
    TensorRules{.architecture = "gemma3", .head_norms = true, .sandwich = true},
    TensorRules{.architecture = "llama"},
    TensorRules{.architecture = "phi3", .fused = true},
    TensorRules{.architecture = "qwen2", .qkv_bias = true},
    TensorRules{.architecture = "qwen3", .head_norms = true},
};

const TensorRules* find_rules(std::string_view architecture) {
  const auto found = std::ranges::find(tensor_rules, architecture, &TensorRules::architecture);
  return found == tensor_rules.end() ? nullptr : &*found;
}

class ShapeSource final : public TensorSource {
 public:
  ShapeSource(const ModelShape& shape, const TensorRules& rule, DType dtype, std::string path)
      : path_(std::move(path)), dtype_(dtype) {
    metadata_.set_path(path_);
    write_keys(shape);
    matrix("token_embd.weight", shape.vocabulary, shape.hidden);
    vector("output_norm.weight", shape.hidden);
    if (!shape.tied) matrix("output.weight", shape.vocabulary, shape.hidden);
    for (std::uint64_t layer = 0; layer < shape.layers; ++layer) write_layer(shape, rule, layer);
  }

  const Metadata& metadata() const override { return metadata_; }
  std::span<const TensorInfo> tensors() const override { return tensors_; }
  std::optional<std::size_t> find(std::string_view name) const override {
    const auto found = index_.find(name);
    return found == index_.end() ? std::nullopt : std::optional(found->second);
  }
  TensorView view(std::size_t index) const override {
    return {tensors_[index].dtype, tensors_[index].shape, {}};
  }
  void release(std::span<const std::byte>) const override {}
  std::string_view path() const override { return path_; }

 private:
  void write_keys(const ModelShape& s) {
    metadata_.set("general.architecture", s.architecture);
    const auto set = [&](const char* key, std::uint64_t value) {
      metadata_.set(s.architecture + "." + key, value);
    };
    set("block_count", s.layers);
    set("embedding_length", s.hidden);
    set("attention.head_count", s.heads);
    set("attention.head_count_kv", s.kv_heads);
    set("attention.key_length", s.head_dim);
    set("attention.value_length", s.head_dim);
    set("feed_forward_length", s.feed_forward);
    set("context_length", s.context_length);
    set("attention.sliding_window", s.window);
    if (s.full_every != 0) set("attention.sliding_window_pattern", s.full_every);
    metadata_.set(s.architecture + ".attention.layer_norm_rms_epsilon", 1e-5);
  }

  void write_layer(const ModelShape& s, const TensorRules& rule, std::uint64_t layer) {
    const std::string stem = "blk." + std::to_string(layer) + ".";
    const std::uint64_t q_width = s.heads * s.head_dim;
    const std::uint64_t kv_width = s.kv_heads * s.head_dim;
    vector(stem + "attn_norm.weight", s.hidden);
    vector(stem + "ffn_norm.weight", s.hidden);
    if (rule.fused) {
      matrix(stem + "attn_qkv.weight", q_width + 2 * kv_width, s.hidden);
      matrix(stem + "ffn_up.weight", 2 * s.feed_forward, s.hidden);
    } else {
      matrix(stem + "attn_q.weight", q_width, s.hidden);
      matrix(stem + "attn_k.weight", kv_width, s.hidden);
      matrix(stem + "attn_v.weight", kv_width, s.hidden);
      matrix(stem + "ffn_gate.weight", s.feed_forward, s.hidden);
      matrix(stem + "ffn_up.weight", s.feed_forward, s.hidden);
    }
    matrix(stem + "attn_output.weight", s.hidden, q_width);
    matrix(stem + "ffn_down.weight", s.hidden, s.feed_forward);
    if (rule.qkv_bias || s.attention_bias) {
      vector(stem + "attn_q.bias", q_width);
      vector(stem + "attn_k.bias", kv_width);
      vector(stem + "attn_v.bias", kv_width);
    }
    if (s.attention_bias) vector(stem + "attn_output.bias", s.hidden);
    if (rule.head_norms) {
      vector(stem + "attn_q_norm.weight", s.head_dim);
      vector(stem + "attn_k_norm.weight", s.head_dim);
    }
    if (rule.sandwich) {
      vector(stem + "post_attention_norm.weight", s.hidden);
      vector(stem + "post_ffw_norm.weight", s.hidden);
    }
  }

  void add(std::string name, DType dtype, Shape shape) {
    const std::uint64_t row = row_bytes(dtype, shape.columns()).value_or(0);
    index_.emplace(name, tensors_.size());
    tensors_.push_back({std::move(name), dtype, shape, shape.rows() * row});
  }
  void matrix(std::string name, std::uint64_t rows, std::uint64_t columns) {
    add(std::move(name), dtype_, Shape{{rows, columns, 1, 1}, 2});
  }
  void vector(std::string name, std::uint64_t width) {
    add(std::move(name), DType::f32, Shape{{width, 1, 1, 1}, 1});
  }

  std::string path_;
  DType dtype_;
  Metadata metadata_;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

// Far above any published model, and low enough that no product of two overflows and no list of
// tensors grows out of hand. Narrower limits are the architecture's to check.
Status check_sizes(const ModelShape& s, const std::string& path) {
  struct Bound {
    const char* name;
    std::uint64_t value;
    std::uint64_t most;
  };
  constexpr std::uint64_t one = 1;
  const Bound bounds[] = {
      {"layers", s.layers, 1024},
      {"hidden size", s.hidden, one << 24},
      {"attention heads", s.heads, one << 16},
      {"KV heads", s.kv_heads, s.heads},
      {"head dimensions", s.head_dim, one << 16},
      {"feed-forward size", s.feed_forward, one << 24},
      {"vocabulary", s.vocabulary, one << 28},
      {"context length", s.context_length, one << 30},
  };
  for (const auto& [name, value, most] : bounds)
    if (value == 0 || value > most)
      return error(ErrorCode::bad_input,
                   {"{}: {}: {} is out of range (1 to {})", "{}：{}：{} 超出范围（1 至 {}）"}, path,
                   name, value, most);
  return {};
}

}  // namespace

bool knows_tensors_of(std::string_view architecture) { return find_rules(architecture) != nullptr; }

std::string known_tensor_architectures() {
  std::string names;
  for (const TensorRules& rule : tensor_rules)
    names += (names.empty() ? "" : ", ") + std::string(rule.architecture);
  return names;
}

Result<std::unique_ptr<TensorSource>> shape_source(const ModelShape& shape, DType dtype,
                                                   std::string path) {
  const TensorRules* rule = find_rules(shape.architecture);
  if (rule == nullptr)
    return error(ErrorCode::bad_input,
                 {"{}: architecture \"{}\" cannot be sized", "{}：无法估算架构“{}”"}, path,
                 shape.architecture)
        .with_hint(
            text({"known architectures: {}", "支持的架构：{}"}, known_tensor_architectures()));
  PREMISE_CHECK(check_sizes(shape, path));
  return std::unique_ptr<TensorSource>(
      std::make_unique<ShapeSource>(shape, *rule, dtype, std::move(path)));
}

}  // namespace premise
