#include "serve/observe/metrics.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace premise {
namespace {

std::string text_of(const auto& instrument) {
  std::string out;
  instrument.write(out);
  return out;
}

TEST(CounterFamily, writes_a_line_for_each_combination_of_labels) {
  CounterFamily tokens("premise_tokens_total", "Tokens read and written.", {"kind", "model"});
  tokens.add({"prompt", "a"}, 7);
  tokens.add({"completion", "a"});
  tokens.add({"prompt", "a"}, 3);
  EXPECT_EQ(text_of(tokens),
            "# HELP premise_tokens_total Tokens read and written.\n"
            "# TYPE premise_tokens_total counter\n"
            "premise_tokens_total{kind=\"completion\",model=\"a\"} 1\n"
            "premise_tokens_total{kind=\"prompt\",model=\"a\"} 10\n");
  EXPECT_EQ(tokens.value({"prompt", "a"}), 10u);
  EXPECT_EQ(tokens.value({"prompt", "b"}), 0u);
}

TEST(CounterFamily, without_labels_is_zero_before_anything_happened) {
  EXPECT_EQ(text_of(CounterFamily("x_total", "X.", {})),
            "# HELP x_total X.\n# TYPE x_total counter\nx_total 0\n");
}

TEST(Labels, cannot_forge_another_line) {
  EXPECT_EQ(escape_label("a\"} 1\nforged 2\\"), "a\\\"} 1\\nforged 2\\\\");
}

TEST(Gauge, says_its_last_value) {
  Gauge gauge("premise_requests_running", "Requests being computed.");
  gauge.set(3);
  gauge.set(2.5);
  EXPECT_EQ(text_of(gauge),
            "# HELP premise_requests_running Requests being computed.\n"
            "# TYPE premise_requests_running gauge\npremise_requests_running 2.5\n");
}

TEST(Histogram, counts_what_is_at_most_each_bound) {
  constexpr std::array bounds{0.1, 1.0, 10.0};
  Histogram histogram("h_seconds", "H.", bounds);
  for (const double value : {0.05, 0.1, 0.5, 100.0}) histogram.observe(value);
  EXPECT_EQ(text_of(histogram),
            "# HELP h_seconds H.\n# TYPE h_seconds histogram\n"
            "h_seconds_bucket{le=\"0.1\"} 2\nh_seconds_bucket{le=\"1\"} 3\n"
            "h_seconds_bucket{le=\"10\"} 3\nh_seconds_bucket{le=\"+Inf\"} 4\n"
            "h_seconds_sum 100.65\nh_seconds_count 4\n");
}

TEST(Histogram, drops_what_is_no_number) {
  constexpr std::array bounds{1.0};
  Histogram histogram("h", "H.", bounds);
  histogram.observe(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(histogram.count(), 0u);
}

TEST(Sample, reads_back_as_the_same_number) {
  EXPECT_EQ(format_sample(0.1), "0.1");
  EXPECT_EQ(format_sample(1e21), "1e+21");
  EXPECT_EQ(format_sample(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(format_sample(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(format_sample(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

}  // namespace
}  // namespace premise
