#include "model/tokenizer/detokenizer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "model/tokenizer/sentencepiece_golden.h"

namespace premise {
namespace {

constexpr TokenId unknown = 256, begin_of_text = 257, hello = 258, world = 259, comma = 260;

// Byte tokens 0 to 255, then a few words, as a GGUF file of the "llama" kind has them.
Tokenizer small_tokenizer(bool space_prefix) {
  std::vector<std::string> pieces;
  std::vector<std::int64_t> kinds(256, 6);
  for (int byte = 0; byte < 256; ++byte) pieces.push_back(fmt::format("<0x{:02X}>", byte));
  for (const char* piece : {"<unk>", "<s>", "▁hello", "▁world", ","}) pieces.emplace_back(piece);
  for (const int kind : {2, 3, 1, 1, 1}) kinds.push_back(kind);
  Metadata metadata;
  metadata.set("tokenizer.ggml.model", std::string("llama"));
  metadata.set("tokenizer.ggml.scores", std::vector<double>(pieces.size(), 0.0));
  metadata.set("tokenizer.ggml.tokens", std::move(pieces));
  metadata.set("tokenizer.ggml.token_type", std::move(kinds));
  metadata.set("tokenizer.ggml.unknown_token_id", std::uint64_t{unknown});
  metadata.set("tokenizer.ggml.bos_token_id", std::uint64_t{begin_of_text});
  metadata.set("tokenizer.ggml.add_space_prefix", space_prefix);
  auto tokenizer = Tokenizer::from_gguf(metadata);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().what.en;
  return std::move(tokenizer).value();
}

std::string joined(const Tokenizer& tokenizer, const std::vector<TokenId>& ids,
                   DetokenizerOptions options) {
  IncrementalDetokenizer detokenizer(tokenizer, options);
  std::string text;
  for (const TokenId id : ids) text += detokenizer.push(id);
  text += detokenizer.flush();
  return text;
}

TEST(Detokenizer, ACharacterInBytesAppearsWhole) {
  const Tokenizer tokenizer = small_tokenizer(false);
  IncrementalDetokenizer detokenizer(tokenizer);
  EXPECT_EQ(detokenizer.push(0xe4), "");
  EXPECT_EQ(detokenizer.push(0xb8), "");
  EXPECT_EQ(detokenizer.push(0xad), "中");
  EXPECT_EQ(detokenizer.push(world), " world");
  EXPECT_EQ(detokenizer.push(0xf0), "");
  EXPECT_EQ(detokenizer.push(comma), "\ufffd,");
  EXPECT_EQ(detokenizer.push(0xe4), "");
  EXPECT_EQ(detokenizer.flush(), "\ufffd");
}

TEST(Detokenizer, TheSpaceBeforeTheFirstWordIsKeptForContinuationsOnly) {
  const Tokenizer tokenizer = small_tokenizer(true);
  const std::vector<TokenId> ids = {begin_of_text, hello, comma, world};
  EXPECT_EQ(joined(tokenizer, ids, {.keep_leading_space = true}), " hello, world");
  EXPECT_EQ(joined(tokenizer, ids, {.keep_leading_space = false}), "hello, world");
  EXPECT_EQ(joined(small_tokenizer(false), ids, {.keep_leading_space = false}), " hello, world");
}

TEST(Detokenizer, AFlushBeginsAnotherSequence) {
  const Tokenizer tokenizer = small_tokenizer(true);
  IncrementalDetokenizer detokenizer(tokenizer, {.keep_leading_space = false});
  EXPECT_EQ(detokenizer.push(hello), "hello");
  EXPECT_EQ(detokenizer.flush(), "");
  EXPECT_EQ(detokenizer.push(hello), "hello");
  EXPECT_EQ(detokenizer.push(hello), " hello");
}

TEST(Detokenizer, ControlTokensAreSilentUnlessAskedFor) {
  const Tokenizer tokenizer = small_tokenizer(false);
  EXPECT_EQ(joined(tokenizer, {begin_of_text, hello}, {}), " hello");
  EXPECT_EQ(joined(tokenizer, {begin_of_text, hello}, {.show_special = true}), "<s> hello");
  EXPECT_EQ(joined(tokenizer, {-1, 1 << 30, hello}, {}), " hello");
}

TEST(Detokenizer, ThePiecesJoinedAreTheDecodedWhole) {
  std::mt19937 random(17);
  for (const bool space_prefix : {false, true}) {
    const Tokenizer tokenizer = small_tokenizer(space_prefix);
    for (int n = 0; n < 300; ++n) {
      std::vector<TokenId> ids(random() % 20);
      for (TokenId& id : ids) {
        id = static_cast<TokenId>(n % 2 ? random() % 261 : 0x80 + random() % 0x80);
      }
      std::string whole;
      Utf8Stream stream;
      stream.push(tokenizer.decode(ids), whole);
      stream.flush(whole);
      EXPECT_EQ(joined(tokenizer, ids, {.keep_leading_space = false}), whole);
    }
  }
}

}  // namespace
}  // namespace premise
