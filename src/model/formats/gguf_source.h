// The TensorSource over one or more parsed GGUF files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "model/formats/gguf.h"

namespace premise::gguf {

/// A file's bytes, with the mapping that holds them where there is one.
struct Part {
  std::span<const std::byte> bytes;
  std::optional<MappedFile> file;
  std::string path;
};

class Source final : public TensorSource {
 public:
  /// Takes parts and what they say, in the order of the parts; metadata is the first one's.
  /// An Error where two parts hold a tensor of the same name.
  static Result<std::unique_ptr<TensorSource>> make(std::vector<Part> parts,
                                                    std::vector<GgufContent> contents);

  const Metadata& metadata() const override { return metadata_; }
  std::span<const TensorInfo> tensors() const override { return tensors_; }
  std::optional<std::size_t> find(std::string_view name) const override;
  TensorView view(std::size_t index) const override;
  void release(std::span<const std::byte> bytes) const override;
  std::string_view path() const override { return parts_.front().path; }
  SourceOrigin origin() const override;
  Status check_unchanged() const override;

 private:
  Source() = default;
  Status index_names();

  std::vector<Part> parts_;
  std::uint32_t version_ = 0;
  Metadata metadata_;
  std::vector<TensorInfo> tensors_;
  std::vector<std::span<const std::byte>> bytes_;  // of each tensor
  std::vector<std::uint32_t> by_name_;             // indices of tensors_, sorted by name
};

}  // namespace premise::gguf
