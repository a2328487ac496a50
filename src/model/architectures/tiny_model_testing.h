// Tiny random models for tests, from the recipes of tests/golden/architectures.
//
// Weights are not recorded but computed from the tensor's name and the element's index, by the rule
// that tests/golden/tiny_models.py states and uses for transformers. A test may change keys and
// tensors before it asks for the file, to see what becomes of a model that is not as it should be.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/formats/gguf.h"
#include "model/formats/gguf_writer.h"
#include "numerics/quant/decode.h"
#include "numerics/quant/encode.h"

namespace premise::testing {

/// One tensor: its shape, and the range of its values; or its values.
struct TinyTensor {
  std::string name;
  Shape shape;
  double center = 0.0;
  double amplitude = 0.0;
  std::vector<float> given;  // where not empty: these instead of computed ones
};

inline Shape shape_of(std::uint64_t rows, std::uint64_t columns) {
  return rows == 0 ? Shape{{columns, 1, 1, 1}, 1} : Shape{{rows, columns, 1, 1}, 2};
}

inline std::vector<float> values_of(const TinyTensor& tensor) {
  if (!tensor.given.empty()) return tensor.given;
  std::uint64_t key = 0xCBF29CE484222325u;  // FNV-1a
  for (const char c : tensor.name) key = (key ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  std::vector<float> values(tensor.shape.elements());
  for (std::uint64_t i = 0; i < values.size(); ++i) {
    std::uint64_t z = key + (i + 1) * 0x9E3779B97F4A7C15u;  // splitmix64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    const double unit = static_cast<double>(z >> 40) / 8388608.0 - 1.0;
    values[i] = static_cast<float>(tensor.center + tensor.amplitude * unit);
  }
  return values;
}

/// A GGUF file in memory, opened. Not to be moved while somebody uses the source.
struct TinyFile {
  std::vector<std::byte> bytes;
  std::unique_ptr<TensorSource> source;
};

struct TinyModel {
  Metadata metadata;                                       // the model's own keys, and golden.*
  std::vector<std::pair<std::string, GgufValue>> changes;  // keys set on top
  std::vector<TinyTensor> tensors;

  TinyTensor& tensor(std::string_view name) {
    return *std::ranges::find(tensors, name, &TinyTensor::name);
  }
  void remove(std::string_view name) {
    std::erase_if(tensors, [&](const TinyTensor& t) { return t.name == name; });
  }
  void set(std::string key, GgufValue value) {
    changes.emplace_back(std::move(key), std::move(value));
  }
};

inline std::filesystem::path golden_path(std::string_view name) {
  return std::filesystem::path(PREMISE_SOURCE_DIR "/tests/golden/architectures") /
         (std::string(name) + ".gguf");
}

inline Result<std::vector<float>> read_floats(const TensorSource& source, std::string_view name) {
  const auto index = source.find(name);
  if (!index) return error(ErrorCode::bad_input, {"no tensor {}", "没有张量 {}"}, name);
  const TensorView view = source.view(*index);
  std::vector<float> values(view.shape.elements());
  PREMISE_CHECK(decode_row(view.dtype, view.bytes, values));
  return values;
}

/// The model of an opened golden file.
inline Result<TinyModel> tiny_model(const TensorSource& golden) {
  TinyModel model;
  const Metadata& meta = golden.metadata();
  model.metadata = meta;
  PREMISE_TRY(const auto names, meta.strings("golden.tensor.names"));
  PREMISE_TRY(const auto rows, meta.integers("golden.tensor.rows"));
  PREMISE_TRY(const auto columns, meta.integers("golden.tensor.columns"));
  PREMISE_TRY(const auto centers, meta.numbers("golden.tensor.centers"));
  PREMISE_TRY(const auto amplitudes, meta.numbers("golden.tensor.amplitudes"));
  for (std::size_t i = 0; i < names.size(); ++i)
    model.tensors.push_back(
        {names[i],
         shape_of(static_cast<std::uint64_t>(rows[i]), static_cast<std::uint64_t>(columns[i])),
         centers[i],
         amplitudes[i],
         {}});
  for (const TensorInfo& tensor : golden.tensors()) {
    if (tensor.name.starts_with("golden.")) continue;
    PREMISE_TRY(auto values, read_floats(golden, tensor.name));
    model.tensors.push_back({tensor.name, tensor.shape, 0.0, 0.0, std::move(values)});
  }
  return model;
}

inline Result<TinyModel> tiny_model(std::string_view name) {
  PREMISE_TRY(const auto golden, open_gguf(golden_path(name)));
  return tiny_model(*golden);
}

/// How matrices are stored. `decoded`: in F32, with the values that `type` makes of them.
struct MatrixType {
  DType type = DType::f32;
  bool decoded = false;
};

inline Result<std::vector<std::byte>> encoded(const TinyTensor& tensor, MatrixType as) {
  std::vector<float> values = values_of(tensor);
  const bool is_matrix = tensor.shape.rank == 2;
  const DType type = is_matrix ? as.type : DType::f32;
  const std::uint64_t row_size = row_bytes(type, tensor.shape.columns()).value_or(0);
  std::vector<std::byte> bytes(row_size * tensor.shape.rows());
  for (std::uint64_t row = 0; row < tensor.shape.rows(); ++row) {
    const std::uint64_t columns = tensor.shape.columns();
    const std::span<float> from(values.data() + row * columns, columns);
    const std::span<std::byte> to(bytes.data() + row * row_size, row_size);
    PREMISE_CHECK(encode_row(type, from, to));
    if (as.decoded) PREMISE_CHECK(decode_row(type, to, from));
  }
  if (!as.decoded) return bytes;
  bytes.resize(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

inline Result<TinyFile> tiny_file(const TinyModel& model, MatrixType as = {}) {
  GgufWriter writer;
  writer.copy(model.metadata);
  for (const auto& [key, value] : model.changes) writer.set(key, value);
  std::vector<std::vector<std::byte>> kept;
  for (const TinyTensor& tensor : model.tensors) {
    PREMISE_TRY(auto bytes, encoded(tensor, as));
    kept.push_back(std::move(bytes));
    const bool typed = tensor.shape.rank == 2 && !as.decoded;
    writer.add_tensor(tensor.name, typed ? as.type : DType::f32, tensor.shape, kept.back());
  }
  TinyFile file;
  PREMISE_TRY(file.bytes, writer.to_bytes());
  PREMISE_TRY(file.source, open_gguf_bytes(file.bytes, "tiny.gguf"));
  return file;
}

}  // namespace premise::testing
