#include "numerics/quant/encode.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>

#include "numerics/quant/block_search.h"
#include "numerics/quant/grouped_block.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

// Zero where the scale is zero or so small that its reciprocal overflows: f16 holds neither.
float reciprocal(float scale) {
  const float inverse = 1.0f / scale;
  return std::isfinite(inverse) ? inverse : 0.0f;
}

std::uint8_t clamped(float code, int top) {
  return static_cast<std::uint8_t>(std::clamp(code, 0.0f, static_cast<float>(top)));
}

// The five old formats. Every operation is in f32 and in the order of ggml's reference, so that
// the bytes are the same; codes come from the scale before it is rounded to f16, as there.

// Q4_0, Q5_0: the largest element gets code 0, which lies furthest from the code of zero.
void round_around_offset(const GroupedTraits& t, std::span<const float> values, GroupedBlock& out) {
  const float peak = *std::ranges::max_element(values, {}, [](float v) { return std::abs(v); });
  const float d = peak / -static_cast<float>(t.offset);
  const float inverse = reciprocal(d);
  out.d = f32_to_f16(d);
  const float half_up = static_cast<float>(t.offset) + 0.5f;
  for (std::size_t k = 0; k < values.size(); ++k)
    out.code[k] = clamped(values[k] * inverse + half_up, (1 << t.code_bits) - 1);
}

// Q4_1, Q5_1: codes span the range from the least to the greatest element.
void round_from_min(const GroupedTraits& t, std::span<const float> values, GroupedBlock& out) {
  const auto [low, high] = std::ranges::minmax(values);
  const int top = (1 << t.code_bits) - 1;
  const float d = (high - low) / static_cast<float>(top);
  const float inverse = reciprocal(d);
  out.d = f32_to_f16(d);
  out.dmin = f32_to_f16(-low);
  if (!is_finite_f16(out.d)) return;  // the range itself may be infinite; the caller refuses it
  for (std::size_t k = 0; k < values.size(); ++k)
    out.code[k] = clamped((values[k] - low) * inverse + 0.5f, top);
}

// Q8_0: symmetric, −127 to 127; halves round away from zero.
void round_symmetric(std::span<const float> values, GroupedBlock& out) {
  float peak = 0;
  for (const float v : values) peak = std::max(peak, std::abs(v));
  const float d = peak / 127.0f;
  const float inverse = reciprocal(d);
  out.d = f32_to_f16(d);
  for (std::size_t k = 0; k < values.size(); ++k)
    out.code[k] = clamped(std::round(values[k] * inverse) + 128.0f, 255);
}

void encode_block(const GroupedTraits& t, std::span<const float> values, GroupedBlock& out) {
  out.dmin = 0;
  switch (t.dtype) {
    case DType::q4_0:
    case DType::q5_0:
      return round_around_offset(t, values, out);
    case DType::q4_1:
    case DType::q5_1:
      return round_from_min(t, values, out);
    case DType::q8_0:
      return round_symmetric(values, out);
    default:
      return search_block(t.dtype, values.data(), out);
  }
}

Error too_large(const DTypeTraits& t, std::span<const float> row, std::size_t index) {
  return error(ErrorCode::bad_input,
               {"element {} of the row is {}: too large for type {}",
                "该行第 {} 个元素为 {}，超出 {} 类型的表示范围"},
               index, row[index], t.name);
}

Status encode_grouped(const GroupedFormat& format, std::span<const float> row, std::byte* out) {
  const DTypeTraits& t = traits(format.traits.dtype);
  GroupedBlock block{};
  for (std::size_t at = 0; at < row.size(); at += t.block_elements, out += t.block_bytes) {
    const auto values = row.subspan(at, t.block_elements);
    encode_block(format.traits, values, block);
    if (!is_finite_f16(block.d) || !is_finite_f16(block.dmin)) {
      const auto peak = std::ranges::max_element(values, {}, [](float v) { return std::abs(v); });
      return too_large(t, row, at + static_cast<std::size_t>(peak - values.begin()));
    }
    format.pack(block, out);
  }
  return {};
}

template <std::uint16_t (*convert)(float), std::uint16_t infinity>
Status encode_16_bit(DType dtype, std::span<const float> row, std::byte* out) {
  for (std::size_t k = 0; k < row.size(); ++k) {
    const std::uint16_t bits = convert(row[k]);
    if ((bits & 0x7fffu) == infinity) return too_large(traits(dtype), row, k);
    std::memcpy(out + k * sizeof bits, &bits, sizeof bits);
  }
  return {};
}

Status check(const DTypeTraits& t, std::span<const float> row, std::span<std::byte> out) {
  if (!t.computes)
    return error(ErrorCode::bad_input,
                 {"weights cannot be encoded as type {}", "不支持将权重编码为 {} 类型"}, t.name);
  const std::optional<std::uint64_t> bytes = row_bytes(t.dtype, row.size());
  if (!bytes)
    return error(ErrorCode::bad_input,
                 {"a row of {} elements is no whole number of {} blocks ({} elements each)",
                  "一行有 {} 个元素，不是 {} 块（每块 {} 个元素）的整数倍"},
                 row.size(), t.name, t.block_elements);
  if (*bytes != out.size())
    return error(ErrorCode::bad_input,
                 {"a row of {} elements of type {} takes {} bytes, but there is room for {}",
                  "一行 {} 个 {} 元素应占 {} 字节，但输出空间为 {} 字节"},
                 row.size(), t.name, *bytes, out.size());
  for (std::size_t k = 0; k < row.size(); ++k)
    if (!std::isfinite(row[k]))
      return error(ErrorCode::bad_input,
                   {"element {} of the row is {}: weights must be finite",
                    "该行第 {} 个元素为 {}：权重必须是有限数"},
                   k, row[k]);
  return {};
}

}  // namespace

Status encode_row(DType dtype, std::span<const float> row, std::span<std::byte> out) {
  PREMISE_CHECK(check(traits(dtype), row, out));
  if (const GroupedFormat* format = grouped_format(dtype))
    return encode_grouped(*format, row, out.data());
  switch (dtype) {
    case DType::f16:
      return encode_16_bit<f32_to_f16, 0x7c00>(dtype, row, out.data());
    case DType::bf16:
      return encode_16_bit<f32_to_bf16, 0x7f80>(dtype, row, out.data());
    default:
      assert(dtype == DType::f32);
      if (!row.empty()) std::memcpy(out.data(), row.data(), row.size_bytes());
      return {};
  }
}

}  // namespace premise
