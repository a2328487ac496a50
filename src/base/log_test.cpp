#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace premise {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class LogTest : public testing::Test {
 protected:
  LogTest() : stream_(open_memstream(&data_, &size_)) {}
  ~LogTest() override {
    std::fclose(stream_);
    std::free(data_);
  }
  std::string lines() {
    std::fflush(stream_);
    return {data_, size_};
  }

  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_;
};

TEST_F(LogTest, WritesTimeLevelAndMessage) {
  Log log(stream_, LogLevel::info, Language::english);
  log.write(LogLevel::warning, text({"disk is {} % full", "磁盘已用 {} %"}, 91));
  EXPECT_THAT(lines(), MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+\\.[0-9]+Z warning "
                                    "disk is 91 % full\n"));
}

TEST_F(LogTest, SpeaksItsLanguage) {
  Log log(stream_, LogLevel::info, Language::chinese);
  log.write(LogLevel::info, text({"loaded", "已加载"}));
  EXPECT_THAT(lines(), HasSubstr("已加载"));
}

TEST_F(LogTest, DropsWhatIsBelowItsLevel) {
  Log log(stream_, LogLevel::warning, Language::english);
  log.write(LogLevel::info, text({"loaded", "已加载"}));
  EXPECT_EQ(lines(), "");
  EXPECT_FALSE(log.wants(LogLevel::info));
  EXPECT_TRUE(log.wants(LogLevel::error));
  EXPECT_FALSE(Log(stream_, LogLevel::off, Language::english).wants(LogLevel::error));
}

TEST_F(LogTest, CannotBeForgedByWhatIsLogged) {
  Log log(stream_, LogLevel::info, Language::english);
  log.write(LogLevel::info, {"name\n2026-01-31T00:00:00.000Z error \x1b[2Jforged", "伪造"});
  const std::string written = lines();
  EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 1);
  EXPECT_THAT(written, HasSubstr("name\\n2026"));
  EXPECT_THAT(written, HasSubstr("\\x1b[2J"));
}

TEST_F(LogTest, BracesInAMessageAreText) {
  Log log(stream_, LogLevel::info, Language::english);
  log.write(LogLevel::info, {"{} {:x}", "{} {:x}"});
  EXPECT_THAT(lines(), HasSubstr("{} {:x}"));
}

TEST_F(LogTest, LinesOfThreadsDoNotMix) {
  Log log(stream_, LogLevel::info, Language::english);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&log, i] {
      for (int k = 0; k < 50; ++k) log.write(LogLevel::info, text({"thread {}", "线程 {}"}, i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string written = lines();
  EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 200);
}

TEST(ParseLogLevel, KnowsItsNames) {
  EXPECT_EQ(parse_log_level("warning"), LogLevel::warning);
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
}

}  // namespace
}  // namespace premise
