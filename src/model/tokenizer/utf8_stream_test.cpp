#include "model/tokenizer/utf8_stream.h"

#include <gtest/gtest.h>

#include "model/tokenizer/sentencepiece_golden.h"

namespace premise {
namespace {

std::string read_in_parts(std::string_view bytes, std::size_t part) {
  Utf8Stream stream;
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += part) stream.push(bytes.substr(at, part), text);
  stream.flush(text);
  return text;
}

TEST(Utf8Stream, ReplacesWhatIsBrokenAsTheReferenceDoesHoweverTheBytesAreCut) {
  const golden::Json file = golden::read("broken_utf8.json");
  ASSERT_GT(file.at("cases").size(), 300u);
  for (const auto& example : file.at("cases")) {
    const auto hex = example.at(0).at("hex").get<std::string>();
    const std::string bytes = golden::bytes_of_hex(hex);
    for (const std::size_t part : {std::size_t{1}, std::size_t{2}, std::size_t{3}, bytes.size()}) {
      EXPECT_EQ(read_in_parts(bytes, part), example.at(1).get<std::string>()) << hex;
    }
  }
}

TEST(Utf8Stream, ACharacterAppearsWithItsLastByte) {
  Utf8Stream stream;
  std::string text;
  stream.push("a\xf0\x9f\x91", text);
  EXPECT_EQ(text, "a");
  stream.push("\x8d", text);
  EXPECT_EQ(text, "a👍");
}

TEST(Utf8Stream, ABrokenPartIsReplacedByTheByteThatBreaksIt) {
  Utf8Stream stream;
  std::string text;
  stream.push("\xe4\xb8", text);
  EXPECT_EQ(text, "");
  stream.push("\xe4", text);
  EXPECT_EQ(text, "\ufffd");
  stream.flush(text);
  EXPECT_EQ(text, "\ufffd\ufffd");
  stream.flush(text);
  EXPECT_EQ(text, "\ufffd\ufffd");
}

}  // namespace
}  // namespace premise
