#include "model/tokenizer/sentencepiece.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <limits>
#include <random>

#include "model/tokenizer/sentencepiece_golden.h"

namespace premise {
namespace {

using golden::encode;
using testing::ElementsAre;

// Ids 0 to 255 are byte tokens; then `unknown`, then the given pieces, best score first.
Vocabulary byte_vocabulary(const std::vector<std::string>& pieces) {
  Vocabulary vocabulary;
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary.pieces.push_back(fmt::format("<0x{:02X}>", byte));
    vocabulary.kinds.push_back(TokenKind::byte);
    vocabulary.scores.push_back(0);
  }
  vocabulary.unknown = 256;
  vocabulary.pieces.push_back("<unk>");
  vocabulary.kinds.push_back(TokenKind::unknown);
  vocabulary.scores.push_back(0);
  for (const std::string& piece : pieces) {
    vocabulary.scores.push_back(-static_cast<float>(vocabulary.pieces.size()));
    vocabulary.pieces.push_back(piece);
    vocabulary.kinds.push_back(TokenKind::normal);
  }
  return vocabulary;
}

std::vector<std::string> pieces_of(const Vocabulary& vocabulary, std::string_view text,
                                   bool first = true, SpacePrefix prefix = {}) {
  std::vector<std::string> pieces;
  for (const TokenId id : encode(*make_sentencepiece(vocabulary, prefix), text, first)) {
    pieces.push_back(vocabulary.pieces[static_cast<std::size_t>(id)]);
  }
  return pieces;
}

// What SentencePiece's decoder gives back: spaces for "▁", bytes for byte tokens.
std::string decoded(const Vocabulary& vocabulary, const std::vector<TokenId>& ids) {
  std::string text;
  for (const TokenId id : ids) {
    std::string piece = vocabulary.pieces[static_cast<std::size_t>(id)];
    if (id < 256) piece = static_cast<char>(id);
    for (std::size_t at; (at = piece.find("▁")) != std::string::npos;) piece.replace(at, 3, " ");
    text += piece;
  }
  return text;
}

class SentencePieceGolden : public testing::TestWithParam<const char*> {};

TEST_P(SentencePieceGolden, IdsEqualThoseOfTheReferenceLibrary) {
  const golden::Json file = golden::read(GetParam());
  const Vocabulary vocabulary = golden::vocabulary(file);
  const auto model = make_sentencepiece(vocabulary);
  ASSERT_GT(file.at("cases").size(), 200u);
  for (const auto& example : file.at("cases")) {
    const auto text = example.at(0).get<std::string>();
    EXPECT_EQ(encode(*model, text), example.at(1).get<std::vector<TokenId>>()) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SentencePieceGolden,
                         testing::Values("bpe_byte_fallback.json", "bpe_unused.json",
                                         "bpe_unknown.json"));

TEST(SentencePiece, MergesTheBestPairFirst) {
  const auto vocabulary = byte_vocabulary({"a", "b", "c", "bc", "ab"});
  EXPECT_THAT(pieces_of(vocabulary, "abc"), ElementsAre("a", "bc"));
}

TEST(SentencePiece, OfEqualScoresTheLeftmostPairIsMerged) {
  auto vocabulary = byte_vocabulary({"a", "aa"});
  EXPECT_THAT(pieces_of(vocabulary, "aaa"), ElementsAre("aa", "a"));
  EXPECT_THAT(pieces_of(vocabulary, std::string(51, 'a')).back(), "a");
}

TEST(SentencePiece, ShortAndLongStretchesMergeAlike) {
  const auto vocabulary = byte_vocabulary({"abc", "bcd", "cd", "ab", "da", "a", "b", "c", "d"});
  std::string text;
  for (int n = 0; n < 40; ++n) text += "abcd";
  std::vector<std::string> expected;
  for (int n = 0; n < 40; ++n) expected.insert(expected.end(), {"a", "bcd"});
  EXPECT_EQ(pieces_of(vocabulary, text), expected);
  EXPECT_THAT(pieces_of(vocabulary, "abcd"), ElementsAre("a", "bcd"));
}

TEST(SentencePiece, APieceMayReachAcrossASpace) {
  const auto vocabulary = byte_vocabulary({">▁</", ">▁<", ">▁", "▁", "<", ">", "/", "x"});
  EXPECT_THAT(pieces_of(vocabulary, "x> </x"), ElementsAre("x", ">▁</", "x"));
}

TEST(SentencePiece, TheSpacePrefixStandsWhereTheModelWantsIt) {
  auto vocabulary = byte_vocabulary({"▁a", "▁▁", "▁", "a"});
  EXPECT_THAT(pieces_of(vocabulary, "a"), ElementsAre("a"));
  vocabulary.add_space_prefix = true;
  const SpacePrefix only_first{.every_fragment = false, .unless_space_follows = true};
  EXPECT_THAT(pieces_of(vocabulary, "a"), ElementsAre("▁a"));
  EXPECT_THAT(pieces_of(vocabulary, "a", false), ElementsAre("▁a"));
  EXPECT_THAT(pieces_of(vocabulary, "a", false, only_first), ElementsAre("a"));
  EXPECT_THAT(pieces_of(vocabulary, " a"), ElementsAre("▁", "▁a"));
  EXPECT_THAT(pieces_of(vocabulary, " a", true, only_first), ElementsAre("▁a"));
  EXPECT_THAT(pieces_of(vocabulary, ""), ElementsAre());
}

TEST(SentencePiece, ControlAndByteTokensAreNeverMadeFromText) {
  auto vocabulary = byte_vocabulary({"<", "s", ">", "<s", "<s>", "0", "<0"});
  vocabulary.kinds[256 + 5] = TokenKind::control;
  EXPECT_THAT(pieces_of(vocabulary, "<s>"), ElementsAre("<s", ">"));
  EXPECT_THAT(pieces_of(vocabulary, "<0x0A>").front(), "<0");
}

TEST(SentencePiece, UserDefinedPiecesStandFastWhereverTheyOccur) {
  auto vocabulary = byte_vocabulary({"ab", "bc", "a", "b", "c", "▁", "  ", "bcc"});
  vocabulary.kinds[263] = TokenKind::user_defined;  // "  ", as GGUF files spell it
  vocabulary.kinds[264] = TokenKind::user_defined;  // "bcc"
  EXPECT_THAT(pieces_of(vocabulary, "abcc"), ElementsAre("a", "bcc"));
  EXPECT_THAT(pieces_of(vocabulary, "abc   a"), ElementsAre("ab", "c", "  ", "▁", "a"));
  EXPECT_THAT(pieces_of(vocabulary, " ▁"), ElementsAre("  "));
}

TEST(SentencePiece, BytesThatAreNotUtf8BecomeTheirTokens) {
  const auto vocabulary = byte_vocabulary({"a", "▁", "中"});
  const auto model = make_sentencepiece(vocabulary);
  EXPECT_THAT(encode(*model,
                     "a\xff\xe4\xb8"
                     "a"),
              ElementsAre(257, 0xff, 0xe4, 0xb8, 257));
  EXPECT_THAT(encode(*model, "中\xb8"), ElementsAre(259, 0xb8));
}

TEST(SentencePiece, AnyBytesComeBackFromTheirTokens) {
  const golden::Json file = golden::read("bpe_byte_fallback.json");
  auto vocabulary = byte_vocabulary({});
  for (const auto& piece : file.at("pieces")) vocabulary.pieces.push_back(piece);
  vocabulary.kinds.resize(vocabulary.pieces.size(), TokenKind::normal);
  for (const auto& score : file.at("scores")) vocabulary.scores.push_back(score);
  const auto model = make_sentencepiece(vocabulary);
  std::mt19937 random(5);
  for (int n = 0; n < 500; ++n) {
    std::string text(random() % 200, '\0');
    for (char& c : text)
      c = static_cast<char>(n % 2 ? random() : " eaot\n\xe4\xb8\xad"[random() % 9]);
    EXPECT_EQ(decoded(vocabulary, encode(*model, text)), text);
  }
}

TEST(SentencePiece, WithoutByteTokensARunOfUnknownTextIsOneToken) {
  Vocabulary vocabulary;
  vocabulary.pieces = {"<unk>", "a"};
  vocabulary.kinds = {TokenKind::unknown, TokenKind::normal};
  const auto model = make_sentencepiece(vocabulary);
  EXPECT_THAT(encode(*model, "axyz\xff a"), ElementsAre(1, 0, 1));
  std::vector<TokenId> ids = {0};  // of other text: not fused with
  model->encode("xy", false, ids);
  EXPECT_THAT(ids, ElementsAre(0, 0));
}

TEST(SentencePiece, VocabulariesThatLackEverythingStillEncode) {
  const Vocabulary empty;
  EXPECT_THAT(encode(*make_sentencepiece(empty), "text"), ElementsAre());
  auto vocabulary = byte_vocabulary({"ab", "a", "", "b"});
  vocabulary.scores[257] = std::numeric_limits<float>::quiet_NaN();
  vocabulary.kinds.resize(258);
  EXPECT_THAT(pieces_of(vocabulary, "ab"), ElementsAre("ab"));
}

TEST(SentencePiece, UnusedPiecesNestedDeeplyAreTakenApart) {
  auto vocabulary = byte_vocabulary({});
  for (std::size_t length = 2000; length > 0; --length) {
    vocabulary.pieces.push_back(std::string(length, 'a'));
    vocabulary.kinds.push_back(length == 1 ? TokenKind::normal : TokenKind::unused);
    vocabulary.scores.push_back(static_cast<float>(length));
  }
  EXPECT_EQ(pieces_of(vocabulary, std::string(2000, 'a')).size(), 2000u);
}

TEST(SentencePiece, AMegabyteOfOneLetterTakesNoSquareTime) {
  const auto vocabulary = byte_vocabulary({"aaaaaaaa", "aaaa", "aa", "a"});
  const auto model = make_sentencepiece(vocabulary);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(encode(*model, std::string(1 << 20, 'a')).size(), std::size_t{1} << 17);
  // Quadratic would be minutes; the bound leaves room for sanitizers and a busy machine.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

}  // namespace
}  // namespace premise
