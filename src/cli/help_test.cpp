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
