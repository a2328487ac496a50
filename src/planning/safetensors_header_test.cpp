#include "planning/safetensors_header.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <cstring>

#include "planning/testing.h"

namespace premise {
namespace {

using premise::testing::TemporaryFolder;
using ::testing::HasSubstr;

std::string file_of(const std::string& header, std::size_t data_bytes, std::uint64_t length) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, 'x');
}

Result<SafetensorsSummary> read(const std::string& header, std::size_t data_bytes = 16) {
  const TemporaryFolder folder;
  return read_safetensors(
      folder.write("a.safetensors", file_of(header, data_bytes, header.size())));
}

// 5,712 parameters: embedding and head 2 · 32 · 16, final norm 16; each of two layers: norms 2 ·
// 16, query and output 2 · 16 · 16, key and value 2 · 8 · 16, feed-forward 3 · 32 · 16.
TEST(SafetensorsHeader, ReadsWhatTransformersWrote) {
  const auto found =
      read_safetensors_folder(std::string(premise::testing::golden_folder) + "tiny-llama");
  ASSERT_TRUE(found.ok()) << found.error().what.en;
  const std::uint64_t layer = 2 * 16 + 2 * 16 * 16 + 2 * 8 * 16 + 3 * 32 * 16;
  EXPECT_EQ(found->parameters, 2 * 32 * 16 + 16 + 2 * layer);
  EXPECT_EQ(found->bytes, 2 * found->parameters);
  EXPECT_EQ(found->files, 4u);
  EXPECT_EQ(found->bytes_of_type.at("BF16"), found->bytes);
}

TEST(SafetensorsHeader, AddsUpTypes) {
  const auto found = read(R"({"__metadata__":{"format":"pt"},
      "a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
      "b":{"dtype":"F16","shape":[2,2],"data_offsets":[8,16]},
      "c":{"dtype":"I8","shape":[0],"data_offsets":[16,16]}})");
  ASSERT_TRUE(found.ok()) << found.error().what.en;
  EXPECT_EQ(found->parameters, 6u);
  EXPECT_EQ(found->bytes_of_type.at("F32"), 8u);
}

struct BadHeader {
  const char* header;
  const char* says;
};

TEST(SafetensorsHeader, RefusesWhatContradictsItself) {
  const BadHeader cases[] = {
      {"", "not a JSON document"},
      {"[]", "not a JSON object"},
      {R"({"a":1})", "malformed"},
      {R"({"a":{"dtype":"F32","shape":[2]}})", "malformed"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,-8]}})", "malformed"},
      {R"({"a":{"dtype":"F77","shape":[2],"data_offsets":[0,8]}})", "F77"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "shape"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "do not take"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", "shape"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]}})",
       "do not take"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}})", "outside"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[16,8]}})", "outside"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
           "b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
       "on top of"},
  };
  for (const BadHeader& bad : cases) {
    const auto found = read(bad.header);
    ASSERT_FALSE(found.ok()) << bad.header;
    EXPECT_EQ(found.error().code, ErrorCode::bad_input);
    EXPECT_THAT(found.error().what.en, HasSubstr(bad.says)) << bad.header;
  }
}

TEST(SafetensorsHeader, RefusesALengthBeyondTheFile) {
  const TemporaryFolder folder;
  for (const std::uint64_t length : {std::uint64_t{100}, UINT64_MAX, std::uint64_t{1} << 40}) {
    const auto path = folder.write("a.safetensors", file_of("{}", 0, length));
    EXPECT_THAT(read_safetensors(path).error().what.en, HasSubstr("cut off"));
  }
  EXPECT_FALSE(read_safetensors(folder.write("b.safetensors", "abc")).ok());
}

TEST(SafetensorsHeader, AnIndexLeadsNowhereElse) {
  const TemporaryFolder folder;
  for (const char* name : {"../a.safetensors", "/etc/passwd", ""}) {
    folder.write("model.safetensors.index.json",
                 std::string(R"({"weight_map":{"a":")") + name + "\"}}");
    EXPECT_THAT(read_safetensors_folder(folder.path()).error().what.en, HasSubstr("weight_map"));
  }
}

}  // namespace
}  // namespace premise
