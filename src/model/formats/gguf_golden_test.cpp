// Every GGUF file under tests/golden/gguf, recorded by make_gguf_goldens.py, must say to us what it
// says to the reference reader: the facts of both are written the same way and compared as text.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <type_traits>

#include "base/mapped_file.h"
#include "model/formats/gguf.h"

namespace premise {
namespace {

const std::filesystem::path goldens = PREMISE_SOURCE_DIR "/tests/golden/gguf";

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == ' ')
      out += "\\s";
    else
      out += c;
  }
  return out;
}

template <typename T>
std::string shown(const T& value) {
  if constexpr (std::is_same_v<T, double>)
    return fmt::format("{:016x}", std::bit_cast<std::uint64_t>(value));
  else if constexpr (std::is_same_v<T, bool>)
    return value ? "1" : "0";
  else if constexpr (std::is_same_v<T, std::string>)
    return escaped(value);
  else
    return fmt::format("{}", value);
}

template <typename T>
std::string type_name(unsigned bits) {
  if constexpr (std::is_same_v<T, double>)
    return fmt::format("f{}", bits);
  else if constexpr (std::is_same_v<T, bool>)
    return "bool";
  else if constexpr (std::is_same_v<T, std::string>)
    return "string";
  else
    return fmt::format("{}{}", std::is_signed_v<T> ? "i" : "u", bits);
}

template <typename T>
std::string fact(const T& value, unsigned bits) {
  return type_name<T>(bits) + "\t" + shown(value);
}

template <typename T>
std::string fact(const std::vector<T>& values, unsigned bits) {
  std::string out = "[" + type_name<T>(bits) + "]\t";
  for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : " ") + shown<T>(values[i]);
  return out;
}

std::uint64_t fnv1a(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte b : bytes) hash = (hash ^ static_cast<std::uint8_t>(b)) * 0x100000001b3;
  return hash;
}

std::string dims(const Shape& shape) {
  std::string out;
  for (unsigned i = 0; i < shape.rank; ++i) out += fmt::format("{}{}", i ? "," : "", shape.dims[i]);
  return out;
}

/// Metadata sorted by key, then tensors in file order, as make_gguf_goldens.py writes them, but for
/// the offsets: a TensorSource does not show them.
std::vector<std::string> facts(const TensorSource& source) {
  std::vector<std::string> lines{fmt::format("version\t{}", source.origin().version)};
  const Metadata& metadata = source.metadata();
  for (const auto& [key, value] : metadata.values())
    lines.push_back("meta\t" + key + "\t" +
                    std::visit([&](const auto& v) { return fact(v, metadata.bits(key)); }, value));
  for (std::size_t i = 0; i < source.tensors().size(); ++i) {
    const TensorInfo& info = source.tensors()[i];
    const TensorView view = source.view(i);
    EXPECT_EQ(view.bytes.size(), info.bytes);
    lines.push_back(fmt::format("tensor\t{}\t{}\t{}\t{}\t{:016x}", info.name,
                                traits(info.dtype).name, dims(info.shape), info.bytes,
                                fnv1a(view.bytes)));
  }
  return lines;
}

/// The recorded facts; the offset of a tensor (field 4) is checked apart.
std::vector<std::string> recorded(const std::string& name, std::vector<std::uint64_t>* offsets) {
  std::ifstream in(goldens / (name + ".txt"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("tensor\t")) {
      std::size_t begin = 0;
      for (int field = 0; field < 4; ++field) begin = line.find('\t', begin) + 1;
      const std::size_t end = line.find('\t', begin);
      offsets->push_back(std::stoull(line.substr(begin, end - begin)));
      line.erase(begin, end + 1 - begin);
    }
    lines.push_back(line);
  }
  return lines;
}

class GgufGolden : public testing::TestWithParam<const char*> {};

TEST_P(GgufGolden, SaysWhatTheReferenceReaderFinds) {
  const auto source = open_gguf(goldens / (std::string(GetParam()) + ".gguf"));
  ASSERT_TRUE(source.ok()) << source.error().what.en;
  std::vector<std::uint64_t> offsets;
  const auto expected = recorded(GetParam(), &offsets);
  ASSERT_GT(expected.size(), 1u);
  const auto found = facts(**source);
  for (std::size_t i = 0; i < std::max(expected.size(), found.size()); ++i)
    EXPECT_EQ(i < found.size() ? found[i] : "(nothing)",
              i < expected.size() ? expected[i] : "(nothing)");
}

TEST_P(GgufGolden, HasItsTensorsWhereTheReferenceReaderFindsThem) {
  const auto file = MappedFile::open(goldens / (std::string(GetParam()) + ".gguf"));
  ASSERT_TRUE(file.ok());
  const auto content = parse_gguf(file->bytes(), file->path());
  ASSERT_TRUE(content.ok());
  std::vector<std::uint64_t> expected;
  recorded(GetParam(), &expected);
  EXPECT_EQ(content->offsets, expected);
}

INSTANTIATE_TEST_SUITE_P(Files, GgufGolden,
                         testing::Values("values-v2", "values-v3", "tensors", "aligned-128",
                                         "vocabulary-only"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(GgufSplitGolden, AnyPartOpensTheWholeModel) {
  std::vector<std::uint64_t> offsets;
  const auto expected = recorded("split", &offsets);
  for (int part = 1; part <= 3; ++part) {
    const auto path = goldens / fmt::format("split-{:05}-of-00003.gguf", part);
    const auto source = open_gguf(path);
    ASSERT_TRUE(source.ok()) << source.error().what.en;
    EXPECT_EQ(facts(**source), expected);
    EXPECT_EQ((*source)->origin().files.size(), 3u);
    EXPECT_EQ((*source)->find("blk.4.weight"), 4u);
    EXPECT_EQ((*source)->find("blk.5.weight"), std::nullopt);
  }
}

}  // namespace
}  // namespace premise
