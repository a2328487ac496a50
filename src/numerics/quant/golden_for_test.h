// Recorded answers of other implementations (tests/golden/make_quant_goldens.py), for tests only.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "numerics/tensor/dtype.h"

namespace premise {

/// A golden file, read in order; every read past its end fails the test and yields zeros.
class GoldenReader {
 public:
  explicit GoldenReader(const std::string& name) {
    std::ifstream file(std::string(PREMISE_SOURCE_DIR "/tests/golden/quant/") + name,
                       std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    EXPECT_FALSE(bytes_.empty()) << name << " is missing or empty";
  }

  template <typename T>
  std::vector<T> take(std::size_t count) {
    std::vector<T> values(count);
    const std::size_t size = count * sizeof(T);
    EXPECT_LE(size, bytes_.size() - at_);
    if (size == 0 || size > bytes_.size() - at_) return values;
    std::memcpy(values.data(), bytes_.data() + at_, size);
    at_ += size;
    return values;
  }

  std::uint32_t number() { return take<std::uint32_t>(1)[0]; }
  template <typename T>
  std::vector<T> rest() {
    return take<T>((bytes_.size() - at_) / sizeof(T));
  }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  std::vector<char> bytes_;
  std::size_t at_ = 0;
};

/// Blocks of a type and the values another implementation gives them.
struct DecodeGolden {
  std::size_t count = 0;
  std::vector<std::byte> blocks;
  std::vector<float> values;

  explicit DecodeGolden(DType dtype) {
    GoldenReader reader("decode_" + std::string(traits(dtype).name) + ".bin");
    count = reader.number();
    EXPECT_EQ(reader.number(), traits(dtype).block_bytes);
    EXPECT_EQ(reader.number(), traits(dtype).block_elements);
    blocks = reader.take<std::byte>(count * traits(dtype).block_bytes);
    values = reader.take<float>(count * traits(dtype).block_elements);
    EXPECT_TRUE(reader.at_end());
    EXPECT_GE(count, 16u);
  }
};

inline constexpr DType block_types[] = {DType::q4_0, DType::q4_1, DType::q5_0,   DType::q5_1,
                                        DType::q8_0, DType::q2_k, DType::q3_k,   DType::q4_k,
                                        DType::q5_k, DType::q6_k, DType::iq4_nl, DType::iq4_xs};

inline std::string type_name(const testing::TestParamInfo<DType>& info) {
  return std::string(traits(info.param).name);
}

}  // namespace premise
