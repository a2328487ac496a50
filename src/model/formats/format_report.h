// What `premise inspect` shows of a model file, as plain data: small however large the model is,
// since arrays are cut to their first elements.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "model/formats/tensor_source.h"

namespace premise {

using MetadataScalar = std::variant<bool, std::int64_t, std::uint64_t, double, std::string>;

struct MetadataSummary {
  std::string key;
  std::string type;  // "u32", "string"; of an array, that of its elements
  bool is_array = false;
  std::uint64_t count = 1;             // elements of an array
  std::vector<MetadataScalar> values;  // the value, or the first elements of the array
};

struct TypeTotal {
  DType dtype = DType::f32;
  std::uint64_t tensors = 0;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
};

struct FormatReport {
  SourceOrigin origin;
  std::uint64_t file_bytes = 0;  // of all parts
  std::uint64_t parameters = 0;  // elements of all tensors
  std::uint64_t tensor_bytes = 0;
  std::vector<TypeTotal> types;           // most bytes first
  std::vector<MetadataSummary> metadata;  // by key
  std::vector<TensorInfo> tensors;        // in file order
};

/// Shows at most `array_elements` of each array.
FormatReport report(const TensorSource& source, std::size_t array_elements = 8);

}  // namespace premise
