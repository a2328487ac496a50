#include "model/formats/byte_reader.h"

#include <cassert>
#include <string>

#include "model/formats/in_quotes.h"

namespace premise {
namespace {

Text fetch_again() {
  return {"the file is cut short or damaged; fetch it again", "文件不完整或已损坏；请重新获取"};
}

}  // namespace

Result<std::span<const std::byte>> ByteReader::take(std::uint64_t count, std::uint64_t each,
                                                    Label field) {
  PREMISE_CHECK(expect(count, each, field));
  const auto taken = bytes_.subspan(offset_, count * each);
  offset_ += taken.size();
  return taken;
}

Result<std::string_view> ByteReader::string(Label field, std::uint64_t limit) {
  const std::uint64_t start = offset_;
  PREMISE_TRY(const auto length, number<std::uint64_t>(field));
  if (length > remaining())
    return refuse(start, {fmt::format("{} claims {} bytes, the file has {} left", field.en, length,
                                      remaining()),
                          fmt::format("{}声称有 {} 字节，文件只剩 {} 字节", field.zh, length,
                                      remaining())})
        .with_hint(fetch_again());
  if (length > limit)
    return refuse(start,
                  {fmt::format("{} has {} bytes, at most {} are allowed", field.en, length, limit),
                   fmt::format("{}有 {} 字节，最多允许 {} 字节", field.zh, length, limit)});
  const auto* data = reinterpret_cast<const char*>(bytes_.data() + offset_);
  offset_ += length;
  return std::string_view(data, length);
}

Status ByteReader::expect(std::uint64_t count, std::uint64_t each, Label things) const {
  assert(each > 0);
  if (count <= remaining() / each) return {};
  return refuse(offset_, {fmt::format("{} {} need at least {} bytes each, the file has {} left",
                                      count, things.en, each, remaining()),
                          fmt::format("{} 个{}每个至少需要 {} 字节，文件只剩 {} 字节", count,
                                      things.zh, each, remaining())})
      .with_hint(fetch_again());
}

Error ByteReader::refuse(std::uint64_t offset, const Text& problem) const {
  const std::string name = name_.empty() ? "" : " " + in_quotes(name_);
  return Error{ErrorCode::bad_input,
               {fmt::format("{}: {}{} at offset {}: {}", path_, kind_.en, name, offset, problem.en),
                fmt::format("{}：{}{}，偏移 {}：{}", path_, kind_.zh, name, offset, problem.zh)}};
}

Error ByteReader::too_short(Label field, std::uint64_t needed) const {
  return refuse(offset_, {fmt::format("the file ends within {} ({} bytes needed, {} left)",
                                      field.en, needed, remaining()),
                          fmt::format("文件在{}处中断（需要 {} 字节，只剩 {} 字节）", field.zh,
                                      needed, remaining())})
      .with_hint(fetch_again());
}

}  // namespace premise
