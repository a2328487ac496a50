// Why not aligned_alloc: a heap keeps what it was given back, mixes large and small, and starts
// large pieces at 16 bytes past a page. Weights and caches live long and are large; 2 MiB pages
// spare their readers most TLB misses (measured 29 → 33 GB/s of read bandwidth on two cores), and
// the kernel builds them only for an aligned range (madvise(2), MADV_HUGEPAGE).
#include "numerics/device/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <utility>

namespace premise {
namespace {

constexpr std::size_t huge_page_bytes = std::size_t{2} << 20;

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

std::optional<std::size_t> rounded_up(std::size_t bytes, std::size_t unit) {
  if (bytes > std::numeric_limits<std::size_t>::max() - (unit - 1)) return std::nullopt;
  return (bytes + unit - 1) / unit * unit;
}

Error no_memory(std::size_t bytes, const char* reason) {
  return error(ErrorCode::no_resources,
               {"could not get {} bytes of memory: {}", "无法分配 {} 字节内存：{}"}, bytes, reason)
      .with_hint(text({"use a smaller context, fewer parallel requests or a smaller weight type",
                       "请减小上下文长度或并发数，或使用更小的权重类型"}));
}

/// Maps `bytes` at a multiple of 2 MiB: maps one huge page more and gives both ends back.
void* map_huge_aligned(std::size_t bytes) {
  const std::size_t wide = bytes + huge_page_bytes;
  void* raw = mmap(nullptr, wide, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return raw;
  const auto start = reinterpret_cast<std::uintptr_t>(raw);
  const std::uintptr_t aligned = (start + huge_page_bytes - 1) / huge_page_bytes * huge_page_bytes;
  const std::size_t head = aligned - start;
  const std::size_t tail = huge_page_bytes - head;
  if (head > 0) munmap(raw, head);
  if (tail > 0) munmap(reinterpret_cast<void*>(aligned + bytes), tail);
  void* data = reinterpret_cast<void*>(aligned);
  madvise(data, bytes, MADV_HUGEPAGE);  // advice: a kernel without huge pages refuses, no harm done
  return data;
}

std::optional<std::uint64_t> status_field(const char* field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(field, 0) != 0) continue;
    return std::strtoull(line.c_str() + std::strlen(field), nullptr, 10) * 1024;  // always "kB"
  }
  return std::nullopt;
}

}  // namespace

Result<AlignedBuffer> AlignedBuffer::allocate(std::size_t bytes) {
  if (bytes == 0) return AlignedBuffer();
  const bool large = bytes >= huge_page_bytes;
  const std::optional<std::size_t> mapped =
      rounded_up(bytes, large ? huge_page_bytes : page_bytes());
  if (!mapped || *mapped > std::numeric_limits<std::size_t>::max() - huge_page_bytes) {
    return no_memory(bytes, "more than an address space");
  }
  void* data =
      large ? map_huge_aligned(*mapped)
            : mmap(nullptr, *mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return no_memory(bytes, std::strerror(errno));
  return AlignedBuffer(static_cast<std::byte*>(data), bytes, *mapped);
}

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      mapped_bytes_(std::exchange(other.mapped_bytes_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  if (this != &other) {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
  }
  return *this;
}

AlignedBuffer::~AlignedBuffer() {
  if (data_ != nullptr) munmap(data_, mapped_bytes_);
}

Result<Arena> Arena::create(std::size_t capacity_bytes) {
  PREMISE_TRY(AlignedBuffer buffer, AlignedBuffer::allocate(capacity_bytes));
  return Arena(std::move(buffer));
}

std::optional<std::size_t> Arena::footprint(std::size_t count, std::size_t element_bytes) {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, element_bytes, &bytes)) return std::nullopt;
  return rounded_up(bytes, alignment);
}

Result<std::byte*> Arena::take_bytes(std::size_t count, std::size_t element_bytes) {
  const std::optional<std::size_t> bytes = footprint(count, element_bytes);
  const std::size_t left = capacity_bytes() - std::min(used_bytes_, capacity_bytes());
  // The last piece may end at the capacity itself, which need not be a multiple of the alignment.
  if (!bytes || count * element_bytes > left) {
    return error(ErrorCode::no_resources,
                 {"memory arena of {} bytes has {} left; {} elements of {} bytes do not fit",
                  "内存池共 {} 字节，剩余 {} 字节，放不下 {} 个 {} 字节的元素"},
                 capacity_bytes(), left, count, element_bytes);
  }
  std::byte* place = buffer_.data() + used_bytes_;
  used_bytes_ += *bytes;
  return place;
}

std::optional<std::uint64_t> resident_bytes() { return status_field("VmRSS:"); }
std::optional<std::uint64_t> peak_resident_bytes() { return status_field("VmHWM:"); }

}  // namespace premise
