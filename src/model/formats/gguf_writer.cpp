#include "model/formats/gguf_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <set>
#include <string_view>
#include <type_traits>

#include "model/formats/in_quotes.h"
#include "model/formats/output_file.h"

namespace premise {
namespace {

using gguf::Type;

/// Little-endian bytes, appended.
class Buffer {
 public:
  template <typename T>
  void number(T value) {
    static_assert(std::is_arithmetic_v<T> && std::endian::native == std::endian::little);
    const auto bytes = std::as_bytes(std::span(&value, 1));
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  void string(std::string_view text) {
    number<std::uint64_t>(text.size());
    const auto bytes = std::as_bytes(std::span(text));
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  void type(Type type) { number(static_cast<std::uint32_t>(type)); }
  void pad(std::uint64_t alignment) {
    out_.resize((out_.size() + alignment - 1) & ~(alignment - 1));
  }
  std::vector<std::byte> take() { return std::move(out_); }

 private:
  std::vector<std::byte> out_;
};

template <typename T>
constexpr Type type_of() {
  if constexpr (std::is_same_v<T, std::uint8_t>)
    return Type::u8;
  else if constexpr (std::is_same_v<T, std::int8_t>)
    return Type::i8;
  else if constexpr (std::is_same_v<T, std::uint16_t>)
    return Type::u16;
  else if constexpr (std::is_same_v<T, std::int16_t>)
    return Type::i16;
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return Type::u32;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return Type::i32;
  else if constexpr (std::is_same_v<T, std::uint64_t>)
    return Type::u64;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return Type::i64;
  else if constexpr (std::is_same_v<T, float>)
    return Type::f32;
  else if constexpr (std::is_same_v<T, double>)
    return Type::f64;
  else if constexpr (std::is_same_v<T, bool>)
    return Type::boolean;
  else {
    static_assert(std::is_same_v<T, std::string>);
    return Type::string;
  }
}

template <typename T>
void put(Buffer& out, const T& element) {
  if constexpr (std::is_same_v<T, std::string>)
    out.string(element);
  else if constexpr (std::is_same_v<T, bool>)
    out.number<std::uint8_t>(element ? 1 : 0);
  else
    out.number(element);
}

template <typename T>
void put_value(Buffer& out, const T& value) {
  out.type(type_of<T>());
  put(out, value);
}

template <typename T>
void put_value(Buffer& out, const std::vector<T>& values) {
  out.type(Type::array);
  out.type(type_of<T>());
  out.number<std::uint64_t>(values.size());
  for (const T& value : values) put<T>(out, value);
}

template <typename To, typename From>
GgufValue cast(const From& value) {
  return static_cast<To>(value);
}

template <typename To, typename From>
GgufValue cast(const std::vector<From>& values) {
  std::vector<To> out(values.size());
  std::ranges::transform(values, out.begin(), [](From v) { return static_cast<To>(v); });
  return out;
}

template <typename T, typename Test>
bool every(const T& value, Test test) {
  return test(value);
}

template <typename T, typename Test>
bool every(const std::vector<T>& values, Test test) {
  return std::ranges::all_of(values, test);
}

/// Value or array `V` of floats in 32 or 64 bits.
template <typename V>
GgufValue narrow_floats(const V& value, unsigned bits) {
  const auto exact = [](double d) {
    return d != d || static_cast<double>(static_cast<float>(d)) == d;
  };
  if (bits == 32 || (bits == 0 && every(value, exact))) return cast<float>(value);
  return value;
}

/// Value or array `V` of integers; U8 … U32 are the narrower types of its sign.
template <typename U8, typename U16, typename U32, typename V>
GgufValue narrow_integers(const V& value, unsigned bits) {
  const auto fits = [](auto i) { return std::in_range<U32>(i); };
  if (bits == 8) return cast<U8>(value);
  if (bits == 16) return cast<U16>(value);
  if (bits == 32 || (bits == 0 && every(value, fits))) return cast<U32>(value);
  return value;
}

Error refuse(const Text& problem) {
  return Error{ErrorCode::bad_input,
               {"GGUF cannot be written: " + problem.en, "无法写出 GGUF：" + problem.zh}};
}

}  // namespace

GgufValue gguf_value(const MetadataValue& value, unsigned bits) {
  return std::visit(
      [&](const auto& v) -> GgufValue {
        using V = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<V, double> || std::is_same_v<V, std::vector<double>>)
          return narrow_floats(v, bits);
        else if constexpr (std::is_same_v<V, std::uint64_t> ||
                           std::is_same_v<V, std::vector<std::uint64_t>>)
          return narrow_integers<std::uint8_t, std::uint16_t, std::uint32_t>(v, bits);
        else if constexpr (std::is_same_v<V, std::int64_t> ||
                           std::is_same_v<V, std::vector<std::int64_t>>)
          return narrow_integers<std::int8_t, std::int16_t, std::int32_t>(v, bits);
        else
          return v;
      },
      value);
}

void GgufWriter::set(std::string key, GgufValue value) {
  const auto found = std::ranges::find(values_, key, &std::pair<std::string, GgufValue>::first);
  if (found != values_.end())
    found->second = std::move(value);
  else
    values_.emplace_back(std::move(key), std::move(value));
}

void GgufWriter::copy(const Metadata& metadata) {
  for (const auto& [key, value] : metadata.values())
    if (key != gguf::alignment_key && !key.starts_with("split."))
      set(key, gguf_value(value, metadata.bits(key)));
}

void GgufWriter::add_tensor(std::string name, DType dtype, const Shape& shape,
                            std::span<const std::byte> bytes) {
  add_tensor(std::move(name), dtype, shape,
             [bytes]() -> Result<std::span<const std::byte>> { return bytes; });
}

void GgufWriter::add_tensor(std::string name, DType dtype, const Shape& shape, Producer producer) {
  Tensor tensor{std::move(name), dtype, shape, std::move(producer)};
  const auto row = row_bytes(dtype, shape.columns());
  if (!row || __builtin_mul_overflow(*row, shape.rows(), &tensor.bytes)) tensor.bytes = 0;
  tensors_.push_back(std::move(tensor));
}

void GgufWriter::add_tensor_in_pieces(std::string name, DType dtype, const Shape& shape,
                                      Producer producer) {
  add_tensor(std::move(name), dtype, shape, std::move(producer));
  tensors_.back().in_pieces = true;
}

std::uint64_t GgufWriter::file_bytes() const {
  std::uint64_t bytes = header().size();
  for (const Tensor& tensor : tensors_) bytes += padded(tensor.bytes);
  return bytes;
}

Status GgufWriter::check() const {
  if (!std::has_single_bit(alignment_) || alignment_ < gguf::min_alignment ||
      alignment_ > gguf::max_alignment)
    return refuse(text(
        {"alignment {} is no power of two from {} to {}", "对齐值 {} 不是 {} 至 {} 之间的 2 的幂"},
        alignment_, gguf::min_alignment, gguf::max_alignment));
  for (const auto& [key, value] : values_)
    if (key.empty() || key.size() > gguf::max_key_bytes || key == gguf::alignment_key)
      return refuse(text(
          {"key {} is empty, too long or the writer's own", "键 {} 为空、过长，或由写出程序保留"},
          in_quotes(key)));
  std::set<std::string_view> names;
  for (const Tensor& tensor : tensors_) {
    const std::string name = in_quotes(tensor.name);
    if (tensor.name.empty() || tensor.name.size() > gguf::max_name_bytes)
      return refuse(text({"tensor name {} is empty or too long", "张量名 {} 为空或过长"}, name));
    if (!names.insert(tensor.name).second)
      return refuse(text({"tensor {} was added twice", "张量 {} 重复添加"}, name));
    if (tensor.bytes == 0)
      return refuse(
          text({"tensor {} has no elements, or a row that is no whole number of {} blocks",
                "张量 {} 没有元素，或一行不是 {} 的整块"},
               name, traits(tensor.dtype).name));
  }
  return {};
}

std::vector<std::byte> GgufWriter::header() const {
  Buffer out;
  for (const char c : gguf::magic) out.number(c);
  const bool own_alignment = alignment_ != gguf::default_alignment;
  out.number<std::uint32_t>(3);
  out.number<std::uint64_t>(tensors_.size());
  out.number<std::uint64_t>(values_.size() + (own_alignment ? 1 : 0));
  if (own_alignment) {
    out.string(gguf::alignment_key);
    put_value(out, static_cast<std::uint32_t>(alignment_));
  }
  for (const auto& [key, value] : values_) {
    out.string(key);
    std::visit([&](const auto& v) { put_value(out, v); }, value);
  }
  std::uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    out.string(tensor.name);
    out.number<std::uint32_t>(tensor.shape.rank);
    for (unsigned i = tensor.shape.rank; i-- > 0;) out.number(tensor.shape.dims[i]);
    out.number(static_cast<std::uint32_t>(tensor.dtype));
    out.number(offset);
    offset += padded(tensor.bytes);
  }
  out.pad(alignment_);
  return out.take();
}

Status GgufWriter::write_tensor(const Tensor& tensor, const Sink& sink) {
  std::uint64_t written = 0;
  do {
    PREMISE_TRY(const auto bytes, tensor.producer());
    written += bytes.size();
    if (written > tensor.bytes || bytes.empty() || (!tensor.in_pieces && written < tensor.bytes))
      return refuse(text({"tensor {} has {} bytes, its shape and type need {}",
                          "张量 {} 有 {} 字节，其形状和类型需要 {} 字节"},
                         in_quotes(tensor.name), written, tensor.bytes));
    PREMISE_CHECK(sink(bytes));
  } while (written < tensor.bytes);
  return {};
}

Status GgufWriter::write_to(const Sink& sink) const {
  PREMISE_CHECK(check());
  PREMISE_CHECK(sink(header()));
  const std::vector<std::byte> zeros(alignment_);
  for (const Tensor& tensor : tensors_) {
    PREMISE_CHECK(write_tensor(tensor, sink));
    PREMISE_CHECK(sink(std::span(zeros).first(padded(tensor.bytes) - tensor.bytes)));
  }
  return {};
}

Status GgufWriter::write(const std::filesystem::path& path) const {
  PREMISE_TRY(OutputFile file, OutputFile::create(path));
  PREMISE_CHECK(write_to([&](std::span<const std::byte> bytes) { return file.write(bytes); }));
  return file.commit();
}

Result<std::vector<std::byte>> GgufWriter::to_bytes() const {
  std::vector<std::byte> out;
  PREMISE_CHECK(write_to([&](std::span<const std::byte> bytes) -> Status {
    out.insert(out.end(), bytes.begin(), bytes.end());
    return {};
  }));
  return out;
}

}  // namespace premise
