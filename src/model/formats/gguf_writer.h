// Writes GGUF version 3. Metadata and infos are small and built in memory; tensor bytes are asked
// for one tensor, or one piece of a tensor, at a time while the file is written, so that a model
// larger than memory can be converted. Wrong use (a name twice, bytes that disagree with the shape,
// …) is reported by check(), which every way of writing calls first: one place to handle errors
// instead of one a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/formats/gguf_types.h"
#include "model/formats/metadata.h"
#include "numerics/tensor/tensor_view.h"

namespace premise {

/// A metadata value with the exact type that it has in the file. Readers elsewhere insist on it:
/// most counts are u32, most floats f32, token types [i32], split.* u16.
using GgufValue =
    std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t,
                 std::int32_t, float, bool, std::string, std::uint64_t, std::int64_t, double,
                 std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                 std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>,
                 std::vector<float>, std::vector<bool>, std::vector<std::string>,
                 std::vector<std::uint64_t>, std::vector<std::int64_t>, std::vector<double>>;

/// A value that was read, in the width it had in its file. With `bits` 0 (from another format):
/// 32 bits where that loses nothing, 64 otherwise.
GgufValue gguf_value(const MetadataValue& value, unsigned bits);

class GgufWriter {
 public:
  /// Gives a tensor's bytes while the file is written; the span must stay valid until the next
  /// call.
  using Producer = std::function<Result<std::span<const std::byte>>()>;

  explicit GgufWriter(std::uint64_t alignment = gguf::default_alignment) : alignment_(alignment) {}

  /// Sets a key, or changes it where it stands. general.alignment is the writer's own.
  void set(std::string key, GgufValue value);

  /// Every key of a model that was read, but for those that describe its file: alignment, split.*.
  void copy(const Metadata& metadata);

  /// Bytes that lie somewhere until the file is written (a view of a mapped model) …
  void add_tensor(std::string name, DType dtype, const Shape& shape,
                  std::span<const std::byte> bytes);
  /// … or are made when their turn comes, in the order of the calls.
  void add_tensor(std::string name, DType dtype, const Shape& shape, Producer producer);

  /// … or come in pieces: the producer is asked again until the pieces are the whole tensor. None
  /// may be empty.
  void add_tensor_in_pieces(std::string name, DType dtype, const Shape& shape, Producer producer);

  /// Bytes that the file will have.
  std::uint64_t file_bytes() const;

  /// What is wrong with what was set and added, as far as it can be known before writing.
  Status check() const;

  /// The file at `path`, whole or not at all. Error of a producer ends it.
  Status write(const std::filesystem::path& path) const;

  /// The same bytes in memory.
  Result<std::vector<std::byte>> to_bytes() const;

 private:
  struct Tensor {
    std::string name;
    DType dtype;
    Shape shape;
    Producer producer;
    std::uint64_t bytes = 0;  // 0 where shape and type disagree: check() says so
    bool in_pieces = false;
  };
  using Sink = std::function<Status(std::span<const std::byte>)>;

  std::vector<std::byte> header() const;
  std::uint64_t padded(std::uint64_t bytes) const {
    return (bytes + alignment_ - 1) & ~(alignment_ - 1);
  }
  Status write_to(const Sink& sink) const;
  static Status write_tensor(const Tensor& tensor, const Sink& sink);

  std::uint64_t alignment_;
  std::vector<std::pair<std::string, GgufValue>> values_;
  std::vector<Tensor> tensors_;
};

}  // namespace premise
