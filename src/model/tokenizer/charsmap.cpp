// The blob: u32 (little-endian) size of the trie in bytes, the trie, the replacement strings, each
// ended by NUL. The trie is a double array as written by darts-clone (S. Yata), units of 32 bits:
//   inner unit: bits 0–7 label, bit 8 "a rule ends here", bit 9 and 10–30 offset to the children
//               (shifted left by 8 where bit 9 is set);
//   leaf unit:  bit 31 set, bits 0–30 the value, here where its replacement begins.
// The child of unit n for byte c is unit n ^ offset ^ c, if its label is c; the leaf of a rule is
// the child for 0. Nothing guarantees that those places exist, so that every one is checked.
#include "model/tokenizer/charsmap.h"

#include <algorithm>

namespace premise {
namespace {

constexpr std::size_t header_bytes = 4;
constexpr std::size_t longest_rule_bytes = 256;          // the published tables stay below 32
constexpr std::size_t longest_replacement_bytes = 1024;  // … below 64; bounds what text grows to

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return value;
}

std::uint32_t offset_of(std::uint32_t unit) {
  const std::uint32_t shift = (unit & 1u << 9) != 0 ? 8 : 0;
  return (unit >> 10 & 0x1fffff) << shift;
}
bool ends_rule(std::uint32_t unit) { return (unit & 1u << 8) != 0; }
bool has_label(std::uint32_t unit, unsigned char label) {
  return (unit & (1u << 31 | 0xff)) == label;
}

}  // namespace

Result<CharsMap> CharsMap::parse(std::string_view blob) {
  CharsMap map;
  if (blob.empty()) return map;
  if (blob.size() < header_bytes) {
    return error(ErrorCode::bad_input,
                 {"precompiled_charsmap: {} bytes, too short for its header of 4",
                  "precompiled_charsmap：只有 {} 字节，容不下 4 字节的头部"},
                 blob.size());
  }
  const std::size_t trie_bytes = little_endian(blob, 0);
  if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > blob.size() - header_bytes) {
    return error(ErrorCode::bad_input,
                 {"precompiled_charsmap: the header gives a table of {} bytes, but {} bytes follow",
                  "precompiled_charsmap：头部声明的表为 {} 字节，其后实际有 {} 字节"},
                 trie_bytes, blob.size() - header_bytes);
  }
  map.units_.reserve(trie_bytes / 4);
  for (std::size_t at = 0; at < trie_bytes; at += 4) {
    map.units_.push_back(little_endian(blob, header_bytes + at));
  }
  map.replacements_ = blob.substr(header_bytes + trie_bytes);
  if (!map.replacements_.empty() && map.replacements_.back() != '\0') {
    return error(ErrorCode::bad_input,
                 {"precompiled_charsmap: the last replacement (offset {}) does not end with NUL",
                  "precompiled_charsmap：最后一个替换串（偏移 {}）未以 NUL 结尾"},
                 blob.size() - 1);
  }
  for (std::size_t begin = 0; begin < map.replacements_.size();) {
    const std::size_t end = map.replacements_.find('\0', begin);
    if (end - begin > longest_replacement_bytes) {
      return error(ErrorCode::bad_input,
                   {"precompiled_charsmap: the replacement at offset {} has {} bytes, more than {}",
                    "precompiled_charsmap：偏移 {} 处的替换串有 {} 字节，超过上限 {}"},
                   header_bytes + trie_bytes + begin, end - begin, longest_replacement_bytes);
    }
    begin = end + 1;
  }
  return map;
}

std::optional<CharsMap::Replacement> CharsMap::longest(std::string_view text) const {
  if (units_.empty()) return std::nullopt;
  std::optional<Replacement> best;
  std::size_t at = offset_of(units_[0]);
  const std::size_t limit = std::min(text.size(), longest_rule_bytes);
  for (std::size_t i = 0; i < limit; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    at ^= byte;
    if (at >= units_.size() || !has_label(units_[at], byte)) break;
    const std::uint32_t unit = units_[at];
    at ^= offset_of(unit);
    if (!ends_rule(unit) || at >= units_.size()) continue;
    const std::size_t begin = units_[at] & 0x7fffffff;
    if (begin >= replacements_.size()) continue;
    best = {std::string_view(replacements_.data() + begin), i + 1};
  }
  return best;
}

}  // namespace premise
