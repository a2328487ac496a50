#include "cli/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "cli/help.h"

namespace premise {
namespace {

using std::chrono::milliseconds;

ProgressState half_way() {
  return {.label = text({"downloading", "下载中"}),
          .unit = ProgressUnit::bytes,
          .done = 500'000'000,
          .total = 1'000'000'000,
          .per_second = 10'000'000};
}

TEST(ProgressLine, TellsShareSizesRateAndTimeLeft) {
  EXPECT_EQ(progress_line(half_way(), Language::english, 100),
            "downloading  50% [############.............]  500 MB / 1.0 GB  10 MB/s  50 s left");
}

TEST(ProgressLine, SpeaksChinese) {
  const std::string line = progress_line(half_way(), Language::chinese, 100);
  EXPECT_TRUE(line.starts_with("下载中  50% [")) << line;
  EXPECT_NE(line.find("剩余"), std::string::npos) << line;
}

TEST(ProgressLine, NeverExceedsTheTerminal) {
  for (const Language language : {Language::english, Language::chinese}) {
    for (std::size_t columns = 18; columns < 130; ++columns) {
      const std::string line = progress_line(half_way(), language, columns);
      EXPECT_LE(display_width(line), columns) << line;
    }
  }
}

TEST(ProgressLine, WithoutATotalThereIsNoShare) {
  ProgressState state = half_way();
  state.total = 0;
  EXPECT_EQ(progress_line(state, Language::english, 100), "downloading  500 MB  10 MB/s");
}

TEST(ProgressLine, MoreThanEverythingIsEverything) {
  ProgressState state = half_way();
  state.done = 3 * state.total;
  EXPECT_NE(progress_line(state, Language::english, 100).find("100%"), std::string::npos);
}

/// A log file instead of a terminal, and a clock that stands until it is moved.
class ProgressLog : public testing::Test {
 protected:
  ProgressLog() : stream_(open_memstream(&data_, &size_)), console_(stream_, stream_, {}) {}
  ~ProgressLog() override {
    std::fclose(stream_);
    std::free(data_);
  }
  std::size_t lines() {
    std::fflush(stream_);
    return static_cast<std::size_t>(std::count(data_, data_ + size_, '\n'));
  }
  std::string output() {
    std::fflush(stream_);
    return {data_, size_};
  }

  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_;
  Console console_;
  std::chrono::steady_clock::time_point now_{};
  ProgressBar::Clock clock_ = [this] { return now_; };
};

TEST_F(ProgressLog, SaysALineForEveryTenthPart) {
  ProgressBar bar(console_, text({"copying", "复制中"}), ProgressUnit::count, clock_);
  for (std::uint64_t done = 0; done <= 1000; ++done) {
    bar.update(done, 1000);
    now_ += milliseconds(20);
  }
  EXPECT_EQ(lines(), 10u) << output();
}

TEST_F(ProgressLog, SaysALineEveryTenSecondsOfSlowWork) {
  ProgressBar bar(console_, text({"copying", "复制中"}), ProgressUnit::count, clock_);
  for (int second = 0; second <= 60; ++second) {
    bar.update(static_cast<std::uint64_t>(second), 1'000'000);
    now_ += milliseconds(1000);
  }
  EXPECT_EQ(lines(), 6u) << output();
}

TEST_F(ProgressLog, SaysTheEndOnceAndWithoutTerminalCodes) {
  ProgressBar bar(console_, text({"copying", "复制中"}), ProgressUnit::bytes, clock_);
  bar.update(10, 10);
  bar.update(10, 10);
  bar.finish();
  EXPECT_EQ(lines(), 1u);
  EXPECT_EQ(output().find('\x1b'), std::string::npos);
  EXPECT_EQ(output().find('\r'), std::string::npos);
}

TEST_F(ProgressLog, ResumedWorkIsNotCountedAsSpeed) {
  ProgressBar bar(console_, text({"copying", "复制中"}), ProgressUnit::bytes, clock_);
  bar.update(900'000'000, 1'000'000'000);
  now_ += milliseconds(1000);
  bar.update(1'000'000'000, 1'000'000'000);
  EXPECT_NE(output().find("100 MB/s"), std::string::npos) << output();
}

}  // namespace
}  // namespace premise
