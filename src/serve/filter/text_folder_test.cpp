// How texts are folded, beside Python's unicodedata (tests/golden/make_filter_goldens.py), and
// where words may begin and end.
#include "serve/filter/text_folder.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

namespace premise {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<FoldedItem> fold_items(std::string_view text) {
  TextFolder folder;
  std::vector<FoldedItem> items;
  folder.feed(text, items);
  folder.finish(items);
  return items;
}

std::u32string fold_codes(std::string_view text) {
  std::u32string codes;
  for (const FoldedItem& item : fold_items(text)) codes += item.code;
  return codes;
}

std::string to_utf8(const std::vector<char32_t>& codes) {
  std::string out;
  for (const char32_t code : codes) {
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
    if (code < 0x80)
      out += static_cast<char>(code);
    else if (code < 0x800)
      (out += static_cast<char>(0xC0 | (code >> 6))) += tail(0);
    else if (code < 0x10000)
      ((out += static_cast<char>(0xE0 | (code >> 12))) += tail(6)) += tail(0);
    else
      (((out += static_cast<char>(0xF0 | (code >> 18))) += tail(12)) += tail(6)) += tail(0);
  }
  return out;
}

using RecordedLine = std::pair<std::vector<char32_t>, std::vector<char32_t>>;

std::vector<RecordedLine> recorded(const std::string& name) {
  std::ifstream file(std::string(PREMISE_SOURCE_DIR) + "/tests/golden/filter/" + name);
  const auto codes = [](const std::string& text) {
    std::istringstream words(text);
    std::vector<char32_t> found;
    for (std::string word; words >> word;)
      found.push_back(static_cast<char32_t>(std::stoul(word, nullptr, 16)));
    return found;
  };
  std::vector<RecordedLine> lines;
  for (std::string line; std::getline(file, line);) {
    const std::size_t tab = line.find('\t');
    lines.emplace_back(codes(line.substr(0, tab)), codes(line.substr(tab + 1)));
  }
  return lines;
}

// Python keeps what has no width, tells white space apart and leaves ⒜ its parentheses.
std::u32string as_premise_writes(const std::vector<char32_t>& python) {
  std::u32string codes(python.begin(), python.end());
  if (codes.size() >= 3 && codes.front() == '(' && codes.back() == ')')
    codes = codes.substr(1, codes.size() - 2);
  std::u32string out;
  for (const char32_t code : codes) {
    const FoldedCodes one = fold_code(code);
    out.append(one.codes.begin(), one.codes.begin() + static_cast<std::ptrdiff_t>(one.count));
  }
  return out;
}

TEST(FoldGolden, EveryCodePointFoldsAsInPython) {
  const auto lines = recorded("code_points.tsv");
  ASSERT_GT(lines.size(), 5000u);
  for (const auto& [from, to] : lines) {
    const FoldedCodes folded = fold_code(from[0]);
    std::u32string codes(folded.codes.begin(),
                         folded.codes.begin() + static_cast<std::ptrdiff_t>(folded.count));
    if (folded.count == 0) {
      EXPECT_THAT((std::set<char32_t>{0x34F, 0x3164, 0xFFA0}), testing::Contains(from[0]))
          << "ignored, though Python folds it: " << std::hex << unsigned(from[0]);
      continue;
    }
    EXPECT_EQ(codes, as_premise_writes(to)) << std::hex << unsigned(from[0]);
  }
}

TEST(FoldGolden, TextsThatPythonFoldsAlikeFoldAlike) {
  const auto lines = recorded("texts.tsv");
  ASSERT_GT(lines.size(), 500u);
  for (const auto& [text, normalized] : lines)
    EXPECT_EQ(fold_codes(to_utf8(text)), fold_codes(to_utf8(normalized))) << to_utf8(text);
}

TEST(TextFolder, FoldsCaseWidthAndCompatibilityForms) {
  EXPECT_EQ(fold_codes("ＡbＣ"), U"abc");
  EXPECT_EQ(fold_codes("Straße"), U"strasse");
  EXPECT_EQ(fold_codes("𝓢𝔢𝕔ⓡⒺ🅃"), U"secret");
  EXPECT_EQ(fold_codes("⒡⒰"), U"fu");
  EXPECT_EQ(fold_codes("⽹㊙"), U"网秘");
  EXPECT_EQ(fold_codes("ｶﾞ"), fold_codes("ガ"));
}

TEST(TextFolder, IgnoresWhatHasNoWidth) {
  EXPECT_EQ(fold_codes("s\u200Be\u200Dc\u2060r\u00ADe\uFEFFt"), U"secret");
  EXPECT_EQ(fold_codes("a\uFE0Fb\u202Ec\u115Fd\U000E0041e\x01\x7F"), U"abcde");
}

TEST(TextFolder, MarksThatMakeNoLetterAreDecoration) {
  EXPECT_EQ(fold_codes("s\u0336e\u0336c\u0336"), U"sec") << "struck out";
  EXPECT_EQ(fold_codes("法\u0301轮\u20DD"), U"法轮");
  EXPECT_EQ(fold_codes("f\u064E"), U"f") << "a mark of another script";
  EXPECT_EQ(fold_codes("e\u0301\u0301\u0301"), U"e\u0301") << "once is enough";
  EXPECT_EQ(fold_codes("é"), U"e\u0301") << "é is another letter than e";
  EXPECT_EQ(fold_codes("\u0301a"), U"a");
}

TEST(TextFolder, SeparatorsBetweenChineseVanish) {
  EXPECT_EQ(fold_codes("法 轮*功"), U"法轮功");
  EXPECT_EQ(fold_codes("法😀轮_-·/|~功"), U"法轮功");
  EXPECT_EQ(fold_codes("法\r\n轮"), U"法轮") << "written downwards";
  EXPECT_EQ(fold_codes("看 AV 片"), U"看av片") << "one Chinese side is enough";
}

TEST(TextFolder, OtherSeparatorsAndPunctuationStay) {
  EXPECT_EQ(fold_codes("今日。本店，本月、本"), U"今日。本店,本月、本");
  EXPECT_EQ(fold_codes("日\n\n本"), U"日 本") << "two lines apart";
  EXPECT_EQ(fold_codes("日---------本"), U"日---------本") << "nine";
  EXPECT_EQ(fold_codes("日 (本)"), U"日 (本)");
  EXPECT_EQ(fold_codes("f-u c"), U"f-u c");
  EXPECT_EQ(fold_codes("a \t\u3000\nb"), U"a b") << "white space is one space";
}

TEST(TextFolder, WhiteSpaceIsJoinedUpToALimit) {
  EXPECT_EQ(fold_codes("a" + std::string(16, ' ') + "b"), U"a b");
  EXPECT_EQ(fold_codes("a" + std::string(17, ' ') + "b"), U"a  b");
}

TEST(TextFolder, KnowsWhereEverythingCameFrom) {
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (const FoldedItem& item : fold_items("ＡÉ\u200Bﬁ法"))
    ranges.emplace_back(item.begin, item.end);
  EXPECT_THAT(ranges, ElementsAre(std::pair(0, 3), std::pair(3, 5), std::pair(3, 5),
                                  std::pair(8, 11), std::pair(8, 11), std::pair(11, 14)));
}

/// Where borders are: the folded text with '|' before every item that has one.
std::u32string borders(std::string_view text) {
  std::u32string out;
  for (const FoldedItem& item : fold_items(text)) (out += item.border ? U"|" : U"") += item.code;
  return out;
}

TEST(TextFolder, BordersLieBetweenWordsAndBetweenCharactersOfChinese) {
  EXPECT_EQ(borders("ab1 c"), U"|ab1| |c");
  EXPECT_EQ(borders("ab_c-d"), U"|ab|_|c|-|d");
  EXPECT_EQ(borders("法轮ab功"), U"|法|轮|ab|功");
  EXPECT_EQ(borders("лев1"), U"|лев1");
  EXPECT_EQ(borders("かナ"), U"|か|ナ");
  EXPECT_EQ(borders("각가"), U"|\u1100\u1161\u11A8|\u1100\u1161");
  EXPECT_EQ(borders("ㅅㅂ"), U"|\u1109|\u1107");
}

TEST(TextFolder, NoBorderLiesInsideACharacter) {
  EXPECT_EQ(borders("が"), U"|か\u3099");
  EXPECT_EQ(borders("e\u0301e"), U"|e\u0301e");
  EXPECT_EQ(borders("㍿好"), U"|株式会社|好");
  EXPECT_EQ(borders("ﬁ"), U"|fi");
}

TEST(TextFolder, BytesThatAreNoUtf8CountAsOneReplacementEach) {
  EXPECT_EQ(fold_codes("a\xFF\xC0\x80z"), U"a\uFFFD\uFFFD\uFFFDz");
  EXPECT_EQ(fold_codes("\xE6\xB3"), U"\uFFFD\uFFFD");
  EXPECT_EQ(fold_codes("\xED\xA0\x80"), U"\uFFFD\uFFFD\uFFFD") << "a surrogate";
  EXPECT_EQ(fold_codes("\xF4\x90\x80\x80"), U"\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(fold_codes("\xE6"
                       "a"),
            U"\uFFFDa");
  EXPECT_THAT(fold_items(""), IsEmpty());
}

}  // namespace
}  // namespace premise
