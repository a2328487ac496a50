#include "model/formats/gguf_metadata.h"

#include <string>
#include <utility>
#include <vector>

#include "model/formats/gguf_types.h"
#include "model/formats/in_quotes.h"

namespace premise::gguf {
namespace {

constexpr Label value_label{"value", "值"};
constexpr Label string_label{"a string", "字符串"};

/// A value with the width that its numbers have in the file.
struct Read {
  MetadataValue value;
  unsigned bits = 0;
};

/// Memory that decoded values may still take.
class Budget {
 public:
  explicit Budget(std::uint64_t bytes) : left_(bytes) {}

  Status spend(const ByteReader& in, std::uint64_t count, std::uint64_t each) {
    if (count > left_ / each)
      return in.refuse(in.offset(),
                       text({"the metadata would take more memory than a model can need",
                             "元数据占用的内存超出任何模型的需要"}));
    left_ -= count * each;
    return {};
  }

 private:
  std::uint64_t left_;
};

template <typename Stored>
Stored load(const std::byte* at) {
  Stored value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename Stored, typename Wide>
Result<Read> read_number(ByteReader& in) {
  PREMISE_TRY(const auto value, in.number<Stored>(value_label));
  return Read{static_cast<Wide>(value), 8 * sizeof(Stored)};
}

template <typename Stored, typename Wide>
Result<Read> read_numbers(ByteReader& in, std::uint64_t count, Budget& budget) {
  PREMISE_TRY(const auto bytes, in.take(count, sizeof(Stored), {"array elements", "数组元素"}));
  PREMISE_CHECK(budget.spend(in, count, sizeof(Wide)));
  std::vector<Wide> values(count);
  for (std::uint64_t i = 0; i < count; ++i)
    values[i] = static_cast<Wide>(load<Stored>(bytes.data() + i * sizeof(Stored)));
  return Read{std::move(values), 8 * sizeof(Stored)};
}

Error not_boolean(const ByteReader& in, std::uint64_t offset, std::uint8_t byte) {
  return in.refuse(offset,
                   text({"a boolean is {}, expected 0 or 1", "布尔值是 {}，应为 0 或 1"}, byte));
}

Result<Read> read_boolean(ByteReader& in) {
  const std::uint64_t at = in.offset();
  PREMISE_TRY(const auto byte, in.number<std::uint8_t>(value_label));
  if (byte > 1) return not_boolean(in, at, byte);
  return Read{byte == 1};
}

Result<Read> read_booleans(ByteReader& in, std::uint64_t count, Budget& budget) {
  const std::uint64_t at = in.offset();
  PREMISE_TRY(const auto bytes, in.take(count, 1, {"array elements", "数组元素"}));
  PREMISE_CHECK(budget.spend(in, count, 1));
  std::vector<bool> values(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    if (byte > 1) return not_boolean(in, at + i, byte);
    values[i] = byte == 1;
  }
  return Read{std::move(values)};
}

Result<Read> read_string(ByteReader& in, Budget& budget) {
  PREMISE_TRY(const auto view, in.string(string_label, in.size()));
  PREMISE_CHECK(budget.spend(in, 1, view.size() + 1));
  return Read{std::string(view)};
}

Result<Read> read_strings(ByteReader& in, std::uint64_t count, Budget& budget) {
  PREMISE_CHECK(in.expect(count, sizeof(std::uint64_t), {"strings", "字符串"}));
  PREMISE_CHECK(budget.spend(in, count, sizeof(std::string)));
  std::vector<std::string> values;
  values.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    PREMISE_TRY(const auto view, in.string(string_label, in.size()));
    // Short strings live inside std::string; only the others take memory of their own.
    if (view.size() > 15) PREMISE_CHECK(budget.spend(in, 1, view.size() + 1));
    values.emplace_back(view);
  }
  return Read{std::move(values)};
}

Error unknown_type(const ByteReader& in, std::uint64_t offset, std::uint32_t type) {
  return in.refuse(
      offset,
      text({"value type {} is unknown (0 to 12 are)", "未知的值类型 {}（应为 0 至 12）"}, type));
}

Result<Read> read_array(ByteReader& in, Budget& budget) {
  const std::uint64_t at = in.offset();
  PREMISE_TRY(const auto type, in.number<std::uint32_t>({"the element type", "元素类型"}));
  PREMISE_TRY(const auto count, in.number<std::uint64_t>({"the element count", "元素个数"}));
  switch (static_cast<Type>(type)) {
    case Type::u8:
      return read_numbers<std::uint8_t, std::uint64_t>(in, count, budget);
    case Type::i8:
      return read_numbers<std::int8_t, std::int64_t>(in, count, budget);
    case Type::u16:
      return read_numbers<std::uint16_t, std::uint64_t>(in, count, budget);
    case Type::i16:
      return read_numbers<std::int16_t, std::int64_t>(in, count, budget);
    case Type::u32:
      return read_numbers<std::uint32_t, std::uint64_t>(in, count, budget);
    case Type::i32:
      return read_numbers<std::int32_t, std::int64_t>(in, count, budget);
    case Type::f32:
      return read_numbers<float, double>(in, count, budget);
    case Type::u64:
      return read_numbers<std::uint64_t, std::uint64_t>(in, count, budget);
    case Type::i64:
      return read_numbers<std::int64_t, std::int64_t>(in, count, budget);
    case Type::f64:
      return read_numbers<double, double>(in, count, budget);
    case Type::boolean:
      return read_booleans(in, count, budget);
    case Type::string:
      return read_strings(in, count, budget);
    case Type::array:
      return in.refuse(at, text({"arrays of arrays are not supported", "不支持嵌套数组"}));
  }
  return unknown_type(in, at, type);
}

Result<Read> read_value(ByteReader& in, Budget& budget) {
  const std::uint64_t at = in.offset();
  PREMISE_TRY(const auto type, in.number<std::uint32_t>({"the value type", "值类型"}));
  switch (static_cast<Type>(type)) {
    case Type::u8:
      return read_number<std::uint8_t, std::uint64_t>(in);
    case Type::i8:
      return read_number<std::int8_t, std::int64_t>(in);
    case Type::u16:
      return read_number<std::uint16_t, std::uint64_t>(in);
    case Type::i16:
      return read_number<std::int16_t, std::int64_t>(in);
    case Type::u32:
      return read_number<std::uint32_t, std::uint64_t>(in);
    case Type::i32:
      return read_number<std::int32_t, std::int64_t>(in);
    case Type::f32:
      return read_number<float, double>(in);
    case Type::u64:
      return read_number<std::uint64_t, std::uint64_t>(in);
    case Type::i64:
      return read_number<std::int64_t, std::int64_t>(in);
    case Type::f64:
      return read_number<double, double>(in);
    case Type::boolean:
      return read_boolean(in);
    case Type::string:
      return read_string(in, budget);
    case Type::array:
      return read_array(in, budget);
  }
  return unknown_type(in, at, type);
}

}  // namespace

Status read_metadata(ByteReader& in, std::uint64_t count, Metadata& metadata,
                     std::uint64_t budget_bytes) {
  constexpr std::uint64_t smallest_pair = 8 + 1 + 4 + 1;  // key length, key, type, value
  constexpr std::uint64_t memory_a_key = 256;             // map nodes and their strings
  Budget budget(budget_bytes);
  in.subject({"metadata", "元数据"});
  PREMISE_CHECK(in.expect(count, smallest_pair, {"metadata pairs", "元数据项"}));
  for (std::uint64_t i = 0; i < count; ++i) {
    in.subject({"metadata", "元数据"});
    const std::uint64_t at = in.offset();
    PREMISE_TRY(const auto key, in.string({"a key", "键"}, max_key_bytes));
    if (key.empty()) return in.refuse(at, text({"a key is empty", "键为空"}));
    in.subject({"metadata key", "元数据"}, key);
    if (metadata.has(key)) return in.refuse(at, text({"appears twice", "出现了两次"}));
    PREMISE_CHECK(budget.spend(in, 1, memory_a_key + 2 * key.size()));
    PREMISE_TRY(Read read, read_value(in, budget));
    metadata.set(std::string(key), std::move(read.value), read.bits);
  }
  return {};
}

}  // namespace premise::gguf
