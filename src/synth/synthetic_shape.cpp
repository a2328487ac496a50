#include "synth/synthetic_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/printable.h"
#include "planning/families.h"

namespace premise {
namespace {

// Published models of one line, which have these in common beside their architecture. Qwen2.5 has
// the shapes of Qwen2, size by size.
struct Line {
  std::string_view architecture;
  std::string_view family;       // of planning/families.h
  std::string_view name_prefix;  // Llama 2 and 3 are one family
  float epsilon;
  float rope_base;
};

constexpr std::array lines = {
    Line{"qwen2", "qwen2.5", "Qwen2.5 ", 1e-6f, 1e6f},
    Line{"qwen3", "qwen3", "Qwen3 ", 1e-6f, 1e6f},
    Line{"llama", "llama", "Llama 3", 1e-5f, 5e5f},
    Line{"llama", "llama", "Llama 2", 1e-5f, 1e4f},
    Line{"gemma3", "gemma3", "Gemma 3 ", 1e-6f, 1e6f},
};

// Everything a model of its architecture has, in a tenth of a second. Rows are two blocks of 256:
// with one, rows of a matrix would be equal, being drawn from a few thousand blocks.
ModelShape tiny_shape(std::string_view architecture) {
  ModelShape shape{.architecture = std::string(architecture),
                   .layers = 2,
                   .hidden = 512,
                   .heads = 8,
                   .kv_heads = 2,
                   .head_dim = 64,
                   .feed_forward = 1024,
                   .vocabulary = 2048,
                   .context_length = 32768,
                   .tied = true};
  if (architecture == "gemma3") {  // each sixth layer sees everything
    shape.layers = 6;
    shape.window = 512;
  }
  return shape;
}

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// "0.5b" of "Qwen2.5 0.5B".
std::string size_of(std::string_view name) { return ascii_lower(name.substr(name.rfind(' ') + 1)); }

std::vector<std::string_view> architectures() {
  std::vector<std::string_view> names;
  for (const Line& line : lines)
    if (names.empty() || names.back() != line.architecture) names.push_back(line.architecture);
  return names;
}

// In the order of the table of families, tiny first; nothing where the architecture is not known.
std::vector<SyntheticShape> shapes_of(std::string_view architecture) {
  std::vector<SyntheticShape> shapes;
  for (const PublishedShape& published : published_shapes()) {
    const auto line = std::ranges::find_if(lines, [&](const Line& l) {
      return l.architecture == architecture && l.family == published.family &&
             published.name.starts_with(l.name_prefix);
    });
    if (line == lines.end()) continue;
    if (shapes.empty())
      shapes.push_back({std::string(tiny_size), fmt::format("Tiny {}", architecture),
                        tiny_shape(architecture), line->epsilon, line->rope_base});
    shapes.push_back({size_of(published.name), std::string(published.name), published.shape,
                      line->epsilon, line->rope_base});
  }
  return shapes;
}

}  // namespace

std::string synthetic_architectures() {
  return fmt::format("{}", fmt::join(architectures(), ", "));
}

std::string synthetic_sizes(std::string_view architecture) {
  std::string names;
  for (const SyntheticShape& shape : shapes_of(architecture))
    names += (names.empty() ? "" : ", ") + shape.size;
  return names;
}

std::string synthetic_sizes() {
  std::string all;
  for (const std::string_view architecture : architectures())
    all += fmt::format("{}{}: {}", all.empty() ? "" : "\n", architecture,
                       synthetic_sizes(architecture));
  return all;
}

Result<SyntheticShape> find_synthetic_shape(std::string_view architecture, std::string_view size) {
  const std::string known = ascii_lower(architecture);
  const std::vector<SyntheticShape> shapes = shapes_of(known);
  if (shapes.empty())
    return error(ErrorCode::usage,
                 {"--arch \"{}\": synthetic models of this architecture are not made",
                  "--arch “{}”：无法生成该架构的合成模型"},
                 printable(architecture))
        .with_hint(text({"known: {}", "支持：{}"}, synthetic_architectures()));
  const auto found = std::ranges::find(shapes, ascii_lower(size), &SyntheticShape::size);
  if (found == shapes.end())
    return error(ErrorCode::usage,
                 {"--size \"{}\": {} has no such size", "--size “{}”：{} 没有这种规模"},
                 printable(size), known)
        .with_hint(text({"known sizes: {}", "支持的规模：{}"}, synthetic_sizes(known)));
  return *found;
}

}  // namespace premise
