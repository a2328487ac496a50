#include "model/formats/format_report.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>

#include "model/formats/gguf.h"
#include "model/formats/gguf_writer.h"

namespace premise {
namespace {

using testing::ElementsAre;

class FormatReportTest : public testing::Test {
 protected:
  FormatReportTest() {
    GgufWriter writer;
    writer.set("test.eps", 1e-6f);
    writer.set("test.eps64", 1e-6);
    writer.set("test.name", std::string("x"));
    writer.set("test.heads", std::vector<std::int32_t>{1, -2, 3, 4});
    writer.set("test.words", std::vector<std::string>(100, "w"));
    writer.add_tensor("small", DType::f32, {{2, 1, 1, 1}, 1}, data(8));
    writer.add_tensor("big", DType::q8_0, {{2, 64, 1, 1}, 2}, data(136));
    writer.add_tensor("other", DType::f32, {{3, 1, 1, 1}, 1}, data(12));
    bytes_ = std::move(writer.to_bytes()).value();
    source_ = std::move(open_gguf_bytes(bytes_, "model.gguf")).value();
  }
  std::span<const std::byte> data(std::size_t size) const { return std::span(data_).first(size); }
  static const MetadataSummary& entry(const FormatReport& report, std::string_view key) {
    return *std::ranges::find(report.metadata, key, &MetadataSummary::key);
  }

  std::vector<std::byte> data_ = std::vector<std::byte>(1000);
  std::vector<std::byte> bytes_;
  std::unique_ptr<TensorSource> source_;
};

TEST_F(FormatReportTest, CountsParametersAndBytesByType) {
  const FormatReport found = report(*source_);
  EXPECT_EQ(found.origin.format, "gguf");
  EXPECT_EQ(found.origin.version, 3u);
  EXPECT_EQ(found.file_bytes, bytes_.size());
  EXPECT_EQ(found.parameters, 2u + 128 + 3);
  EXPECT_EQ(found.tensor_bytes, 8u + 136 + 12);
  ASSERT_EQ(found.types.size(), 2u);
  EXPECT_EQ(found.types[0].dtype, DType::q8_0);
  EXPECT_EQ(found.types[1].dtype, DType::f32);
  EXPECT_EQ(found.types[1].tensors, 2u);
  EXPECT_EQ(found.types[1].elements, 5u);
  EXPECT_EQ(found.types[1].bytes, 20u);
  EXPECT_EQ(found.tensors[1].name, "big");
}

TEST_F(FormatReportTest, CutsArraysAndKeepsTheirCount) {
  const FormatReport found = report(*source_, 3);
  const MetadataSummary& words = entry(found, "test.words");
  EXPECT_TRUE(words.is_array);
  EXPECT_EQ(words.type, "string");
  EXPECT_EQ(words.count, 100u);
  EXPECT_EQ(words.values.size(), 3u);
  EXPECT_THAT(entry(found, "test.heads").values,
              ElementsAre(MetadataScalar(std::int64_t{1}), MetadataScalar(std::int64_t{-2}),
                          MetadataScalar(std::int64_t{3})));
  EXPECT_EQ(entry(found, "test.heads").type, "i32");
}

TEST_F(FormatReportTest, ShowsA32BitFloatAsItsAuthorWroteIt) {
  const FormatReport found = report(*source_);
  EXPECT_EQ(entry(found, "test.eps").type, "f32");
  EXPECT_EQ(std::get<double>(entry(found, "test.eps").values.at(0)), 1e-6);
  EXPECT_EQ(entry(found, "test.eps64").type, "f64");
  EXPECT_EQ(std::get<double>(entry(found, "test.eps64").values.at(0)), 1e-6);
}

}  // namespace
}  // namespace premise
