// Memory for numbers: large, aligned, from the kernel directly, and counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "base/result.h"

namespace premise {

/// An anonymous mapping of zeros. Pages are given by the kernel when first touched, on the memory
/// of the processor that touches them: the user decides by writing from the right thread.
/// Move-only; the memory is returned on destruction. Any thread may use it, one owns it.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;  // nothing: data() is null, bytes() is 0
  AlignedBuffer(AlignedBuffer&& other) noexcept;
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;
  ~AlignedBuffer();

  /// `bytes` bytes at an address that is a multiple of 64; from 2 MiB on a multiple of 2 MiB, and
  /// the kernel is asked for huge pages. Error no_resources names the bytes that could not be had.
  static Result<AlignedBuffer> allocate(std::size_t bytes);

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  AlignedBuffer(std::byte* data, std::size_t bytes, std::size_t mapped_bytes)
      : data_(data), bytes_(bytes), mapped_bytes_(mapped_bytes) {}

  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t mapped_bytes_ = 0;
};

/// Hands out pieces of one buffer, front to back, each at a multiple of 64; nothing is returned
/// singly. For what a model needs as long as it lives, planned once. One thread at a time.
class Arena {
 public:
  static constexpr std::size_t alignment = 64;  // a cache line, and a register of AVX-512

  Arena() = default;
  static Result<Arena> create(std::size_t capacity_bytes);

  /// `count` zeroed elements. Error no_resources where the arena is full or the product overflows.
  template <typename T>
  Result<std::span<T>> take(std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= alignment);
    PREMISE_TRY(std::byte * place, take_bytes(count, sizeof(T)));
    return std::span<T>(reinterpret_cast<T*>(place), count);
  }

  std::size_t capacity_bytes() const { return buffer_.bytes(); }
  std::size_t used_bytes() const { return used_bytes_; }

  /// Bytes that `count` elements of `element_bytes` take from an arena; nothing on overflow.
  /// The sum over all pieces is the capacity to ask for.
  static std::optional<std::size_t> footprint(std::size_t count, std::size_t element_bytes);

 private:
  explicit Arena(AlignedBuffer buffer) : buffer_(std::move(buffer)) {}
  Result<std::byte*> take_bytes(std::size_t count, std::size_t element_bytes);

  AlignedBuffer buffer_;
  std::size_t used_bytes_ = 0;
};

/// Memory of this process that is in RAM now (VmRSS), and the most that ever was (VmHWM); nothing
/// where /proc cannot be read.
std::optional<std::uint64_t> resident_bytes();
std::optional<std::uint64_t> peak_resident_bytes();

}  // namespace premise
