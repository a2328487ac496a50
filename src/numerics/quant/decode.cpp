#include "numerics/quant/decode.h"

#include <cassert>
#include <cstdint>
#include <cstring>

#include "numerics/quant/bits_256.h"
#include "numerics/quant/bits_32.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

// The formula of grouped_block.h, with the format's constants known to the compiler.
template <typename Block>
void reconstruct(const GroupedBlock& block, float* __restrict out) {
  constexpr GroupedTraits t = Block::grouped;
  const float d = f16_to_f32(block.d);
  const float dmin = f16_to_f32(block.dmin);
  for (std::size_t g = 0; g < t.groups(); ++g) {
    const float scale = d * static_cast<float>(block.scale[g]);
    const float min = dmin * static_cast<float>(block.min[g]);
    const std::uint8_t* code = block.code.data() + g * t.group_elements;
    float* to = out + g * t.group_elements;
    for (std::size_t k = 0; k < t.group_elements; ++k) {
      to[k] = scale * static_cast<float>(t.level(code[k]));
      if constexpr (t.has_min) to[k] -= min;
    }
  }
}

template <typename Block>
void decode_grouped(const std::byte* blocks, float* out, std::size_t elements) {
  constexpr GroupedTraits t = Block::grouped;
  GroupedBlock parts;
  for (std::size_t k = 0; k < elements; k += t.elements, blocks += sizeof(Block)) {
    unpack_block(load_block<Block>(blocks), parts);
    reconstruct<Block>(parts, out + k);
  }
}

template <float (*convert)(std::uint16_t)>
void decode_16_bit(const std::byte* bytes, float* out, std::size_t elements) {
  for (std::size_t k = 0; k < elements; ++k) {
    std::uint16_t bits;
    std::memcpy(&bits, bytes + k * sizeof bits, sizeof bits);
    out[k] = convert(bits);
  }
}

void decode_f32(const std::byte* bytes, float* out, std::size_t elements) {
  if (elements != 0) std::memcpy(out, bytes, elements * sizeof *out);
}

using Decoder = void (*)(const std::byte*, float*, std::size_t);

Decoder decoder_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return decode_f32;
    case DType::f16:
      return decode_16_bit<f16_to_f32>;
    case DType::bf16:
      return decode_16_bit<bf16_to_f32>;
    case DType::q4_0:
      return decode_grouped<BlockQ4_0>;
    case DType::q4_1:
      return decode_grouped<BlockQ4_1>;
    case DType::q5_0:
      return decode_grouped<BlockQ5_0>;
    case DType::q5_1:
      return decode_grouped<BlockQ5_1>;
    case DType::q8_0:
      return decode_grouped<BlockQ8_0>;
    case DType::q2_k:
      return decode_grouped<BlockQ2_K>;
    case DType::q3_k:
      return decode_grouped<BlockQ3_K>;
    case DType::q4_k:
      return decode_grouped<BlockQ4_K>;
    case DType::q5_k:
      return decode_grouped<BlockQ5_K>;
    case DType::q6_k:
      return decode_grouped<BlockQ6_K>;
    case DType::iq4_nl:
      return decode_grouped<BlockIQ4_NL>;
    case DType::iq4_xs:
      return decode_grouped<BlockIQ4_XS>;
    default:
      return nullptr;
  }
}

}  // namespace

Status decode_row(DType dtype, std::span<const std::byte> row, std::span<float> out) {
  const DTypeTraits& t = traits(dtype);
  const Decoder decode = decoder_of(dtype);
  if (decode == nullptr)
    return error(ErrorCode::bad_input,
                 {"weights of type {} cannot be decoded", "不支持解码 {} 类型的权重"}, t.name);
  const auto bytes = row_bytes(dtype, out.size());
  if (!bytes)
    return error(ErrorCode::bad_input,
                 {"a row of {} elements is no whole number of {} blocks ({} elements each)",
                  "一行有 {} 个元素，不是 {} 块（每块 {} 个元素）的整数倍"},
                 out.size(), t.name, t.block_elements);
  if (*bytes != row.size())
    return error(ErrorCode::bad_input,
                 {"a row of {} elements of type {} takes {} bytes, but has {}",
                  "一行 {} 个 {} 元素应占 {} 字节，实际为 {} 字节"},
                 out.size(), t.name, *bytes, row.size());
  decode(row.data(), out.data(), out.size());
  return {};
}

void decode_blocks(DType dtype, const std::byte* blocks, float* out, std::size_t elements) {
  const Decoder decode = decoder_of(dtype);
  assert(decode != nullptr && elements % traits(dtype).block_elements == 0);
  if (decode != nullptr) decode(blocks, out, elements);
}

}  // namespace premise
