#include "base/language.h"

#include <gtest/gtest.h>

#include <map>

namespace premise {
namespace {

Language detect(const std::map<std::string, std::string, std::less<>>& variables) {
  return detect_language([&](const char* name) -> std::optional<std::string_view> {
    const auto found = variables.find(std::string_view(name));
    if (found == variables.end()) return std::nullopt;
    return found->second;
  });
}

TEST(DetectLanguage, IsEnglishWithoutALocale) {
  EXPECT_EQ(detect({}), Language::english);
  EXPECT_EQ(detect({{"LANG", "C.UTF-8"}}), Language::english);
  EXPECT_EQ(detect({{"LANG", "de_DE.UTF-8"}}), Language::english);
}

TEST(DetectLanguage, KnowsChineseOfEveryRegion) {
  for (const char* locale : {"zh_CN.UTF-8", "zh_TW", "zh", "zh_HK.big5hkscs@stroke", "zh-Hans"}) {
    EXPECT_EQ(detect({{"LANG", locale}}), Language::chinese) << locale;
  }
}

TEST(DetectLanguage, AsksLcAllThenLcMessagesThenLang) {
  EXPECT_EQ(detect({{"LC_ALL", "en_US.UTF-8"}, {"LANG", "zh_CN.UTF-8"}}), Language::english);
  EXPECT_EQ(detect({{"LC_MESSAGES", "zh_CN"}, {"LANG", "en_US"}}), Language::chinese);
  EXPECT_EQ(detect({{"LC_ALL", ""}, {"LANG", "zh_CN"}}), Language::chinese);  // empty is unset
}

TEST(DetectLanguage, PrefersTheFirstKnownOfTheListLanguage) {
  EXPECT_EQ(detect({{"LANGUAGE", "zh_CN:en"}, {"LANG", "en_US"}}), Language::chinese);
  EXPECT_EQ(detect({{"LANGUAGE", "fr:en:zh"}, {"LANG", "zh_CN"}}), Language::english);
  EXPECT_EQ(detect({{"LANGUAGE", "fr"}, {"LANG", "zh_CN"}}), Language::chinese);
}

TEST(DetectLanguage, IgnoresLanguageInThePlainLocale) {
  EXPECT_EQ(detect({{"LANGUAGE", "zh_CN"}}), Language::english);
  EXPECT_EQ(detect({{"LANGUAGE", "zh_CN"}, {"LC_ALL", "C"}}), Language::english);
}

TEST(ParseLanguage, TakesWhatPeopleType) {
  EXPECT_EQ(parse_language("zh"), Language::chinese);
  EXPECT_EQ(parse_language("zh-CN"), Language::chinese);
  EXPECT_EQ(parse_language("en_GB"), Language::english);
  EXPECT_EQ(parse_language("fr"), std::nullopt);
  EXPECT_EQ(parse_language(""), std::nullopt);
}

}  // namespace
}  // namespace premise
