#include "planning/families.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/nearest.h"
#include "base/printable.h"

namespace premise {
namespace {

// Sizes as in the config.json that each model was published with; tests compare their parameters
// with what transformers counts (tests/golden/planning).
struct Row {
  std::string_view family, name;
  double billions;
  const char* architecture;
  std::uint64_t layers, hidden, heads, kv_heads, head_dim, feed_forward, vocabulary, context;
  bool tied;
  std::uint64_t window = 0;
};

constexpr Row family_rows[] = {
    // clang-format off
    {"qwen2.5", "Qwen2.5 0.5B", 0.5, "qwen2", 24, 896, 14, 2, 64, 4864, 151936, 32768, true},
    {"qwen2.5", "Qwen2.5 1.5B", 1.5, "qwen2", 28, 1536, 12, 2, 128, 8960, 151936, 131072, true},
    {"qwen2.5", "Qwen2.5 3B", 3, "qwen2", 36, 2048, 16, 2, 128, 11008, 151936, 32768, true},
    {"qwen2.5", "Qwen2.5 7B", 7, "qwen2", 28, 3584, 28, 4, 128, 18944, 152064, 131072, false},
    {"qwen2.5", "Qwen2.5 14B", 14, "qwen2", 48, 5120, 40, 8, 128, 13824, 152064, 131072, false},
    {"qwen2.5", "Qwen2.5 32B", 32, "qwen2", 64, 5120, 40, 8, 128, 27648, 152064, 131072, false},
    {"qwen2.5", "Qwen2.5 72B", 72, "qwen2", 80, 8192, 64, 8, 128, 29568, 152064, 131072, false},
    {"llama", "Llama 3.2 1B", 1, "llama", 16, 2048, 32, 8, 64, 8192, 128256, 131072, true},
    {"llama", "Llama 3.2 3B", 3, "llama", 28, 3072, 24, 8, 128, 8192, 128256, 131072, true},
    {"llama", "Llama 2 7B", 7, "llama", 32, 4096, 32, 32, 128, 11008, 32000, 4096, false},
    {"llama", "Llama 3.1 8B", 8, "llama", 32, 4096, 32, 8, 128, 14336, 128256, 131072, false},
    {"llama", "Llama 2 13B", 13, "llama", 40, 5120, 40, 40, 128, 13824, 32000, 4096, false},
    {"llama", "Llama 3.1 70B", 70, "llama", 80, 8192, 64, 8, 128, 28672, 128256, 131072, false},
    {"llama", "Llama 3.1 405B", 405, "llama", 126, 16384, 128, 8, 128, 53248, 128256, 131072, false},
    {"qwen3", "Qwen3 0.6B", 0.6, "qwen3", 28, 1024, 16, 8, 128, 3072, 151936, 40960, true},
    {"qwen3", "Qwen3 1.7B", 1.7, "qwen3", 28, 2048, 16, 8, 128, 6144, 151936, 40960, true},
    {"qwen3", "Qwen3 4B", 4, "qwen3", 36, 2560, 32, 8, 128, 9728, 151936, 40960, true},
    {"qwen3", "Qwen3 8B", 8, "qwen3", 36, 4096, 32, 8, 128, 12288, 151936, 40960, false},
    {"qwen3", "Qwen3 14B", 14, "qwen3", 40, 5120, 40, 8, 128, 17408, 151936, 40960, false},
    {"qwen3", "Qwen3 32B", 32, "qwen3", 64, 5120, 64, 8, 128, 25600, 151936, 40960, false},
    {"gemma3", "Gemma 3 270M", 0.27, "gemma3", 18, 640, 4, 1, 256, 2048, 262144, 32768, true, 512},
    {"gemma3", "Gemma 3 1B", 1, "gemma3", 26, 1152, 4, 1, 256, 6912, 262144, 32768, true, 512},
    {"gemma3", "Gemma 3 4B", 4, "gemma3", 34, 2560, 8, 4, 256, 10240, 262208, 131072, true, 1024},
    {"gemma3", "Gemma 3 12B", 12, "gemma3", 48, 3840, 16, 8, 256, 15360, 262208, 131072, true, 1024},
    {"gemma3", "Gemma 3 27B", 27, "gemma3", 62, 5376, 32, 16, 128, 21504, 262208, 131072, true, 1024},
    {"mistral", "Mistral 7B v0.3", 7, "llama", 32, 4096, 32, 8, 128, 14336, 32768, 32768, false},
    {"mistral", "Mistral Nemo 12B", 12, "llama", 40, 5120, 32, 8, 128, 14336, 131072, 131072, false},
    {"mistral", "Mistral Small 24B", 24, "llama", 40, 5120, 32, 8, 128, 32768, 131072, 32768, false},
    {"mistral", "Mistral Large 123B", 123, "llama", 88, 12288, 96, 8, 128, 28672, 32768, 131072, false},
    {"yi", "Yi 1.5 6B", 6, "llama", 32, 4096, 32, 4, 128, 11008, 64000, 4096, false},
    {"yi", "Yi 1.5 9B", 9, "llama", 48, 4096, 32, 4, 128, 11008, 64000, 4096, false},
    {"yi", "Yi 1.5 34B", 34, "llama", 60, 7168, 56, 8, 128, 20480, 64000, 4096, false},
    {"phi", "Phi-3 mini 3.8B", 3.8, "phi3", 32, 3072, 32, 32, 96, 8192, 32064, 4096, false, 2047},
    {"phi", "Phi-3 medium 14B", 14, "phi3", 40, 5120, 40, 10, 128, 17920, 32064, 4096, false, 2047},
    {"phi", "Phi-4 14B", 14, "phi3", 40, 5120, 40, 10, 128, 17920, 100352, 16384, false},
    // clang-format on
};

std::vector<PublishedShape> make_shapes() {
  std::vector<PublishedShape> shapes;
  for (const Row& r : family_rows)
    shapes.push_back({r.family, r.name, r.billions,
                      ModelShape{.architecture = r.architecture,
                                 .layers = r.layers,
                                 .hidden = r.hidden,
                                 .heads = r.heads,
                                 .kv_heads = r.kv_heads,
                                 .head_dim = r.head_dim,
                                 .feed_forward = r.feed_forward,
                                 .vocabulary = r.vocabulary,
                                 .context_length = r.context,
                                 .tied = r.tied,
                                 .window = r.window}});
  return shapes;
}

std::vector<std::string> families() {
  std::vector<std::string> names;
  for (const PublishedShape& shape : published_shapes())
    if (std::ranges::find(names, shape.family) == names.end()) names.emplace_back(shape.family);
  return names;
}

// How many times larger one is than the other.
double ratio(double a, double b) { return a > b ? a / b : b / a; }

Result<std::string> known_family(std::string_view typed) {
  std::string lower(typed);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::vector<std::string> names = families();
  if (lower.empty() || std::ranges::find(names, lower) != names.end()) return lower;
  Error unknown =
      error(ErrorCode::usage, {"unknown family \"{}\"", "未知模型系列“{}”"}, printable(typed));
  if (const auto near = nearest(lower, names))
    return std::move(unknown).with_hint(text(
        {"did you mean {}? Known: {}", "您是指 {} 吗？支持的系列：{}"}, *near, family_names()));
  return std::move(unknown).with_hint(
      text({"known families: {}", "支持的系列：{}"}, family_names()));
}

}  // namespace

std::span<const PublishedShape> published_shapes() {
  static const std::vector<PublishedShape> shapes = make_shapes();
  return shapes;
}

std::string family_names() {
  std::string out;
  for (const std::string& name : families()) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::uint64_t parameter_count(const ModelShape& shape) {
  const auto source = shape_source(shape, DType::f32, "");
  if (!source) return 0;
  std::uint64_t count = 0;
  for (const TensorInfo& tensor : (*source)->tensors()) count += tensor.shape.elements();
  return count;
}

Result<double> parse_parameters(std::string_view typed) {
  double number = 0.0;
  const char* end = typed.data() + typed.size();
  const auto [rest, failure] = std::from_chars(typed.data(), end, number, std::chars_format::fixed);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  const double scale = unit == "b" || unit == "B" ? 1e9 : unit == "m" || unit == "M" ? 1e6 : 0.0;
  const double parameters = number * scale;
  if (failure == std::errc{} && parameters >= 1e8 && parameters <= 1e12) return parameters;
  return error(ErrorCode::usage,
               {"--params \"{}\": not a number of parameters from 100m to 1000b",
                "--params “{}”：参数量应在 100m 到 1000b 之间"},
               printable(typed))
      .with_hint(text({"for example --params 0.5b, 7b or 405b", "例如 --params 0.5b、7b 或 405b"}));
}

Result<ShapeChoice> choose_shape(double parameters, std::string_view family) {
  PREMISE_TRY(const std::string wanted, known_family(family));
  const double billions = parameters / 1e9;
  ShapeChoice choice{};
  for (const PublishedShape& shape : published_shapes()) {
    if (!wanted.empty() && shape.family != wanted) continue;
    if (choice.nearest == nullptr ||
        ratio(shape.billions, billions) < ratio(choice.nearest->billions, billions))
      choice.nearest = &shape;
  }
  choice.shape = choice.nearest->shape;
  for (const PublishedShape& shape : published_shapes())
    if (&shape != choice.nearest && shape.billions == choice.nearest->billions &&
        (wanted.empty() || shape.family == wanted))
      choice.equals.push_back(shape.name);
  constexpr double near_enough = 1.125;
  if (ratio(choice.nearest->billions, billions) <= near_enough) return choice;

  ModelShape one_more = choice.shape;
  ++one_more.layers;
  const auto whole = static_cast<double>(parameter_count(choice.shape));
  const double layer = static_cast<double>(parameter_count(one_more)) - whole;
  const double rest = whole - layer * static_cast<double>(choice.shape.layers);
  const double layers = std::round((parameters - rest) / layer);
  choice.shape.layers = static_cast<std::uint64_t>(std::clamp(layers, 1.0, 1000.0));
  choice.scaled = true;
  return choice;
}

}  // namespace premise
