#include "cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>

#include "base/version.h"

namespace premise {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

CommandRun declare_greet(CLI::App& app, Language language) {
  struct Options {
    std::string name;
    int times = 1;
    bool loud = false;
  };
  auto options = std::make_shared<Options>();
  app.add_option("name", options->name, text({"whom to greet", "问候谁"}).in(language))->required();
  app.add_option("-n,--times", options->times, text({"how often", "次数"}).in(language))
      ->check(CLI::Range(1, 9));
  auto* loud = app.add_flag("--loud", options->loud, text({"aloud", "大声"}).in(language));
  app.add_flag("--quiet", text({"softly", "小声"}).in(language))->excludes(loud);
  return [options](Console& console) -> Result<int> {
    for (int i = 0; i < options->times; ++i) console.write("hello " + options->name + "\n");
    return options->loud ? 1 : 0;
  };
}

CommandRun declare_measure(CLI::App& app, Language language) {
  app.require_subcommand(1);
  auto* engine = app.add_subcommand("engine", text({"the engine", "引擎"}).in(language));
  auto model = std::make_shared<std::string>();
  engine->add_option("model", *model, "")->required();
  return [model](Console& console) -> Result<int> {
    console.write("measured " + *model + "\n");
    return 0;
  };
}

CommandRun declare_fail(CLI::App& app, Language) {
  auto how = std::make_shared<std::string>();
  app.add_option("how", *how, "");
  return [how](Console&) -> Result<int> {
    if (*how == "throw") throw std::runtime_error("unexpected");
    if (*how == "memory") throw std::bad_alloc();
    return error(ErrorCode::bad_input, {"{}: damaged", "{}：已损坏"}, *how)
        .with_hint(text({"fetch it again", "请重新下载"}));
  };
}

const Command greet{"greet",
                    20,
                    {"say hello", "打招呼"},
                    {"premise greet Ann", "premise greet 小安"},
                    declare_greet};
const Command measure{"measure", 10, {"measure speed", "测量速度"}, {"", ""}, declare_measure};
const Command fail{"fail", 30, {"fail", "失败"}, {"", ""}, declare_fail};
const std::array<const Command*, 3> table = {&fail, &greet, &measure};

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

/// A stream that collects what is written.
class Collector {
 public:
  Collector() : stream_(open_memstream(&data_, &size_)) {}
  ~Collector() {
    std::fclose(stream_);
    std::free(data_);
  }
  std::FILE* stream() { return stream_; }
  std::string text() {
    std::fflush(stream_);
    return {data_, size_};
  }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_;
};

Outcome premise_with(std::vector<std::string> args, Language language = Language::english) {
  Collector out;
  Collector err;
  Console console(out.stream(), err.stream(), language);
  const int code = run(std::move(args), console, table);
  return {code, out.text(), err.text()};
}

TEST(Program, RunsACommandAndReturnsItsCode) {
  const Outcome plain = premise_with({"greet", "Ann", "-n", "2"});
  EXPECT_EQ(plain.code, 0);
  EXPECT_EQ(plain.out, "hello Ann\nhello Ann\n");
  EXPECT_THAT(plain.err, IsEmpty());
  EXPECT_EQ(premise_with({"greet", "Ann", "--loud"}).code, 1);
}

TEST(Program, SaysItsVersion) {
  const Outcome outcome = premise_with({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "premise " + std::string(version()) + "\n");
}

TEST(Program, WithoutACommandShowsHelpAsAnError) {
  const Outcome outcome = premise_with({});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr("greet"));
}

TEST(Program, ListsCommandsInTheirOrder) {
  const std::string help = premise_with({"--help"}).out;
  EXPECT_LT(help.find("measure speed"), help.find("say hello"));
  EXPECT_LT(help.find("say hello"), help.find("  fail"));
}

TEST(Program, HelpOfACommandIsTheSameOnBothWays) {
  const Outcome asked = premise_with({"help", "greet"});
  EXPECT_EQ(asked.code, 0);
  EXPECT_EQ(asked.out, premise_with({"greet", "--help"}).out);
  EXPECT_THAT(asked.out, AllOf(HasSubstr("premise greet NAME [OPTIONS]"), HasSubstr("-n, --times"),
                               HasSubstr("\n  premise greet Ann\n")));
}

TEST(Program, HelpOfASubcommandIsItsOwn) {
  const Outcome outcome = premise_with({"help", "measure", "engine"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("premise measure engine MODEL"));
}

TEST(Program, SpeaksChineseWhereverLangStands) {
  for (const auto& args :
       std::vector<std::vector<std::string>>{{"--lang", "zh", "help", "greet"},
                                             {"help", "--lang=zh", "greet"},
                                             {"greet", "--help", "--lang", "zh"}}) {
    const Outcome outcome = premise_with(args);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("用法："), HasSubstr("问候谁"), HasSubstr("小安"),
                                   Not(HasSubstr("Usage"))));
  }
  EXPECT_THAT(premise_with({"--help"}, Language::chinese).out, HasSubstr("打招呼"));
  EXPECT_THAT(premise_with({"--help", "--lang", "en"}, Language::chinese).out,
              HasSubstr("say hello"));
}

