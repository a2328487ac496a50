#include "base/units.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace premise {
namespace {

TEST(FormatBytes, PicksTheUnitThatLeavesOneToThreeFigures) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.0 kB");
  EXPECT_EQ(format_bytes(253'113'024), "253 MB");
  EXPECT_EQ(format_bytes(1'234'567'890), "1.2 GB");
  EXPECT_EQ(format_bytes(std::numeric_limits<std::uint64_t>::max()), "18 EB");
}

TEST(FormatBytes, RoundsIntoTheNextUnitAndNeverToAThousand) {
  EXPECT_EQ(format_bytes(9'940), "9.9 kB");
  EXPECT_EQ(format_bytes(9'960), "10 kB");
  EXPECT_EQ(format_bytes(999'400), "999 kB");
  EXPECT_EQ(format_bytes(999'600), "1.0 MB");
}

TEST(FormatByteRate, AcceptsWhatADivisionMayYield) {
  EXPECT_EQ(format_byte_rate(31.4e9), "31 GB/s");
  EXPECT_EQ(format_byte_rate(0), "0 B/s");
  EXPECT_EQ(format_byte_rate(-1), "0 B/s");
  EXPECT_EQ(format_byte_rate(std::nan("")), "0 B/s");
  EXPECT_EQ(format_byte_rate(std::numeric_limits<double>::infinity()), "18 EB/s");
}

TEST(FormatDuration, GoesFromMicrosecondsToDays) {
  EXPECT_EQ(format_duration(0).en, "0 s");
  EXPECT_EQ(format_duration(850e-6).en, "850 µs");
  EXPECT_EQ(format_duration(0.0123).en, "12 ms");
  EXPECT_EQ(format_duration(4.21).en, "4.2 s");
  EXPECT_EQ(format_duration(59.4).en, "59 s");
  EXPECT_EQ(format_duration(192).en, "3 min 12 s");
  EXPECT_EQ(format_duration(5 * 3600 + 4 * 60).en, "5 h 04 min");
  EXPECT_EQ(format_duration(51 * 3600).en, "2 d 3 h");
}

TEST(FormatDuration, RoundsIntoTheNextUnit) {
  EXPECT_EQ(format_duration(0.9996).en, "1.0 s");
  EXPECT_EQ(format_duration(59.6).en, "1 min 00 s");
  EXPECT_EQ(format_duration(3599.7).en, "1 h 00 min");
}

TEST(FormatDuration, SpeaksBothLanguages) { EXPECT_EQ(format_duration(192).zh, "3 分 12 秒"); }

TEST(FormatDuration, HasAnAnswerForNonsense) {
  EXPECT_EQ(format_duration(-3).en, "0 s");
  EXPECT_EQ(format_duration(std::nan("")).en, "0 s");
  EXPECT_FALSE(format_duration(std::numeric_limits<double>::infinity()).en.empty());
}

}  // namespace
}  // namespace premise
