// 10,000 damaged files: recorded GGUF files with flipped bits, extreme lengths and counts, cuts,
// repeated and removed spans. Each must open and be readable to its last byte, or be refused with a
// sentence that names the file; a sanitizer build of this test looks over its shoulder. The fuzzer
// (fuzz/formats_gguf_fuzz.cpp) searches; this is the fixed sample that every test run repeats.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "model/formats/gguf.h"
#include "model/formats/touch_test.h"

namespace premise {
namespace {

using Bytes = std::vector<std::byte>;

/// xorshift64*: the same files on every machine (std distributions are not).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1d;
  }
  std::size_t below(std::size_t limit) { return next() % limit; }

 private:
  std::uint64_t state_;
};

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::vector<Bytes> golden_files() {
  const std::filesystem::path folder = PREMISE_SOURCE_DIR "/tests/golden/gguf";
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".gguf") paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<Bytes> files;
  for (const auto& path : paths) files.push_back(read_file(path));
  return files;
}

/// Numbers that lie where readers go wrong: borders of types, of signs, of products with 8 and 32.
constexpr std::array<std::uint64_t, 18> extremes = {0,
                                                    1,
                                                    2,
                                                    8,
                                                    32,
                                                    127,
                                                    255,
                                                    65535,
                                                    65536,
                                                    0x7fffffff,
                                                    0x80000000,
                                                    0xffffffff,
                                                    0x100000000,
                                                    0x1fffffffffffffff,
                                                    0x2000000000000001,
                                                    0x7fffffffffffffff,
                                                    0x8000000000000000,
                                                    0xffffffffffffffff};

void overwrite_number(Bytes& file, Random& random) {
  const std::uint64_t value = random.below(4) == 0 ? file.size() + random.below(64) - 32
                                                   : extremes[random.below(extremes.size())];
  const std::size_t size = std::size_t{1} << random.below(4);
  const std::size_t at = random.below(file.size());
  std::memcpy(file.data() + at, &value, std::min(size, file.size() - at));
}

void mutate(Bytes& file, Random& random) {
  const std::size_t at = random.below(file.size());
  const std::size_t length = std::min(file.size() - at, 1 + random.below(40));
  const auto begin = file.begin() + static_cast<std::ptrdiff_t>(at);
  const auto end = begin + static_cast<std::ptrdiff_t>(length);
  switch (random.below(6)) {
    case 0:
      file[at] ^= static_cast<std::byte>(1u << random.below(8));
      break;
    case 1:
      overwrite_number(file, random);
      break;
    case 2:
      file.resize(at);
      break;
    case 3:
      file.erase(begin, end);
      break;
    case 4: {
      const Bytes span(begin, end);
      const std::size_t target = random.below(file.size());
      file.insert(file.begin() + static_cast<std::ptrdiff_t>(target), span.begin(), span.end());
      break;
    }
    default:
      std::fill(begin, end, static_cast<std::byte>(random.next()));
      break;
  }
}

/// Damages the first `focus` bytes, where header, keys and infos lie, in most cases.
Bytes damaged(const Bytes& original, Random& random) {
  Bytes file = original;
  const std::size_t times = 1 + random.below(3);
  for (std::size_t i = 0; i < times && !file.empty(); ++i) {
    if (random.below(8) == 0) {
      mutate(file, random);
      continue;
    }
    const std::size_t focus = std::min<std::size_t>(file.size(), 2000);
    Bytes head(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(focus));
    mutate(head, random);
    head.insert(head.end(), file.begin() + static_cast<std::ptrdiff_t>(focus), file.end());
    file = std::move(head);
  }
  return file;
}

struct Tally {
  std::size_t opened = 0;
  std::size_t refused = 0;
};

/// Opens exactly these bytes: a copy without spare room, so that a sanitizer sees the first byte
/// beyond the end.
void open_and_touch(const Bytes& file, Tally& tally) {
  const std::unique_ptr<std::byte[]> exact(new std::byte[file.size()]);
  std::ranges::copy(file, exact.get());
  const auto source = open_gguf_bytes({exact.get(), file.size()}, "damaged.gguf");
  if (source.ok()) {
    ++tally.opened;
    EXPECT_GT(touch(**source), 0u);
    return;
  }
  ++tally.refused;
  const Error& error = source.error();
  EXPECT_EQ(error.code, ErrorCode::bad_input);
  EXPECT_TRUE(error.what.en.starts_with("damaged.gguf: ")) << error.what.en;
  EXPECT_TRUE(error.what.zh.starts_with("damaged.gguf：")) << error.what.zh;
  EXPECT_LT(error.what.en.size(), 500u);
}

TEST(GgufMutation, TenThousandDamagedFilesAreReadOrRefused) {
  const auto start = std::chrono::steady_clock::now();
  const auto originals = golden_files();
  ASSERT_GE(originals.size(), 8u);
  Tally tally;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    Random random(i);
    open_and_touch(damaged(originals[i % originals.size()], random), tally);
    if (HasFailure()) FAIL() << "file " << i;
  }
  // Both must happen often, or the sample has lost its point.
  EXPECT_GT(tally.opened, 500u);
  EXPECT_GT(tally.refused, 2000u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(GgufMutation, EveryCutIntoARecordedFileIsRefused) {
  for (const Bytes& original : golden_files()) {
    Tally tally;
    // The padding behind the last tensor is no part of it: files cut there are whole.
    for (std::size_t size = 0; size < original.size(); ++size)
      open_and_touch({original.begin(), original.begin() + static_cast<std::ptrdiff_t>(size)},
                     tally);
    EXPECT_LT(tally.opened, 128u);
  }
}

}  // namespace
}  // namespace premise
