#include "planning/sized_model.h"

#include <algorithm>
#include <map>

#include "base/mapped_file.h"
#include "base/printable.h"
#include "model/formats/file_kind.h"
#include "model/formats/model_file.h"
#include "model/plan/architecture.h"
#include "planning/hf_config.h"
#include "planning/safetensors_header.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t config_bytes_max = 4'000'000;

// What most bytes of the weights are, with its share: "q5_0", or "q5_0 and others".
std::string type_of_most(const Plan& plan, const std::vector<DType>& types) {
  std::map<DType, std::uint64_t> elements;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (plan.weights[i].shape.rank < 2) continue;
    elements[types[i]] += plan.weights[i].shape.elements();
    total += plan.weights[i].shape.elements();
  }
  const auto most =
      std::ranges::max_element(elements, {}, [](const auto& entry) { return entry.second; });
  if (most == elements.end()) return "";
  // A file made by a recipe is known by it; the types alone say which.
  for (const WeightRecipe& recipe : all_recipes())
    if (recipe_types(recipe, plan) == types) return std::string(recipe.name);
  const bool pure = most->second == total;
  return std::string(traits(most->first).name) + (pure ? "" : "+");
}

Result<SizedModel> planned(std::string title, std::unique_ptr<TensorSource> source) {
  SizedModel model;
  model.title = std::move(title);
  model.source = std::move(source);
  PREMISE_TRY(model.plan, plan_model({*model.source, 0}));
  for (const Weight& weight : model.plan.weights) {
    model.types.push_back(model.source->tensors()[weight.source_index].dtype);
    model.parameters += weight.shape.elements();
  }
  return model;
}

Result<SizedModel> open_weights(const fs::path& path) {
  PREMISE_TRY(auto source, open_model_file(path));
  PREMISE_TRY(SizedModel model, planned(path.string(), std::move(source)));
  model.type_name = type_of_most(model.plan, model.types);
  model.as_stored = true;
  return model;
}

Result<SizedModel> open_config(const fs::path& path, const std::string& title) {
  PREMISE_TRY(const MappedFile file, MappedFile::open(path));
  if (file.bytes().size() > config_bytes_max)
    return error(ErrorCode::bad_input,
                 {"{}: {} bytes are too many for a config.json", "{}：{} 字节，不是 config.json"},
                 printable(path.string()), file.bytes().size());
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()),
                              file.bytes().size());
  PREMISE_TRY(const HfModel found, parse_hf_config(text, path.string()));
  PREMISE_TRY(auto source, shape_source(found.shape, found.dtype, path.string()));
  PREMISE_TRY(SizedModel model, planned(title, std::move(source)));
  model.type_name = traits(found.dtype).name;
  return model;
}

// The type that most bytes have; types that the engine does not compute with are converted.
DType dtype_of(const SafetensorsSummary& summary, std::string& converted_from) {
  const auto most = std::ranges::max_element(summary.bytes_of_type, {},
                                             [](const auto& entry) { return entry.second; });
  if (most == summary.bytes_of_type.end() || most->first == "BF16") return DType::bf16;
  if (most->first == "F16") return DType::f16;
  if (most->first == "F32") return DType::f32;
  converted_from = most->first;
  return DType::bf16;
}

Result<SizedModel> open_safetensors(const fs::path& path, bool is_folder) {
  const fs::path folder = is_folder ? path : path.parent_path();
  const fs::path config = folder / "config.json";
  std::error_code failure;
  if (!fs::exists(config, failure))
    return error(ErrorCode::bad_input,
                 {"{}: a config.json is needed beside the weights", "{}：权重旁缺少 config.json"},
                 printable(path.string()));
  auto summary = is_folder ? read_safetensors_folder(path) : read_safetensors(path);
  if (!summary) return std::move(summary).error();
  PREMISE_TRY(SizedModel model, open_config(config, path.string()));
  std::string converted_from;
  const DType dtype = dtype_of(*summary, converted_from);
  retype(model, *find_recipe(traits(dtype).name));
  model.as_stored = converted_from.empty();
  if (!converted_from.empty())
    model.notes.push_back(text(
        {"weights of type {} are counted as bf16", "{} 类型的权重按 bf16 计算"}, converted_from));
  if (summary->parameters != model.parameters)
    model.notes.push_back(
        text({"the files hold {} parameters, the text model by config.json has {}",
              "文件中有 {} 个参数，而按 config.json 文本模型有 {} 个"},
             summary->parameters, model.parameters));
  return model;
}

bool holds_safetensors(const fs::path& folder) {
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure))
    if (entry.path().extension() == ".safetensors") return true;
  return false;
}

}  // namespace

Result<SizedModel> open_sized_model(const fs::path& path) {
  std::error_code failure;
  if (fs::is_directory(path, failure)) {
    if (holds_safetensors(path)) return open_safetensors(path, true);
    if (fs::exists(path / "config.json", failure))
      return open_config(path / "config.json", path.string());
    return open_weights(path);
  }
  FileKind kind = FileKind::unknown;
  {
    PREMISE_TRY(const MappedFile file, MappedFile::open(path));
    const auto head = file.bytes().first(std::min<std::size_t>(file.bytes().size(), 512));
    kind = file_kind(head, file.bytes().size());
  }
  if (kind == FileKind::json) return open_config(path, path.string());
  if (kind == FileKind::safetensors) return open_safetensors(path, false);
  return open_weights(path);
}

Result<SizedModel> published_model(const ShapeChoice& choice, double parameters,
                                   const WeightRecipe& recipe) {
  const std::string name(choice.nearest->name);
  PREMISE_TRY(auto source, shape_source(choice.shape, DType::bf16, name));
  PREMISE_TRY(SizedModel model, planned(name, std::move(source)));
  retype(model, recipe);
  if (choice.scaled) {
    model.title = fmt::format("{:g}b", parameters / 1e9);
    model.notes.push_back(text({"no model of {:g}b is known; sized as {} with {} layers, not {}",
                                "没有已知的 {:g}b 模型；按 {} 的形状、{} 层（原为 {} 层）估算"},
                               parameters / 1e9, name, choice.shape.layers,
                               choice.nearest->shape.layers));
    return model;
  }
  std::string others;
  for (const std::string_view other : choice.equals)
    others += (others.empty() ? "" : ", ") + std::string(other);
  model.notes.push_back(text({"{:g}b: nearest is the shape of {}", "{:g}b：最接近 {} 的形状"},
                             parameters / 1e9, name));
  if (!others.empty())
    model.notes.push_back(text({"others of this size, chosen with --family: {}",
                                "同规模的其他模型（用 --family 选择）：{}"},
                               others));
  return model;
}

void retype(SizedModel& model, const WeightRecipe& recipe) {
  model.types = recipe_types(recipe, model.plan);
  model.type_name = recipe.name;
  model.as_stored = false;
}

}  // namespace premise
