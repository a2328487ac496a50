#include "engine/packed_cache/packed_header.h"

#include <gmock/gmock.h>

#include <cstring>

namespace premise {
namespace {

using testing::HasSubstr;

PackedHeader small_header() {
  PackedHeader header;
  header.layout_version = 3;
  header.key = "sha256:00ff";
  header.model = "a:b";
  header.isa = "any";
  header.program = "1.2.3";
  header.origins = {{"/models/a.gguf", {1, 2, 3, 4, 5}}};
  header.sections = {{"token_embd.weight", 2, 32, 64, 0, 1 << 20},
                     {"output.weight", 2, 1, 64, 1 << 20, 64}};
  header.data_bytes = (1 << 20) + 64;
  header.checksums = {{1, 2, 3, 4}, {5, 6, 7, 8}};
  return header;
}

Result<PackedHeader> parse(const std::string& bytes, std::uint64_t file_bytes) {
  const auto head = std::as_bytes(std::span(bytes));
  PREMISE_TRY(const PackedSizes sizes,
              parse_packed_sizes(head.first(packed_fixed_bytes), file_bytes, "x.packed"));
  return parse_packed_header(head, sizes, "x.packed");
}

TEST(PackedHeader, ComesBackAsItWasWritten) {
  const PackedHeader header = small_header();
  const std::string bytes = encode(header);
  ASSERT_EQ(bytes.size(), header.head_bytes());
  const auto found = parse(bytes, bytes.size() + header.data_bytes);
  ASSERT_TRUE(found.ok()) << found.error().what.en;
  EXPECT_EQ(found->key, header.key);
  EXPECT_EQ(found->model, header.model);
  EXPECT_EQ(found->program, header.program);
  EXPECT_EQ(found->origins, header.origins);
  EXPECT_EQ(found->sections, header.sections);
  EXPECT_EQ(found->checksums, header.checksums);
  EXPECT_TRUE(same_contents(header, *found, "x").ok());
}

TEST(PackedHeader, IsRefusedWithAnyBitTurned) {
  const PackedHeader header = small_header();
  const std::string bytes = encode(header);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string turned = bytes;
    turned[bit / 8] = static_cast<char>(turned[bit / 8] ^ 1 << bit % 8);
    ASSERT_FALSE(parse(turned, bytes.size() + header.data_bytes).ok()) << "bit " << bit;
  }
}

TEST(PackedHeader, IsRefusedWhereTheFileHasAnotherLength) {
  const PackedHeader header = small_header();
  const std::string bytes = encode(header);
  for (const std::uint64_t file : {std::uint64_t{0}, std::uint64_t{40}, bytes.size() - 1,
                                   bytes.size(), bytes.size() + header.data_bytes - 1,
                                   bytes.size() + header.data_bytes + 64, ~std::uint64_t{0}})
    EXPECT_FALSE(parse(bytes, file).ok()) << file;
}

TEST(PackedHeader, SaysWhatDiffersFromWhatIsWanted) {
  const PackedHeader wanted = small_header();
  const auto said = [&](const PackedHeader& found) {
    const Status status = same_contents(wanted, found, "x");
    return status.ok() ? "" : status.error().what.en;
  };
  PackedHeader found = wanted;
  found.layout_version = 2;
  EXPECT_THAT(said(found), HasSubstr("has layout 2, this program packs layout 3"));
  found = wanted;
  found.key = "sha256:00fe";
  EXPECT_THAT(said(found), HasSubstr("another model"));
  found = wanted;
  found.isa = "amx";
  EXPECT_THAT(said(found), HasSubstr("instruction set"));
  found = wanted;
  found.sections[0].type = 8;
  EXPECT_THAT(said(found), HasSubstr("other matrices"));
  found = wanted;
  ++found.origins[0].identity.modified_ns;
  EXPECT_THAT(said(found), HasSubstr("changed since"));
  found = wanted;
  found.model = "another name of it";
  found.origins[0].path = "/moved.gguf";
  found.checksums.clear();
  EXPECT_EQ(said(found), "");
}

}  // namespace
}  // namespace premise
