#include "engine/packed_cache/block_checksum.h"

#include <cassert>
#include <cstring>

namespace premise {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;  // reflected

std::uint32_t add_byte(std::uint32_t crc, std::byte byte) {
  crc ^= static_cast<std::uint32_t>(byte);
  for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
  return crc;
}

std::uint32_t add_word(std::uint32_t crc, const std::byte* bytes) {
#if defined(__SSE4_2__)
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return static_cast<std::uint32_t>(__builtin_ia32_crc32di(crc, word));
#else
  for (int i = 0; i < 8; ++i) crc = add_byte(crc, bytes[i]);
  return crc;
#endif
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  std::uint32_t crc = ~0u;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) crc = add_word(crc, bytes.data() + at);
  for (; at < bytes.size(); ++at) crc = add_byte(crc, bytes[at]);
  return ~crc;
}

BlockChecksum block_checksum(std::span<const std::byte> block) {
  assert(block.size() % 32 == 0);
  const std::size_t quarter = block.size() / 4;
  const std::byte* from = block.data();
  BlockChecksum crc{~0u, ~0u, ~0u, ~0u};
  for (std::size_t at = 0; at < quarter; at += 8)
    for (std::size_t lane = 0; lane < 4; ++lane)
      crc[lane] = add_word(crc[lane], from + lane * quarter + at);
  for (std::uint32_t& one : crc) one = ~one;
  return crc;
}

}  // namespace premise
