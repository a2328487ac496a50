#include "synth/made_vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/mapped_file.h"
#include "model/formats/metadata.h"
#include "model/tokenizer/tokenizer.h"
#include "model/tokenizer/vocabulary.h"

namespace premise {
namespace {

Tokenizer tokenizer_of(const MadeVocabulary& made) {
  Metadata metadata;
  metadata.set("tokenizer.ggml.model", std::string("gpt2"));
  metadata.set("tokenizer.ggml.pre", std::string("qwen2"));
  metadata.set("tokenizer.ggml.tokens", made.tokens);
  metadata.set("tokenizer.ggml.token_type",
               std::vector<std::int64_t>(made.kinds.begin(), made.kinds.end()));
  metadata.set("tokenizer.ggml.merges", made.merges);
  metadata.set("tokenizer.ggml.bos_token_id", std::uint64_t{made.end_of_text});
  metadata.set("tokenizer.ggml.eos_token_id", std::uint64_t{made.end_of_text});
  auto tokenizer = Tokenizer::from_gguf(metadata);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().what.en;
  return std::move(tokenizer).value();
}

std::string text_of(const char* file) {
  const auto mapped = MappedFile::open(std::string(PREMISE_SOURCE_DIR "/") + file);
  EXPECT_TRUE(mapped.ok()) << file;
  const auto bytes = mapped->bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

constexpr std::size_t qwen2_size = 151'936;

TEST(MadeVocabulary, HasTheSizeAndNoTokenTwice) {
  for (const std::size_t size : {least_vocabulary, std::size_t{2048}, qwen2_size}) {
    const MadeVocabulary made = make_vocabulary(size);
    EXPECT_EQ(made.tokens.size(), size);
    EXPECT_EQ(made.kinds.size(), size);
    EXPECT_EQ(std::set(made.tokens.begin(), made.tokens.end()).size(), size);
    EXPECT_EQ(std::set(made.merges.begin(), made.merges.end()).size(), made.merges.size());
  }
}

TEST(MadeVocabulary, EveryMergeJoinsTokensIntoAToken) {
  const MadeVocabulary made = make_vocabulary(qwen2_size);
  const std::set<std::string> tokens(made.tokens.begin(), made.tokens.end());
  EXPECT_EQ(made.merges.size(), 151'643u - 256u);
  for (const std::string& merge : made.merges) {
    const std::size_t space = merge.find(' ');
    ASSERT_NE(space, std::string::npos);
    const std::string left = merge.substr(0, space), right = merge.substr(space + 1);
    ASSERT_TRUE(tokens.contains(left) && tokens.contains(right) && tokens.contains(left + right))
        << merge;
  }
}

TEST(MadeVocabulary, WhatIsBeyondTheTextIsMarksAndEmptyPlaces) {
  const MadeVocabulary made = make_vocabulary(qwen2_size);
  EXPECT_EQ(made.tokens[made.end_of_text], "<|endoftext|>");
  EXPECT_EQ(made.tokens[made.end_of_turn], "<|im_end|>");
  const auto of_kind = [&](TokenKind kind) {
    return std::ranges::count(made.kinds, static_cast<std::int32_t>(kind));
  };
  EXPECT_EQ(of_kind(TokenKind::normal), 151'643);
  EXPECT_EQ(of_kind(TokenKind::control), 3);
  EXPECT_EQ(of_kind(TokenKind::unused), static_cast<std::ptrdiff_t>(qwen2_size) - 151'646);
}

TEST(MadeVocabulary, AnyTextComesBack) {
  constexpr char odd[] = "\xFF\x00 \xE4\xBD half, 𠀀 🙂\r\n\t";
  for (const std::size_t size : {least_vocabulary, qwen2_size}) {
    const Tokenizer tokenizer = tokenizer_of(make_vocabulary(size));
    for (const std::string& text :
         {text_of("README.md"), text_of("README.zh-CN.md"), std::string(odd, sizeof odd - 1)})
      EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  }
}

// Published vocabularies take 3 to 4 characters of English and 1.5 to 2 of Chinese a token.
TEST(MadeVocabulary, TokensAreLongerThanCharacters) {
  const Tokenizer tokenizer = tokenizer_of(make_vocabulary(qwen2_size));
  const auto per_token = [&](const std::string& text) {
    return static_cast<double>(characters(text)) /
           static_cast<double>(tokenizer.encode(text).size());
  };
  EXPECT_GT(per_token(text_of("README.md")), 1.4);
  EXPECT_GT(per_token(text_of("README.zh-CN.md")), 1.0);
}

TEST(MadeVocabulary, MarksAreOneTokenEach) {
  const MadeVocabulary made = make_vocabulary(least_vocabulary);
  const Tokenizer tokenizer = tokenizer_of(made);
  const auto tokens = tokenizer.encode("<|endoftext|><|im_end|>");
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(static_cast<std::uint32_t>(tokens[0]), made.end_of_text);
  EXPECT_EQ(static_cast<std::uint32_t>(tokens[1]), made.end_of_turn);
}

}  // namespace
}  // namespace premise
