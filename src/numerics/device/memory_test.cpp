#include "numerics/device/memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <utility>

namespace premise {
namespace {

std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

TEST(AlignedBuffer, IsZeroedWritableAndAligned) {
  for (std::size_t bytes : {std::size_t{1}, std::size_t{4097}, (std::size_t{2} << 20) - 1}) {
    Result<AlignedBuffer> buffer = AlignedBuffer::allocate(bytes);
    ASSERT_TRUE(buffer.ok()) << bytes;
    EXPECT_EQ(buffer->bytes(), bytes);
    EXPECT_EQ(address(buffer->data()) % 64, 0u);
    EXPECT_EQ(buffer->data()[bytes - 1], std::byte{0});
    buffer->data()[0] = buffer->data()[bytes - 1] = std::byte{7};
  }
}

TEST(AlignedBuffer, LargeOnesStartOnAHugePage) {
  for (std::size_t bytes : {std::size_t{2} << 20, (std::size_t{5} << 20) + 13}) {
    Result<AlignedBuffer> buffer = AlignedBuffer::allocate(bytes);
    ASSERT_TRUE(buffer.ok());
    EXPECT_EQ(address(buffer->data()) % (std::size_t{2} << 20), 0u);
    buffer->data()[bytes - 1] = std::byte{1};
  }
}

TEST(AlignedBuffer, NothingIsAllowed) {
  Result<AlignedBuffer> buffer = AlignedBuffer::allocate(0);
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ(buffer->data(), nullptr);
}

TEST(AlignedBuffer, WhatCannotBeHadIsAnErrorThatNamesTheBytes) {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  for (std::size_t bytes : {most, most - (std::size_t{2} << 20), most / 2}) {
    const Result<AlignedBuffer> buffer = AlignedBuffer::allocate(bytes);
    ASSERT_FALSE(buffer.ok());
    EXPECT_EQ(buffer.error().code, ErrorCode::no_resources);
    EXPECT_NE(buffer.error().what.en.find(std::to_string(bytes)), std::string::npos);
    EXPECT_NE(buffer.error().what.zh.find(std::to_string(bytes)), std::string::npos);
  }
}

TEST(AlignedBuffer, MovesLeaveNothingBehind) {
  AlignedBuffer first = AlignedBuffer::allocate(100).value();
  std::byte* data = first.data();
  AlignedBuffer second = std::move(first);
  EXPECT_EQ(second.data(), data);
  AlignedBuffer third = AlignedBuffer::allocate(5000).value();
  third = std::move(second);
  EXPECT_EQ(third.data(), data);
  EXPECT_EQ(third.bytes(), 100u);
}

TEST(AlignedBuffer, ComesFromTheKernelAndGoesBackToIt) {
  constexpr std::size_t bytes = std::size_t{64} << 20;
  const std::uint64_t before = resident_bytes().value();
  {
    AlignedBuffer buffer = AlignedBuffer::allocate(bytes).value();
    EXPECT_LT(resident_bytes().value(), before + bytes / 2) << "untouched pages take no memory";
    for (std::size_t at = 0; at < bytes; at += 4096) buffer.data()[at] = std::byte{1};
    EXPECT_GT(resident_bytes().value(), before + bytes / 2);
  }
  EXPECT_LT(resident_bytes().value(), before + bytes / 2);
  EXPECT_GE(peak_resident_bytes().value(), before + bytes / 2);
}

TEST(Arena, PiecesAreAlignedApartAndZeroed) {
  Arena arena = Arena::create(1000).value();
  const std::span<float> a = arena.take<float>(3).value();
  const std::span<std::uint16_t> b = arena.take<std::uint16_t>(5).value();
  EXPECT_EQ(address(a.data()) % 64, 0u);
  EXPECT_EQ(address(b.data()) - address(a.data()), 64u);
  EXPECT_EQ(a[2], 0.0f);
  EXPECT_EQ(arena.used_bytes(), 128u);
}

TEST(Arena, FootprintsAddUpToACapacityThatIsEnough) {
  const std::size_t sum = *Arena::footprint(3, 4) + *Arena::footprint(100, 2);
  Arena arena = Arena::create(sum).value();
  EXPECT_TRUE(arena.take<float>(3).ok());
  EXPECT_TRUE(arena.take<std::uint16_t>(100).ok());
  EXPECT_EQ(arena.used_bytes(), arena.capacity_bytes());
  EXPECT_EQ(Arena::footprint(std::numeric_limits<std::size_t>::max(), 1), std::nullopt);
}

TEST(Arena, FullOrOverflowingIsAnError) {
  Arena arena = Arena::create(100).value();
  EXPECT_TRUE(arena.take<std::byte>(100).ok()) << "the last piece may use the tail";
  EXPECT_FALSE(arena.take<std::byte>(1).ok());
  Arena other = Arena::create(100).value();
  const auto huge = other.take<double>(std::numeric_limits<std::size_t>::max() / 4);
  ASSERT_FALSE(huge.ok());
  EXPECT_EQ(huge.error().code, ErrorCode::no_resources);
}

}  // namespace
}  // namespace premise
