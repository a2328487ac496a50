// A cursor over the bytes of a hostile file, little-endian. Nothing is read or allocated before the
// reader has seen that it lies inside the file, and every Error says where: file, the thing being
// read (set by the parser as it goes on), offset, field. Parsers stay free of bounds arithmetic.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/result.h"

namespace premise {

static_assert(std::endian::native == std::endian::little,
              "file formats are read by memcpy: a big-endian machine needs byte swaps here");

/// A name of a field or thing in both languages; literals only, since nothing is copied.
struct Label {
  std::string_view en;
  std::string_view zh;
};

class ByteReader {
 public:
  /// Neither the bytes nor the path are copied; both must outlive the reader.
  ByteReader(std::span<const std::byte> bytes, std::string_view path)
      : bytes_(bytes), path_(path) {}

  std::uint64_t offset() const { return offset_; }
  std::uint64_t size() const { return bytes_.size(); }
  std::uint64_t remaining() const { return bytes_.size() - offset_; }
  std::string_view path() const { return path_; }

  /// What is read from now on, for messages: subject({"tensor", "张量"}, "blk.0.attn_q.weight").
  /// The name is not copied and must live until the next call.
  void subject(Label kind, std::string_view name = {}) {
    kind_ = kind;
    name_ = name;
  }

  /// The next integer or float.
  template <typename T>
  Result<T> number(Label field) {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
    if (remaining() < sizeof(T)) return too_short(field, sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + offset_, sizeof value);
    offset_ += sizeof value;
    return value;
  }

  /// The next `count` elements of `each` bytes, without copying them.
  Result<std::span<const std::byte>> take(std::uint64_t count, std::uint64_t each, Label field);

  /// A string behind its 64-bit length, a view into the file; longer than `limit` is an Error.
  Result<std::string_view> string(Label field, std::uint64_t limit);

  /// An Error unless `count` things of at least `each` bytes fit in what is left: the check to be
  /// made before memory is set aside for them.
  Status expect(std::uint64_t count, std::uint64_t each, Label things) const;

  /// "path: tensor "x" at offset 123: problem".
  Error refuse(std::uint64_t offset, const Text& problem) const;

 private:
  Error too_short(Label field, std::uint64_t needed) const;

  std::span<const std::byte> bytes_;
  std::string_view path_;
  Label kind_{"file", "文件"};
  std::string_view name_;
  std::uint64_t offset_ = 0;
};

}  // namespace premise
