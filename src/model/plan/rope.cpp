#include "model/plan/rope.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace premise {
namespace {

// The dimension (counted in pairs) that turns `rotations` times over the original context.
double dimension_of_rotations(double rotations, double dims, double base, double context) {
  return dims * std::log(context / (rotations * 2.0 * std::numbers::pi)) / (2.0 * std::log(base));
}

Error bad_key(const TensorSource& source, std::string_view key, double value) {
  return error(ErrorCode::bad_input, {"{}: {} = {} is out of range", "{}：{} = {} 超出范围"},
               source.path(), key, value);
}

Result<YarnScaling> read_yarn(const TensorSource& source, const std::string& keys, double factor) {
  const Metadata& meta = source.metadata();
  YarnScaling yarn;
  yarn.factor = factor;
  PREMISE_TRY(yarn.original_context, meta.number(keys + "original_context_length"));
  PREMISE_TRY(yarn.beta_fast, meta.number_or(keys + "yarn_beta_fast", yarn.beta_fast));
  PREMISE_TRY(yarn.beta_slow, meta.number_or(keys + "yarn_beta_slow", yarn.beta_slow));
  PREMISE_TRY(yarn.attention_factor, meta.number_or(keys + "attn_factor", 1.0));
  if (!(yarn.original_context >= 1.0))
    return bad_key(source, keys + "original_context_length", yarn.original_context);
  if (!(yarn.beta_slow > 0.0) || !(yarn.beta_fast > yarn.beta_slow))
    return bad_key(source, keys + "yarn_beta_fast", yarn.beta_fast);
  return yarn;
}

}  // namespace

RopeTable plain_rope(std::uint64_t rotary_dim, double base, RopeTable::Pairing pairing) {
  RopeTable table;
  table.pairing = pairing;
  table.frequencies.resize(rotary_dim / 2);
  for (std::size_t i = 0; i < table.frequencies.size(); ++i) {
    const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(rotary_dim);
    table.frequencies[i] = static_cast<float>(std::pow(base, exponent));
  }
  return table;
}

void interpolate_linear(RopeTable& table, double factor) {
  for (float& f : table.frequencies) f = static_cast<float>(f / factor);
}

void interpolate_yarn(RopeTable& table, double base, const YarnScaling& scaling) {
  const double dims = 2.0 * static_cast<double>(table.frequencies.size());
  const double context = scaling.original_context;
  const double low =
      std::max(0.0, std::floor(dimension_of_rotations(scaling.beta_fast, dims, base, context)));
  const double high = std::min(
      dims - 1.0, std::ceil(dimension_of_rotations(scaling.beta_slow, dims, base, context)));
  for (std::size_t i = 0; i < table.frequencies.size(); ++i) {
    const double place = (static_cast<double>(i) - low) / std::max(0.001, high - low);
    const double kept = 1.0 - std::clamp(place, 0.0, 1.0);
    const double frequency = table.frequencies[i];
    table.frequencies[i] =
        static_cast<float>(frequency / scaling.factor * (1.0 - kept) + frequency * kept);
  }
  table.magnitude =
      static_cast<float>(scaling.attention_factor * (1.0 + 0.1 * std::log(scaling.factor)));
}

Status divide_frequencies(RopeTable& table, std::span<const float> factors,
                          std::string_view tensor) {
  if (factors.size() != table.frequencies.size())
    return error(ErrorCode::bad_input,
                 {"tensor {}: {} frequency factors, the rotary embedding has {} frequencies",
                  "张量 {}：有 {} 个频率因子，而旋转编码有 {} 个频率"},
                 tensor, factors.size(), table.frequencies.size());
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (!(factors[i] > 0.0f) || !std::isfinite(factors[i]))
      return error(ErrorCode::bad_input,
                   {"tensor {}: factor {} is {}, not a positive number",
                    "张量 {}：第 {} 个因子为 {}，不是正数"},
                   tensor, i, factors[i]);
    table.frequencies[i] /= factors[i];
  }
  return {};
}

Result<RopeTable> read_rope(const TensorSource& source, std::string_view prefix,
                            std::uint64_t rotary_dim, RopeTable::Pairing pairing) {
  const Metadata& meta = source.metadata();
  const std::string keys = std::string(prefix) + ".rope.";
  PREMISE_TRY(const std::uint64_t dims, meta.u64_or(keys + "dimension_count", rotary_dim));
  PREMISE_TRY(const double base, meta.number_or(keys + "freq_base", 10000.0));
  if (dims == 0 || dims % 2 != 0 || dims > rotary_dim)
    return bad_key(source, keys + "dimension_count", static_cast<double>(dims));
  if (!(base > 1.0)) return bad_key(source, keys + "freq_base", base);

  RopeTable table = plain_rope(dims, base, pairing);
  PREMISE_TRY(const std::string type, meta.string_or(keys + "scaling.type", "none"));
  // Older files name no type and give the factor alone, which means linear.
  PREMISE_TRY(const double old_factor, meta.number_or(keys + "scale_linear", 1.0));
  PREMISE_TRY(const double factor, meta.number_or(keys + "scaling.factor", old_factor));
  if (!(factor >= 1.0) || factor > 1e6) return bad_key(source, keys + "scaling.factor", factor);
  if (type == "yarn") {
    PREMISE_TRY(const YarnScaling yarn, read_yarn(source, keys + "scaling.", factor));
    interpolate_yarn(table, base, yarn);
  } else if (type == "linear" || (type == "none" && !meta.has(keys + "scaling.type"))) {
    interpolate_linear(table, factor);
  } else if (type != "none" && type != "longrope" && type != "su") {
    return error(ErrorCode::bad_input,
                 {"{}: {}scaling.type is \"{}\"; known are none, linear, yarn and longrope",
                  "{}：{}scaling.type 为“{}”；支持的类型有 none、linear、yarn 和 longrope"},
                 source.path(), keys, type);
  }
  return table;
}

Result<std::vector<float>> read_f32_vector(const TensorSource& source, std::string_view name) {
  const auto index = source.find(name);
  if (!index)
    return error(ErrorCode::bad_input, {"{}: tensor {} is missing", "{}：缺少张量 {}"},
                 source.path(), name);
  const TensorView view = source.view(*index);
  if (view.dtype != DType::f32 || view.shape.rank != 1)
    return error(ErrorCode::bad_input,
                 {"{}: tensor {} is not a vector of F32", "{}：张量 {} 不是 F32 向量"},
                 source.path(), name);
  std::vector<float> values(view.shape.columns());
  std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
  return values;
}

}  // namespace premise
