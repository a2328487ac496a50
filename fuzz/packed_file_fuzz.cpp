// Any bytes as the head of a file of packed weights: refused with a word, or read, and then written
// again bit for bit. Checksums stop a fuzzer at the door, hence a second look with right ones.
// Seeds: fuzz/corpus/packed_file. Run: packed_file_fuzz fuzz/corpus/packed_file
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "engine/packed_cache/packed_header.h"

namespace {

void look_at(std::span<const std::byte> bytes, std::uint64_t file_bytes) {
  if (bytes.size() < premise::packed_fixed_bytes) return;
  const auto sizes =
      premise::parse_packed_sizes(bytes.first(premise::packed_fixed_bytes), file_bytes, "fuzzed");
  if (!sizes.ok()) {
    if (sizes.error().what.en.empty() || sizes.error().what.zh.empty()) std::abort();
    return;
  }
  if (sizes->head_bytes > bytes.size()) return;
  const auto head = bytes.first(sizes->head_bytes);
  const auto header = premise::parse_packed_header(head, *sizes, "fuzzed");
  if (!header.ok()) {
    if (header.error().what.en.empty() || header.error().what.zh.empty()) std::abort();
    return;
  }
  if (header->checksums.size() != header->block_count()) std::abort();
  const std::string again = premise::encode(*header);
  if (again.size() != head.size()) std::abort();
  // Padding and checksums over it may differ, everything that is read may not.
  const auto twice = premise::parse_packed_header(std::as_bytes(std::span(again)), *sizes, "again");
  if (!twice.ok() || !premise::same_contents(*header, *twice, "again").ok()) std::abort();
}

void put(std::vector<std::byte>& bytes, std::size_t offset, std::uint32_t value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  look_at(bytes, size);
  if (size < premise::packed_fixed_bytes) return 0;
  std::vector<std::byte> mended(bytes.begin(), bytes.end());
  std::uint64_t head_bytes = 0, data_bytes = 0;
  std::memcpy(&head_bytes, mended.data() + 16, sizeof head_bytes);
  std::memcpy(&data_bytes, mended.data() + 24, sizeof data_bytes);
  if (head_bytes < premise::packed_fixed_bytes || head_bytes > size) return 0;
  const std::span<const std::byte> body = std::span<const std::byte>(mended).subspan(
      premise::packed_fixed_bytes, head_bytes - premise::packed_fixed_bytes);
  put(mended, 32, premise::crc32c(body));
  put(mended, 36, premise::crc32c(std::span<const std::byte>(mended).first(36)));
  look_at(mended, head_bytes + data_bytes);
  return 0;
}
