// Where weights come from: the one interface that every file format fills.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "base/result.h"
#include "model/formats/metadata.h"
#include "numerics/tensor/tensor_view.h"

namespace premise {

struct TensorInfo {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;              // row-major, outermost first
  std::uint64_t bytes = 0;  // rows * row_bytes, checked against the file
};

/// One file of a model, for reports.
struct SourceFile {
  std::string path;
  std::uint64_t bytes = 0;
  FileIdentity identity{};  // when it was opened; zeros for what is no file
};

/// What an opened model was read from.
struct SourceOrigin {
  std::string format;         // "gguf"
  std::uint32_t version = 0;  // of the format; 0 where it has none
  std::vector<SourceFile> files;
};

/// An opened model. Everything was checked on opening: each view lies inside its file, sizes agree
/// with shapes, names are unique. Reading is thread-safe; the views live as long as the source.
class TensorSource {
 public:
  virtual ~TensorSource() = default;

  virtual const Metadata& metadata() const = 0;
  virtual std::span<const TensorInfo> tensors() const = 0;  // in file order

  /// Index into tensors(), or nothing.
  virtual std::optional<std::size_t> find(std::string_view name) const = 0;

  /// The mapped bytes of a tensor; faults pages in as they are read.
  virtual TensorView view(std::size_t index) const = 0;

  /// Tells the system that these bytes of a view are not needed for now, so that their pages leave
  /// resident memory; reading them again is correct and slow.
  virtual void release(std::span<const std::byte> bytes) const = 0;

  /// Path of the (first) file, for messages.
  virtual std::string_view path() const = 0;

  /// Format and files; empty for sources that are made in memory.
  virtual SourceOrigin origin() const { return {}; }

  /// An Error where a file was written to since it was opened. To be asked after all weights were
  /// read: a file overwritten in place meanwhile gives a mixture of two models, silently.
  virtual Status check_unchanged() const { return {}; }
};

}  // namespace premise
