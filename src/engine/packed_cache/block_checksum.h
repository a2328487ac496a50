// A checksum that keeps up with memory: CRC-32C (Castagnoli, as iSCSI has it, RFC 3720), which
// processors compute, of four quarters of a block side by side, because one chain of crc32
// instructions waits three cycles for each word.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace premise {

/// CRC-32C of bytes.
std::uint32_t crc32c(std::span<const std::byte> bytes);

/// CRC-32C of each quarter of a block.
using BlockChecksum = std::array<std::uint32_t, 4>;

/// `block` has a multiple of 32 bytes.
BlockChecksum block_checksum(std::span<const std::byte> block);

}  // namespace premise