TEST(Program, LeavesLangAloneAfterTwoDashes) {
  EXPECT_EQ(premise_with({"greet", "--", "--lang"}).out, "hello --lang\n");
}

TEST(Program, RefusesALanguageItDoesNotSpeak) {
  EXPECT_THAT(premise_with({"--lang", "fr", "--help"}).err, HasSubstr("--lang fr"));
  EXPECT_EQ(premise_with({"--lang", "fr", "--help"}).code, 2);
  EXPECT_EQ(premise_with({"greet", "--lang"}).code, 2);
}

// Every kind of wrong usage: exit code 2, nothing on standard output, a sentence in each language.
struct WrongUsage {
  std::vector<std::string> args;
  std::string english;
  std::string chinese;
};

class ProgramUsage : public testing::TestWithParam<WrongUsage> {};

TEST_P(ProgramUsage, IsExplainedInBothLanguages) {
  const Outcome english = premise_with(GetParam().args);
  EXPECT_EQ(english.code, 2);
  EXPECT_THAT(english.out, IsEmpty());
  EXPECT_THAT(english.err, AllOf(StartsWith("error: "), HasSubstr(GetParam().english)));
  const Outcome chinese = premise_with(GetParam().args, Language::chinese);
  EXPECT_EQ(chinese.code, 2);
  EXPECT_THAT(chinese.err, AllOf(StartsWith("错误："), HasSubstr(GetParam().chinese)));
}

INSTANTIATE_TEST_SUITE_P(
    Every, ProgramUsage,
    testing::Values(
        WrongUsage{{"gret"}, "did you mean premise greet?", "您是不是想输入 premise greet？"},
        WrongUsage{{"help", "gret"}, "unknown command \"gret\"", "未知命令“gret”"},
        WrongUsage{{"xyzzyxyzzy"}, "premise --help lists", "premise --help"},
        WrongUsage{{"--loud", "greet"}, "options follow the command", "选项写在命令之后"},
        WrongUsage{{"greet"}, "premise greet: NAME is missing", "缺少 NAME"},
        WrongUsage{
            {"greet", "Ann", "--tines", "2"}, "did you mean --times?", "您是不是想输入 --times？"},
        WrongUsage{{"greet", "Ann", "--tines=2"}, "unknown option --tines\n", "未知选项 --tines\n"},
        WrongUsage{{"greet", "Ann", "Bob"}, "unexpected argument \"Bob\"", "多余的参数“Bob”"},
        WrongUsage{{"greet", "Ann", "-n"}, "--times needs a value", "--times 需要一个值"},
        WrongUsage{{"greet", "Ann", "-n", "1", "-n", "2"},
                   "--times is given more than once",
                   "--times 重复出现"},
        WrongUsage{{"greet", "Ann", "-n", "two"}, "--times: \"two\"", "--times：不接受“two”"},
        WrongUsage{{"greet", "Ann", "-n", "10"}, "--times: \"10\"", "--times：不接受“10”"},
        WrongUsage{
            {"greet", "Ann", "--loud", "--quiet"}, "cannot be used together", "不能同时使用"},
        WrongUsage{{"measure"}, "a subcommand is missing: engine", "缺少子命令：engine"},
        WrongUsage{{"measure", "engin"}, "did you mean engine?", "您是不是想输入 engine？"},
        WrongUsage{
            {"measure", "engine"}, "premise measure engine: MODEL is missing", "缺少 MODEL"}));

TEST(Program, RunsASubcommand) {
  EXPECT_EQ(premise_with({"measure", "engine", "tiny"}).out, "measured tiny\n");
}

TEST(Program, ReportsACommandsErrorWithItsHint) {
  const Outcome outcome = premise_with({"fail", "x.gguf"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.err, "error: x.gguf: damaged\nhint: fetch it again\n");
  EXPECT_EQ(premise_with({"fail", "x.gguf"}, Language::chinese).err,
            "错误：x.gguf：已损坏\n提示：请重新下载\n");
}

TEST(Program, LetsNoEscapeSequenceReachTheTerminal) {
  EXPECT_THAT(premise_with({"fail", "\x1b[2J"}).err, Not(HasSubstr("\x1b")));
}

TEST(Program, TurnsAnEscapedExceptionIntoAReportedBug) {
  const Outcome outcome = premise_with({"fail", "throw"});
  EXPECT_EQ(outcome.code, 70);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("a bug in Premise"), HasSubstr("unexpected")));
  EXPECT_EQ(premise_with({"fail", "memory"}).code, 4);
}

TEST(Program, ReportsAFullDisk) {
  std::FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  Collector err;
  Console console(full, err.stream(), Language::english);
  EXPECT_EQ(run({"greet", "Ann"}, console, table), 4);
  EXPECT_THAT(err.text(), HasSubstr("standard output could not be written"));
  std::fclose(full);
}

}  // namespace
}  // namespace premise
