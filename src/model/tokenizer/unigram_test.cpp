#include "model/tokenizer/unigram.h"

#include <gmock/gmock.h>

#include <chrono>
#include <limits>

#include "model/tokenizer/sentencepiece_golden.h"

namespace premise {
namespace {

using golden::encode;
using testing::ElementsAre;

std::unique_ptr<TokenModel> unigram_of(const Vocabulary& vocabulary, UnigramOptions options = {}) {
  auto model = make_unigram(vocabulary, std::move(options));
  EXPECT_TRUE(model.ok());
  return std::move(model).value();
}

Vocabulary small() {
  Vocabulary vocabulary;
  vocabulary.pieces = {"<unk>", "▁", "a", "b", "ab", "▁a", "<s>"};
  vocabulary.kinds.assign(7, TokenKind::normal);
  vocabulary.kinds[0] = TokenKind::unknown;
  vocabulary.kinds[6] = TokenKind::control;
  vocabulary.scores = {0, -3, -2, -2, -5, -4, 0};
  vocabulary.unknown = 0;
  return vocabulary;
}

class UnigramGolden : public testing::TestWithParam<const char*> {};

TEST_P(UnigramGolden, IdsEqualThoseOfTheReferenceLibrary) {
  const golden::Json file = golden::read(GetParam());
  const Vocabulary vocabulary = golden::vocabulary(file);
  UnigramOptions options;
  options.precompiled_charsmap = golden::bytes_of_hex(file.at("charsmap_hex").get<std::string>());
  options.add_space_prefix = vocabulary.add_space_prefix;
  options.remove_extra_whitespaces = file.at("remove_extra_whitespaces").get<bool>();
  const auto model = unigram_of(vocabulary, options);
  ASSERT_GT(file.at("cases").size(), 200u);
  for (const auto& example : file.at("cases")) {
    const auto text = example.at(0).get<std::string>();
    EXPECT_EQ(encode(*model, text), example.at(1).get<std::vector<TokenId>>()) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, UnigramGolden,
                         testing::Values("unigram.json", "unigram_byte_fallback.json"));

TEST(Unigram, TheBestSumOfScoresWins) {
  const Vocabulary vocabulary = small();
  EXPECT_THAT(encode(*unigram_of(vocabulary), "ab"),
              ElementsAre(5, 3));  // -4-2, not -3-5 or -3-2-2
}

TEST(Unigram, WhitespaceIsTrimmedAndRunsBecomeOneSpaceWhereTheModelSaysSo) {
  const Vocabulary vocabulary = small();
  EXPECT_THAT(encode(*unigram_of(vocabulary), "  b   b "), ElementsAre(1, 3, 1, 3));
  EXPECT_THAT(encode(*unigram_of(vocabulary), "   "), ElementsAre());
  UnigramOptions options;
  options.remove_extra_whitespaces = false;
  options.add_space_prefix = false;
  EXPECT_THAT(encode(*unigram_of(vocabulary, options), " b  b "), ElementsAre(1, 3, 1, 1, 3, 1));
}

TEST(Unigram, ARunOfUnknownCharactersIsOneToken) {
  const Vocabulary vocabulary = small();
  EXPECT_THAT(encode(*unigram_of(vocabulary), "b中文字\xff\xfe b"), ElementsAre(1, 3, 0, 1, 3));
}

TEST(Unigram, ControlTokensAreNeverMadeFromText) {
  const Vocabulary vocabulary = small();
  EXPECT_THAT(encode(*unigram_of(vocabulary), "<s>"), ElementsAre(1, 0));
}

TEST(Unigram, ScoresThatMakeNoOrderAreErrors) {
  Vocabulary vocabulary = small();
  vocabulary.scores[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(make_unigram(vocabulary, {}).error().code, ErrorCode::bad_input);
  vocabulary.scores.pop_back();
  EXPECT_EQ(make_unigram(vocabulary, {}).error().code, ErrorCode::bad_input);
}

TEST(Unigram, ADamagedCharsmapIsAnError) {
  const Vocabulary vocabulary = small();
  UnigramOptions options;
  options.precompiled_charsmap = "xx";
  EXPECT_EQ(make_unigram(vocabulary, options).error().code, ErrorCode::bad_input);
}

TEST(Unigram, AMegabyteWithoutSpacesTakesLinearTime) {
  const Vocabulary vocabulary = small();
  const auto model = unigram_of(vocabulary);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(encode(*model, std::string(1 << 20, 'a')).size(), std::size_t{1} << 20);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace premise
