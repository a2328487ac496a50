#include "model/tokenizer/charsmap.h"

#include <gtest/gtest.h>

#include <random>

#include "model/tokenizer/sentencepiece_golden.h"

namespace premise {
namespace {

std::string unit(std::uint32_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string real_blob() {
  const golden::Json file = golden::read("unigram.json");
  return golden::bytes_of_hex(file.at("charsmap_hex").get<std::string>());
}

CharsMap parsed(std::string_view blob) {
  auto map = CharsMap::parse(blob);
  EXPECT_TRUE(map.ok());
  return std::move(map).value();
}

TEST(CharsMap, TheLongestRuleApplies) {
  const CharsMap map = parsed(real_blob());
  const auto rule = map.longest("e\u0301x");  // e and a combining acute accent
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->text, "é");
  EXPECT_EQ(rule->bytes, 3u);
  EXPECT_EQ(map.longest("\uff21b")->text, "A");  // fullwidth
  EXPECT_EQ(map.longest("½")->text, "1\u20442");
  EXPECT_EQ(map.longest("\u200b")->text, "");
}

TEST(CharsMap, TextWithoutARuleHasNone) {
  const CharsMap map = parsed(real_blob());
  EXPECT_FALSE(map.longest("x"));
  EXPECT_FALSE(map.longest(""));
  EXPECT_FALSE(map.longest(std::string(1, '\0')));
  EXPECT_FALSE(map.longest("\xe2\x91"));  // half of a character that has one
  EXPECT_FALSE(CharsMap().longest("x"));
}

TEST(CharsMap, AnEmptyBlobReplacesNothing) { EXPECT_FALSE(parsed("").longest("\uff21")); }

TEST(CharsMap, SizesThatContradictTheBlobAreErrors) {
  for (const std::string& blob :
       {std::string("\x04\0\0", 3), unit(8) + unit(0), unit(6) + unit(0) + unit(0), unit(0) + "x",
        unit(0xffffffff) + unit(0), unit(4) + unit(0) + "not ended"}) {
    const auto map = CharsMap::parse(blob);
    ASSERT_FALSE(map.ok()) << blob.size();
    EXPECT_EQ(map.error().code, ErrorCode::bad_input);
  }
}

TEST(CharsMap, ReplacementsThatWouldBlowTextUpAreErrors) {
  EXPECT_FALSE(CharsMap::parse(unit(4) + unit(0) + std::string(5000, 'x') + '\0').ok());
}

TEST(CharsMap, DamagedTablesAreReadWithinTheirBounds) {
  const std::string blob = real_blob();
  std::mt19937 random(11);
  for (int n = 0; n < 300; ++n) {
    std::string damaged = blob;
    for (int hit = 0; hit < 200; ++hit) {
      damaged[4 + random() % (damaged.size() - 5)] = static_cast<char>(random());
    }
    const auto map = CharsMap::parse(damaged);
    if (!map.ok()) continue;
    std::string text(64, '\0');
    for (char& c : text) c = static_cast<char>(random());
    for (std::size_t at = 0; at < text.size(); ++at) {
      const auto rule = map->longest(std::string_view(text).substr(at));
      if (!rule) continue;
      EXPECT_GE(rule->bytes, 1u);
      EXPECT_LE(rule->bytes, text.size() - at);
      EXPECT_LE(rule->text.size(), 1024u);
    }
  }
}

}  // namespace
}  // namespace premise
