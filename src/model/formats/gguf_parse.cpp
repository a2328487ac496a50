#include <algorithm>
#include <bit>
#include <new>
#include <numeric>
#include <string>

#include "model/formats/byte_reader.h"
#include "model/formats/gguf.h"
#include "model/formats/gguf_metadata.h"
#include "model/formats/gguf_types.h"
#include "model/formats/in_quotes.h"

namespace premise {
namespace {

constexpr Label tensor_label{"tensor", "张量"};

struct Header {
  std::uint32_t version = 0;
  std::uint64_t tensor_count = 0;
  std::uint64_t metadata_count = 0;
};

/// A tensor's info as it stands in the file, before its place was checked.
struct Record {
  TensorInfo info;
  std::uint64_t info_offset = 0;  // of the info itself, for messages
  std::uint64_t data_offset = 0;  // relative to the data section
};

Status check_version(const ByteReader& in, std::uint32_t version) {
  if (version == 2 || version == 3) return {};
  const Text newer{"convert or download the model again as GGUF version 3",
                   "请重新转换或下载版本 3 的 GGUF 模型"};
  if (version == 1)
    return in.refuse(4, text({"GGUF version 1 is not supported", "不支持 GGUF 版本 1"}))
        .with_hint(newer);
  if (version != 0 && (version & 0xffff) == 0)
    return in
        .refuse(4, text({"the file is big-endian, which is not supported",
                         "文件是大端字节序，不受支持"}))
        .with_hint(newer);
  return in.refuse(4, text({"GGUF version {} is unknown (2 and 3 are read)",
                            "未知的 GGUF 版本 {}（可读取 2 和 3）"},
                           version));
}

Result<Header> read_header(ByteReader& in) {
  in.subject({"header", "文件头"});
  PREMISE_TRY(const auto magic, in.take(sizeof gguf::magic, 1, {"bytes of the magic", "魔数字节"}));
  if (std::memcmp(magic.data(), gguf::magic, sizeof gguf::magic) != 0)
    return in.refuse(0, text({"this is no GGUF file: it does not begin with \"GGUF\"",
                              "不是 GGUF 文件：开头不是“GGUF”"}));
  Header header;
  PREMISE_TRY(header.version, in.number<std::uint32_t>({"the version", "版本号"}));
  PREMISE_CHECK(check_version(in, header.version));
  const std::uint64_t at = in.offset();
  PREMISE_TRY(header.tensor_count, in.number<std::uint64_t>({"the tensor count", "张量个数"}));
  PREMISE_TRY(header.metadata_count,
              in.number<std::uint64_t>({"the metadata count", "元数据项数"}));
  if (header.tensor_count > gguf::max_tensors)
    return in.refuse(at, text({"{} tensors are claimed, at most {} are accepted",
                               "声称有 {} 个张量，最多接受 {} 个"},
                              header.tensor_count, gguf::max_tensors));
  return header;
}

Result<std::uint64_t> alignment_of(const Metadata& metadata) {
  PREMISE_TRY(const auto alignment, metadata.u64_or(gguf::alignment_key, gguf::default_alignment));
  if (std::has_single_bit(alignment) && alignment >= gguf::min_alignment &&
      alignment <= gguf::max_alignment)
    return alignment;
  return error(ErrorCode::bad_input,
               {"{}: metadata key \"{}\" is {}, expected a power of two from {} to {}",
                "{}：元数据 \"{}\" 是 {}，应为 {} 至 {} 之间的 2 的幂"},
               metadata.path(), gguf::alignment_key, alignment, gguf::min_alignment,
               gguf::max_alignment);
}

/// Dimensions in the file's order, innermost first, as a checked row-major shape.
Result<Shape> read_shape(ByteReader& in) {
  const std::uint64_t at = in.offset();
  PREMISE_TRY(const auto rank, in.number<std::uint32_t>({"the dimension count", "维数"}));
  if (rank > gguf::max_dims)
    return in.refuse(
        at, text({"it has {} dimensions, at most {} are allowed", "有 {} 维，最多允许 {} 维"}, rank,
                 gguf::max_dims));
  Shape shape;
  shape.rank = static_cast<std::uint8_t>(rank);
  std::uint64_t elements = 1;
  for (unsigned i = 0; i < rank; ++i) {
    const std::uint64_t dim_at = in.offset();
    PREMISE_TRY(const auto dim, in.number<std::uint64_t>({"a dimension", "维度"}));
    if (dim == 0) return in.refuse(dim_at, text({"dimension {} is 0", "第 {} 维是 0"}, i));
    if (__builtin_mul_overflow(elements, dim, &elements))
      return in.refuse(dim_at, text({"the dimensions' product overflows", "维度的乘积溢出"}));
    shape.dims[rank - 1 - i] = dim;
  }
  return shape;
}

Result<DType> read_dtype(ByteReader& in) {
  const std::uint64_t at = in.offset();
  PREMISE_TRY(const auto number, in.number<std::uint32_t>({"the tensor type", "张量类型"}));
  if (const auto dtype = dtype_from_gguf(number)) return *dtype;
  return in
      .refuse(at,
              text({"tensor type {} is unknown or withdrawn", "张量类型 {} 未知或已废弃"}, number))
      .with_hint(text({"the file may be newer than this version of Premise, or damaged",
                       "文件可能比本版本 Premise 新，或已损坏"}));
}

Result<std::uint64_t> tensor_bytes(const ByteReader& in, std::uint64_t at, DType dtype,
                                   const Shape& shape) {
  const DTypeTraits& type = traits(dtype);
  if (shape.columns() % type.block_elements != 0)
    return in.refuse(at, text({"a row of {} elements is no whole number of {} blocks of {}",
                               "每行 {} 个元素，不是 {} 的整块（每块 {} 个）"},
                              shape.columns(), type.name, type.block_elements));
  const auto row = row_bytes(dtype, shape.columns());
  std::uint64_t bytes = 0;
  if (!row || __builtin_mul_overflow(*row, shape.rows(), &bytes))
    return in.refuse(at, text({"its size in bytes overflows", "字节数溢出"}));
  return bytes;
}

Result<Record> read_record(ByteReader& in) {
  Record record;
  record.info_offset = in.offset();
  in.subject(tensor_label);
  PREMISE_TRY(const auto name, in.string({"a tensor's name", "张量名"}, gguf::max_name_bytes));
  if (name.empty())
    return in.refuse(record.info_offset, text({"a tensor has no name", "张量没有名称"}));
  in.subject(tensor_label, name);
  record.info.name = name;
  PREMISE_TRY(record.info.shape, read_shape(in));
  PREMISE_TRY(record.info.dtype, read_dtype(in));
  PREMISE_TRY(record.info.bytes,
              tensor_bytes(in, record.info_offset, record.info.dtype, record.info.shape));
  PREMISE_TRY(record.data_offset, in.number<std::uint64_t>({"the offset", "偏移量"}));
  return record;
}

Result<std::vector<Record>> read_records(ByteReader& in, std::uint64_t count) {
  constexpr std::uint64_t smallest_info = 8 + 1 + 4 + 4 + 8;  // length, name, rank, type, offset
  in.subject({"tensor infos", "张量信息"});
  PREMISE_CHECK(in.expect(count, smallest_info, {"tensors", "张量"}));
  std::vector<Record> records;
  records.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    PREMISE_TRY(Record record, read_record(in));
    records.push_back(std::move(record));
  }
  return records;
}

/// How many bytes the file lacks to hold its last tensor, for the hint.
std::uint64_t missing_bytes(const std::vector<Record>& records, std::uint64_t available) {
  std::uint64_t end = available;
  for (const Record& record : records) {
    std::uint64_t last = 0;
    if (!__builtin_add_overflow(record.data_offset, record.info.bytes, &last))
      end = std::max(end, last);
  }
  return end - available;
}

Status check_places(ByteReader& in, const std::vector<Record>& records, std::uint64_t alignment,
                    std::uint64_t data_offset) {
  const std::uint64_t available = data_offset < in.size() ? in.size() - data_offset : 0;
  for (const Record& record : records) {
    in.subject(tensor_label, record.info.name);
    if (record.data_offset % alignment != 0)
      return in.refuse(record.info_offset, text({"its offset {} is no multiple of the alignment {}",
                                                 "其偏移量 {} 不是对齐值 {} 的倍数"},
                                                record.data_offset, alignment));
    if (record.data_offset > available || record.info.bytes > available - record.data_offset)
      return in
          .refuse(record.info_offset,
                  text({"its {} bytes at data offset {} lie beyond the end of the file ({} bytes)",
                        "其 {} 字节（数据偏移 {}）超出文件末尾（{} 字节）"},
                       record.info.bytes, record.data_offset, in.size()))
          .with_hint(text({"the file is cut short by {} bytes or damaged; download it again",
                           "文件缺少 {} 字节或已损坏；请重新下载"},
                          missing_bytes(records, available)));
  }
  return {};
}

Status check_overlaps(ByteReader& in, const std::vector<Record>& records) {
  std::vector<std::uint32_t> order(records.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return records[i].data_offset; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Record& before = records[order[i - 1]];
    const Record& after = records[order[i]];
    if (after.data_offset - before.data_offset >= before.info.bytes) continue;
    in.subject(tensor_label, after.info.name);
    return in.refuse(after.info_offset,
                     text({"its data at {} overlaps that of tensor {} ({} bytes at {})",
                           "其数据（{}）与张量 {} 重叠（{} 字节，位于 {}）"},
                          after.data_offset, in_quotes(before.info.name), before.info.bytes,
                          before.data_offset));
  }
  return {};
}

Status check_names(ByteReader& in, const std::vector<Record>& records) {
  std::vector<const Record*> order;
  order.reserve(records.size());
  for (const Record& record : records) order.push_back(&record);
  const auto name = [](const Record* record) -> std::string_view { return record->info.name; };
  std::ranges::sort(order, [&](const Record* a, const Record* b) {
    const int names = name(a).compare(name(b));
    return names != 0 ? names < 0 : a->info_offset < b->info_offset;
  });
  const auto twice = std::ranges::adjacent_find(order, {}, name);
  if (twice == order.end()) return {};
  in.subject(tensor_label, (*twice)->info.name);
  return in.refuse((*(twice + 1))->info_offset, text({"appears twice", "出现了两次"}));
}

Result<GgufContent> parse(ByteReader& in) {
  PREMISE_TRY(const Header header, read_header(in));
  GgufContent content;
  content.version = header.version;
  content.metadata.set_path(std::string(in.path()));
  PREMISE_CHECK(gguf::read_metadata(in, header.metadata_count, content.metadata));
  PREMISE_TRY(content.alignment, alignment_of(content.metadata));
  PREMISE_TRY(std::vector<Record> records, read_records(in, header.tensor_count));
  const std::uint64_t mask = content.alignment - 1;
  content.data_offset = (in.offset() + mask) & ~mask;

  PREMISE_CHECK(check_names(in, records));
  PREMISE_CHECK(check_places(in, records, content.alignment, content.data_offset));
  PREMISE_CHECK(check_overlaps(in, records));
  content.tensors.reserve(records.size());
  content.offsets.reserve(records.size());
  for (Record& record : records) {
    content.offsets.push_back(content.data_offset + record.data_offset);
    content.tensors.push_back(std::move(record.info));
  }
  return content;
}

}  // namespace

Result<GgufContent> parse_gguf(std::span<const std::byte> bytes, std::string_view path) {
  ByteReader in(bytes, path);
  try {
    return parse(in);
  } catch (const std::bad_alloc&) {
    return error(ErrorCode::no_resources,
                 {"{}: not enough memory to read its metadata", "{}：内存不足，无法读取元数据"},
                 path);
  }
}

}  // namespace premise
