#include "model/formats/format_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <type_traits>

namespace premise {
namespace {

template <typename T>
std::string type_name(unsigned bits) {
  const unsigned width = bits == 0 ? 64 : bits;
  if constexpr (std::is_same_v<T, bool>)
    return "bool";
  else if constexpr (std::is_same_v<T, std::string>)
    return "string";
  else if constexpr (std::is_same_v<T, double>)
    return fmt::format("f{}", width);
  else
    return fmt::format("{}{}", std::is_signed_v<T> ? 'i' : 'u', width);
}

/// A 32-bit float is shown as the shortest decimal that gives it back: 1e-06, as its author wrote,
/// and not 9.999999974752427e-07.
MetadataScalar shown(double value, unsigned bits) {
  if (bits != 32) return value;
  return std::strtod(fmt::format("{}", static_cast<float>(value)).c_str(), nullptr);
}

template <typename T>
MetadataScalar shown(const T& value, unsigned) {
  return value;
}

template <typename T>
void fill(MetadataSummary& summary, const T& value, unsigned bits, std::size_t) {
  summary.type = type_name<T>(bits);
  summary.values.push_back(shown(value, bits));
}

template <typename T>
void fill(MetadataSummary& summary, const std::vector<T>& values, unsigned bits,
          std::size_t elements) {
  summary.type = type_name<T>(bits);
  summary.is_array = true;
  summary.count = values.size();
  for (std::size_t i = 0; i < std::min(elements, values.size()); ++i) {
    const T element = values[i];
    summary.values.push_back(shown(element, bits));
  }
}

/// Sums over tensors cannot overflow in bytes, which lie in files; elements of sub-byte types can
/// only in theory, and saturate there.
std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

std::vector<TypeTotal> totals(std::span<const TensorInfo> tensors) {
  std::vector<TypeTotal> types;
  for (const TensorInfo& tensor : tensors) {
    auto total = std::ranges::find(types, tensor.dtype, &TypeTotal::dtype);
    if (total == types.end()) total = types.insert(types.end(), TypeTotal{tensor.dtype});
    ++total->tensors;
    total->elements = saturating_add(total->elements, tensor.shape.elements());
    total->bytes += tensor.bytes;
  }
  std::ranges::sort(types, [](const TypeTotal& a, const TypeTotal& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.dtype < b.dtype;
  });
  return types;
}

}  // namespace

FormatReport report(const TensorSource& source, std::size_t array_elements) {
  FormatReport report;
  report.origin = source.origin();
  for (const SourceFile& file : report.origin.files) report.file_bytes += file.bytes;
  report.tensors.assign(source.tensors().begin(), source.tensors().end());
  report.types = totals(source.tensors());
  for (const TypeTotal& type : report.types) {
    report.parameters = saturating_add(report.parameters, type.elements);
    report.tensor_bytes += type.bytes;
  }
  const Metadata& metadata = source.metadata();
  for (const auto& [key, value] : metadata.values()) {
    MetadataSummary& summary = report.metadata.emplace_back();
    summary.key = key;
    std::visit([&](const auto& v) { fill(summary, v, metadata.bits(key), array_elements); }, value);
  }
  return report;
}

}  // namespace premise
