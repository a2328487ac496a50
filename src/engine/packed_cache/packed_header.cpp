#include "engine/packed_cache/packed_header.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "model/formats/byte_reader.h"

namespace premise {
namespace {

constexpr std::string_view magic = "PREMPACK";
constexpr std::uint32_t head_version = 1;
constexpr std::uint64_t head_unit = 4096;
constexpr std::uint64_t string_limit = 64 << 10;
constexpr std::uint64_t origin_least = 8 + 5 * 8, section_least = 8 + 4 + 4 * 8;

class Writer {
 public:
  template <typename T>
  void number(T value) {
    const auto* bytes = reinterpret_cast<const char*>(&value);
    out_.append(bytes, sizeof value);
  }
  void string(std::string_view text) {
    text = text.substr(0, string_limit);
    number<std::uint64_t>(text.size());
    out_ += text;
  }
  std::string& out() { return out_; }

 private:
  std::string out_;
};

void put_body(Writer& to, const PackedHeader& header) {
  for (const std::string* text : {&header.key, &header.model, &header.isa, &header.program})
    to.string(*text);
  to.number(static_cast<std::uint32_t>(header.origins.size()));
  for (const PackedOrigin& origin : header.origins) {
    to.string(origin.path);
    to.number(origin.identity.device);
    to.number(origin.identity.inode);
    to.number(origin.identity.bytes);
    to.number(origin.identity.modified_ns);
    to.number(origin.identity.changed_ns);
  }
  to.number(static_cast<std::uint32_t>(header.sections.size()));
  for (const PackedSection& section : header.sections) {
    to.string(section.name);
    to.number(section.type);
    to.number(section.rows);
    to.number(section.columns);
    to.number(section.offset);
    to.number(section.bytes);
  }
  to.number<std::uint64_t>(header.block_count());
}

std::uint32_t crc_of(std::string_view bytes) { return crc32c(std::as_bytes(std::span(bytes))); }

Result<PackedOrigin> read_origin(ByteReader& from) {
  PackedOrigin origin;
  PREMISE_TRY(origin.path, from.string({"path", "路径"}, string_limit));
  FileIdentity& identity = origin.identity;
  PREMISE_TRY(identity.device, from.number<std::uint64_t>({"device", "设备号"}));
  PREMISE_TRY(identity.inode, from.number<std::uint64_t>({"inode", "索引节点号"}));
  PREMISE_TRY(identity.bytes, from.number<std::uint64_t>({"size", "大小"}));
  PREMISE_TRY(identity.modified_ns, from.number<std::int64_t>({"time", "时间"}));
  PREMISE_TRY(identity.changed_ns, from.number<std::int64_t>({"time", "时间"}));
  return origin;
}

Result<PackedSection> read_section(ByteReader& from) {
  PackedSection section;
  PREMISE_TRY(section.name, from.string({"name", "名称"}, string_limit));
  PREMISE_TRY(section.type, from.number<std::uint32_t>({"type", "类型"}));
  PREMISE_TRY(section.rows, from.number<std::uint64_t>({"rows", "行数"}));
  PREMISE_TRY(section.columns, from.number<std::uint64_t>({"columns", "列数"}));
  PREMISE_TRY(section.offset, from.number<std::uint64_t>({"offset", "偏移"}));
  PREMISE_TRY(section.bytes, from.number<std::uint64_t>({"size", "大小"}));
  return section;
}

}  // namespace

std::uint64_t PackedHeader::head_bytes() const {
  Writer body;
  put_body(body, *this);
  const std::uint64_t bytes =
      packed_fixed_bytes + body.out().size() + block_count() * sizeof(BlockChecksum);
  return (bytes + head_unit - 1) / head_unit * head_unit;
}

std::string encode(const PackedHeader& header) {
  assert(header.checksums.size() == header.block_count());
  Writer body;
  put_body(body, header);
  for (const BlockChecksum& block : header.checksums)
    for (const std::uint32_t crc : block) body.number(crc);
  const std::uint64_t bytes = header.head_bytes();
  body.out().resize(bytes - packed_fixed_bytes, '\0');
  Writer head;
  head.out() = magic;
  head.number(head_version);
  head.number(header.layout_version);
  head.number(bytes);
  head.number(header.data_bytes);
  head.number(crc_of(body.out()));
  head.number(crc_of(head.out()));
  assert(head.out().size() == packed_fixed_bytes);
  return std::move(head.out()) + body.out();
}

Result<PackedSizes> parse_packed_sizes(std::span<const std::byte> fixed, std::uint64_t file_bytes,
                                       std::string_view path) {
  ByteReader from(fixed, path);
  PREMISE_TRY(const auto begin, from.take(magic.size(), 1, {"magic", "标识"}));
  if (std::memcmp(begin.data(), magic.data(), magic.size()) != 0)
    return from.refuse(0, text({"is no file of packed weights", "不是重排权重文件"}));
  PREMISE_TRY(const auto version, from.number<std::uint32_t>({"version", "版本"}));
  if (version != head_version)
    return from.refuse(8, text({"version {} is unknown", "未知版本 {}"}, version));
  PREMISE_TRY([[maybe_unused]] const auto layout, from.number<std::uint32_t>({"layout", "布局"}));
  PackedSizes sizes;
  PREMISE_TRY(sizes.head_bytes, from.number<std::uint64_t>({"size of the head", "头部大小"}));
  PREMISE_TRY(sizes.data_bytes, from.number<std::uint64_t>({"size of the weights", "权重大小"}));
  PREMISE_TRY([[maybe_unused]] const auto body, from.number<std::uint32_t>({"checksum", "校验和"}));
  PREMISE_TRY(const auto crc, from.number<std::uint32_t>({"checksum", "校验和"}));
  if (crc != crc32c(fixed.first(36)))
    return from.refuse(36, text({"checksum is wrong", "校验和不符"}));
  if (sizes.head_bytes < head_unit || sizes.head_bytes > packed_head_limit ||
      sizes.head_bytes % head_unit != 0 || sizes.head_bytes > file_bytes)
    return from.refuse(
        16, text({"a head of {} bytes is impossible", "头部不可能为 {} 字节"}, sizes.head_bytes));
  if (sizes.data_bytes % 64 != 0 || sizes.data_bytes != file_bytes - sizes.head_bytes)
    return from.refuse(24, text({"says {} bytes of weights, the file has {}",
                                 "声明有 {} 字节权重，文件中有 {} 字节"},
                                sizes.data_bytes, file_bytes - sizes.head_bytes));
  return sizes;
}

Result<PackedHeader> parse_packed_header(std::span<const std::byte> head, const PackedSizes& sizes,
                                         std::string_view path) {
  ByteReader from(head, path);
  if (head.size() != sizes.head_bytes || head.size() < head_unit)
    return from.refuse(0, text({"the head is cut off", "头部被截断"}));
  std::uint32_t crc = 0;
  std::memcpy(&crc, head.data() + 32, sizeof crc);
  if (crc != crc32c(head.subspan(packed_fixed_bytes)))
    return from.refuse(32, text({"checksum of the head is wrong", "头部校验和不符"}));
  PackedHeader header;
  header.data_bytes = sizes.data_bytes;
  std::memcpy(&header.layout_version, head.data() + 12, sizeof header.layout_version);
  PREMISE_TRY([[maybe_unused]] const auto fixed,
              from.take(packed_fixed_bytes, 1, {"head", "头部"}));
  for (std::string* text : {&header.key, &header.model, &header.isa, &header.program}) {
    PREMISE_TRY(*text, from.string({"text", "文本"}, string_limit));
  }
  PREMISE_TRY(const auto origins, from.number<std::uint32_t>({"files", "文件数"}));
  PREMISE_CHECK(from.expect(origins, origin_least, {"files", "文件"}));
  for (std::uint32_t i = 0; i < origins; ++i) {
    PREMISE_TRY(PackedOrigin origin, read_origin(from));
    header.origins.push_back(std::move(origin));
  }
  PREMISE_TRY(const auto sections, from.number<std::uint32_t>({"sections", "分段数"}));
  PREMISE_CHECK(from.expect(sections, section_least, {"sections", "分段"}));
  for (std::uint32_t i = 0; i < sections; ++i) {
    PREMISE_TRY(PackedSection section, read_section(from));
    header.sections.push_back(std::move(section));
  }
  PREMISE_TRY(const auto blocks, from.number<std::uint64_t>({"blocks", "块数"}));
  if (blocks != header.block_count())
    return from.refuse(from.offset() - 8,
                       text({"{} checksums instead of {}", "校验和有 {} 个，应为 {} 个"}, blocks,
                            header.block_count()));
  PREMISE_TRY(const auto sums, from.take(blocks, sizeof(BlockChecksum), {"checksums", "校验和"}));
  header.checksums.resize(blocks);
  if (blocks > 0) std::memcpy(header.checksums.data(), sums.data(), sums.size());
  if (header.head_bytes() != sizes.head_bytes)
    return from.refuse(16,
                       text({"a head of {} bytes should have {}", "头部有 {} 字节，应为 {} 字节"},
                            sizes.head_bytes, header.head_bytes()));
  return header;
}

Status same_contents(const PackedHeader& wanted, const PackedHeader& found, std::string_view path) {
  const auto differs = [&](Text what) {
    return at(text({"{}", "{}"}, path), Error{ErrorCode::bad_input, std::move(what)});
  };
  if (found.layout_version != wanted.layout_version)
    return differs(
        text({"has layout {}, this program packs layout {}", "布局版本为 {}，本程序使用版本 {}"},
             found.layout_version, wanted.layout_version));
  if (found.isa != wanted.isa)
    return differs(text({"is for another instruction set", "用于其他指令集"}));
  if (found.key != wanted.key) return differs(text({"is of another model", "属于另一个模型"}));
  const auto still = [](const PackedOrigin& then, const PackedOrigin& now) {
    return then.is_still(now.identity);
  };
  if (!std::ranges::equal(found.origins, wanted.origins, still))
    return differs(text({"the model's file was changed since", "模型文件在此之后有改动"}));
  if (found.data_bytes != wanted.data_bytes || found.sections != wanted.sections)
    return differs(text({"has other matrices than the model", "其中的矩阵与模型不一致"}));
  return {};
}

}  // namespace premise
