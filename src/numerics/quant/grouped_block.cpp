#include "numerics/quant/grouped_block.h"

#include "numerics/quant/bits_256.h"
#include "numerics/quant/bits_32.h"

namespace premise {
namespace {

template <typename Block>
void unpack_bytes(const std::byte* bytes, GroupedBlock& out) {
  unpack_block(load_block<Block>(bytes), out);
}

template <typename Block>
void pack_bytes(const GroupedBlock& in, std::byte* bytes) {
  Block block;
  pack_block(in, block);
  store_block(block, bytes);
}

template <typename Block>
constexpr GroupedFormat format_of{Block::grouped, &unpack_bytes<Block>, &pack_bytes<Block>};

constexpr GroupedFormat formats[] = {
    format_of<BlockQ4_0>, format_of<BlockQ4_1>, format_of<BlockQ5_0>,   format_of<BlockQ5_1>,
    format_of<BlockQ8_0>, format_of<BlockQ2_K>, format_of<BlockQ3_K>,   format_of<BlockQ4_K>,
    format_of<BlockQ5_K>, format_of<BlockQ6_K>, format_of<BlockIQ4_NL>, format_of<BlockIQ4_XS>,
};

}  // namespace

const GroupedFormat* grouped_format(DType dtype) {
  for (const GroupedFormat& format : formats)
    if (format.traits.dtype == dtype) return &format;
  return nullptr;
}

}  // namespace premise
