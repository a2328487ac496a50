#include "model/tokenizer/wordpiece.h"

#include <gmock/gmock.h>

#include "model/tokenizer/sentencepiece_golden.h"

namespace premise {
namespace {

using golden::encode;
using testing::ElementsAre;

std::unique_ptr<TokenModel> wordpiece_of(const Vocabulary& vocabulary,
                                         WordPieceOptions options = {}) {
  auto model = make_wordpiece(vocabulary, std::move(options));
  EXPECT_TRUE(model.ok());
  return std::move(model).value();
}

Vocabulary vocabulary_of(std::vector<std::string> pieces) {
  Vocabulary vocabulary;
  vocabulary.pieces = std::move(pieces);
  vocabulary.kinds.assign(vocabulary.pieces.size(), TokenKind::normal);
  vocabulary.unknown = 0;
  vocabulary.kinds[0] = TokenKind::unknown;
  return vocabulary;
}

// As GGUF files spell it: "hello" → "▁hello", "##ello" → "ello", control tokens as they are.
Vocabulary with_phantom_spaces(Vocabulary vocabulary) {
  for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id) {
    std::string& piece = vocabulary.pieces[id];
    if (vocabulary.kinds[id] != TokenKind::normal) continue;
    piece = piece.starts_with("##") ? piece.substr(2) : "▁" + piece;
  }
  return vocabulary;
}

class WordPieceGolden : public testing::TestWithParam<bool> {};

TEST_P(WordPieceGolden, IdsEqualThoseOfTheReferenceLibrary) {
  const bool phantom_space = GetParam();
  const golden::Json file = golden::read("wordpiece.json");
  Vocabulary vocabulary = vocabulary_of(file.at("pieces").get<std::vector<std::string>>());
  vocabulary.unknown = 1;
  for (int id = 0; id < 5; ++id)
    vocabulary.kinds[static_cast<std::size_t>(id)] = TokenKind::control;
  if (phantom_space) vocabulary = with_phantom_spaces(vocabulary);
  ASSERT_EQ(file.at("runs").size(), 5u);
  for (const auto& run : file.at("runs")) {
    WordPieceOptions options;
    options.lowercase = run.at("lowercase").get<bool>();
    options.strip_accents = run.at("strip_accents").get<bool>();
    options.split_chinese = run.at("split_chinese").get<bool>();
    options.clean_text = run.at("clean_text").get<bool>();
    options.gguf_phantom_space = phantom_space;
    const auto model = wordpiece_of(vocabulary, options);
    for (std::size_t n = 0; n < file.at("cases").size(); ++n) {
      const auto text = file.at("cases").at(n).get<std::string>();
      EXPECT_EQ(encode(*model, text), run.at("ids").at(n).get<std::vector<TokenId>>()) << text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Spellings, WordPieceGolden, testing::Bool());

TEST(WordPiece, TheLongestPieceIsTakenFirst) {
  const auto vocabulary = vocabulary_of({"[UNK]", "un", "una", "##ff", "##able", "##aff", "##a"});
  EXPECT_THAT(encode(*wordpiece_of(vocabulary), "unaffable"), ElementsAre(2, 3, 4));
}

TEST(WordPiece, AWordThatCannotBeCutToItsEndIsUnknownAsAWhole) {
  const auto vocabulary = vocabulary_of({"[UNK]", "un", "##a", "ok"});
  EXPECT_THAT(encode(*wordpiece_of(vocabulary), "unax ok"), ElementsAre(0, 3));
}

TEST(WordPiece, WordsOverTheLimitAreUnknown) {
  const auto vocabulary = vocabulary_of({"[UNK]", "é", "##é"});
  WordPieceOptions options;
  options.max_word_characters = 3;  // characters, not bytes
  options.strip_accents = false;
  EXPECT_THAT(encode(*wordpiece_of(vocabulary, options), "ééé éééé"), ElementsAre(1, 2, 2, 0));
}

TEST(WordPiece, AccentsAndCapitalsGoWhereTheModelSaysSo) {
  const auto vocabulary = vocabulary_of({"[UNK]", "resume", "Résumé", "resumé"});
  EXPECT_THAT(encode(*wordpiece_of(vocabulary), "Résumé re\u0301sume"), ElementsAre(1, 1));
  WordPieceOptions cased;
  cased.lowercase = cased.strip_accents = false;
  EXPECT_THAT(encode(*wordpiece_of(vocabulary, cased), "Résumé"), ElementsAre(2));
}

TEST(WordPiece, IdeographsAndPunctuationStandAlone) {
  const auto vocabulary = vocabulary_of({"[UNK]", "中", "文", "a", "!", "，", "##b"});
  EXPECT_THAT(encode(*wordpiece_of(vocabulary), "ab中文a!!，a"),
              ElementsAre(3, 6, 1, 2, 3, 4, 4, 5, 3));
}

TEST(WordPiece, ControlTokensAreNeverMadeFromText) {
  auto vocabulary = vocabulary_of({"[UNK]", "cls", "x"});
  vocabulary.kinds[1] = TokenKind::control;
  EXPECT_THAT(encode(*wordpiece_of(vocabulary), "cls x"), ElementsAre(0, 2));
}

TEST(WordPiece, ALowLineOfTheTextIsNotTheMarkOfAWord) {
  auto vocabulary = vocabulary_of({"[UNK]", "▁", "▁▁", "▁a", "▁b"});
  WordPieceOptions options;
  options.gguf_phantom_space = true;
  EXPECT_THAT(encode(*wordpiece_of(vocabulary, options), "a a▁b ▁ b"), ElementsAre(3, 0, 2, 4));
}

TEST(WordPiece, ControlCharactersAndBrokenUtf8AreCleanedAway) {
  const auto vocabulary = vocabulary_of({"[UNK]", "ab", "a", "b"});
  EXPECT_THAT(encode(*wordpiece_of(vocabulary), std::string_view("a\0\x07\xff\xe4\xb8"
                                                                 "b\ta\u200bb",
                                                                 13)),
              ElementsAre(1, 1));
}

TEST(WordPiece, HugeWordsAndRunsOfMarksTakeLinearTime) {
  const auto vocabulary = vocabulary_of({"[UNK]", "a", "##a"});
  WordPieceOptions options;
  options.max_word_characters = 1 << 30;
  EXPECT_EQ(encode(*wordpiece_of(vocabulary, options), std::string(1 << 18, 'a')).size(), 1u << 18);
  std::string marks = "a";
  for (int n = 0; n < 100000; ++n) marks += n % 2 ? "\u0301" : "\u0323";
  EXPECT_THAT(encode(*wordpiece_of(vocabulary), marks), ElementsAre(1));
}

TEST(WordPiece, AVocabularyWithoutAnUnknownTokenIsAnError) {
  Vocabulary vocabulary;
  vocabulary.pieces = {"a"};
  EXPECT_EQ(make_wordpiece(vocabulary, {}).error().code, ErrorCode::bad_input);
  vocabulary.unknown = 0;
  EXPECT_EQ(make_wordpiece(vocabulary, {.max_word_characters = 0}).error().code,
            ErrorCode::bad_input);
}

}  // namespace
}  // namespace premise
