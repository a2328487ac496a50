#include "cli/help.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace premise {
namespace {

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("list"), 4U);
  EXPECT_EQ(display_width("模型"), 4U);
  EXPECT_EQ(display_width("é…"), 2U);
  EXPECT_EQ(display_width("，"), 2U);
}

TEST(OptionLabel, IsTheLongNameOrTheArgument) {
  CLI::App app;
  EXPECT_EQ(option_label(*app.add_option("-n,--times")), "--times");
  EXPECT_EQ(option_label(*app.add_option("-p")), "-p");
  EXPECT_EQ(option_label(*app.add_option("model")), "MODEL");
}

TEST(ValueLabel, IsALetterForNumbers) {
  CLI::App app;
  int whole = 0;
  float any = 0.0f;
  std::string word;
  bool flag = false;
  EXPECT_EQ(value_label(*app.add_option("--a", whole)->check(CLI::Range(1, 9))), "N");
  EXPECT_EQ(value_label(*app.add_option("--b", any)), "X");
  EXPECT_EQ(value_label(*app.add_option("--c", word)), "TEXT");
  EXPECT_EQ(value_label(*app.add_flag("--d", flag)), "");
}

TEST(ExpectedValue, NamesTheRange) {
  CLI::App app;
  int whole = 0;
  float any = 0.0f;
  const Text bounded = expected_value(*app.add_option("--a", whole)->check(CLI::Range(1, 9)));
  EXPECT_EQ(bounded.en, "a whole number from 1 to 9");
  EXPECT_EQ(bounded.zh, "1 到 9 的整数");
  EXPECT_EQ(expected_value(*app.add_option("--b", whole)).en, "a whole number");
  EXPECT_EQ(expected_value(*app.add_option("--c", any)).en, "a number");
}

TEST(CommandHelp, ShowsDefaults) {
  CLI::App app("", "premise try");
  std::vector<int> counts{1, 8};
  app.add_option("-n,--count", counts, "how many")->capture_default_str();
  const Command command{"try", 1, {"Try.", "试。"}, {"", ""}, nullptr};
  EXPECT_NE(command_help(app, command, Language::english).find("how many (default: 1,8)\n"),
            std::string::npos);
}

CommandRun declare_nothing(CLI::App&, Language) { return {}; }

TEST(CommandHelp, AlignsItsColumnsAndHidesWhatHasNoGroup) {
  CLI::App app("", "premise try");
  bool flag = false;
  int count = 0;
  app.add_flag("--json", flag, "as JSON");
  app.add_option("-n,--count", count, "how many")->type_name("N");
  app.add_flag("--secret", flag, "not for people")->group("");
  const Command command{
      "try", 1, {"Try.", "试。"}, {"premise try", "premise try"}, declare_nothing};
  EXPECT_EQ(command_help(app, command, Language::english),
            "Try.\n"
            "\n"
            "Usage:\n"
            "  premise try [OPTIONS]\n"
            "\n"
            "Options:\n"
            "  --json         as JSON\n"
            "  -n, --count N  how many\n"
            "  -h, --help     show this help and exit\n"
            "\n"
            "Examples:\n"
            "  premise try\n");
}

}  // namespace
}  // namespace premise
