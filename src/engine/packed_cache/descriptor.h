// A file of the cache, opened the careful way: within this room.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"
#include "engine/packed_cache/packed_header.h"

namespace premise {

/// Owns a file descriptor, or none (-1).
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  explicit operator bool() const { return number_ >= 0; }
  int get() const { return number_; }

 private:
  int number_;
};

/// For reading; none, with errno, where it is missing, a link, or no regular file.
Descriptor open_regular(const std::filesystem::path& path);

/// Whether this open file is the one that stands at `path`.
bool is_at(int descriptor, const std::filesystem::path& path);

/// Reads `into` from `offset` on, all of it; false at an error or where the file is shorter.
bool read_at(int descriptor, std::uint64_t offset, std::span<std::byte> into);

/// The checked head of an open file of `bytes` bytes. Errors: bad_input.
Result<PackedHeader> read_head(int descriptor, std::uint64_t bytes, const std::string& path);

}  // namespace premise
