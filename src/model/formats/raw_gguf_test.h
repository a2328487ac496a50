// A GGUF file written byte by byte, for tests of files that no writer makes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "model/formats/gguf.h"
#include "model/formats/gguf_types.h"

namespace premise {

class RawGguf {
 public:
  RawGguf(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    text("GGUF").number(version).number(tensors).number(keys);
  }

  template <typename T>
  RawGguf& number(T value) {
    data_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  RawGguf& text(std::string_view bytes) {
    data_ += bytes;
    return *this;
  }
  RawGguf& string(std::string_view bytes) {
    return number<std::uint64_t>(bytes.size()).text(bytes);
  }
  RawGguf& type(gguf::Type type) { return number(static_cast<std::uint32_t>(type)); }
  RawGguf& u32_value(std::string_view key, std::uint32_t value) {
    return string(key).type(gguf::Type::u32).number(value);
  }

  /// An info; dimensions as the file has them, innermost first.
  RawGguf& tensor(std::string_view name, std::initializer_list<std::uint64_t> dims,
                  std::uint32_t dtype, std::uint64_t offset) {
    string(name).number<std::uint32_t>(static_cast<std::uint32_t>(dims.size()));
    for (const std::uint64_t dim : dims) number(dim);
    return number(dtype).number(offset);
  }

  /// Padding to the alignment, then `bytes` bytes of tensor data.
  RawGguf& data(std::size_t bytes, std::size_t alignment = 32) {
    data_.resize((data_.size() + alignment - 1) / alignment * alignment + bytes, 'd');
    return *this;
  }
  RawGguf& cut(std::size_t bytes) {
    data_.resize(data_.size() - bytes);
    return *this;
  }

  std::size_t size() const { return data_.size(); }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(data_)); }
  Result<GgufContent> parse() const { return parse_gguf(bytes(), "model.gguf"); }

  /// The error that this file must give; empty where it opens.
  std::string problem() const {
    const auto parsed = parse();
    return parsed.ok() ? "" : parsed.error().what.en;
  }

 private:
  std::string data_;
};

}  // namespace premise
