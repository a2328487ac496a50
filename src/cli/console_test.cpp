#include "cli/console.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace premise {
namespace {

TEST(Console, FlushesWhenAsked) {
  char* data = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&data, &size);
  Console console(out, stderr, Language::english);
  console.write("token", true);
  EXPECT_EQ(std::string(data, size), "token");
  std::fclose(out);
  std::free(data);
}

TEST(Console, MemoryIsNoTerminal) {
  char buffer[8];
  std::FILE* out = fmemopen(buffer, sizeof buffer, "w");
  const Console console(out, out, Language::english);
  EXPECT_FALSE(console.out_is_terminal());
  EXPECT_FALSE(console.err_is_terminal());
  std::fclose(out);
}

TEST(Console, AReaderThatWentAwayStopsTheOutputAndIsNoError) {
  const auto before = signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  std::FILE* out = fdopen(ends[1], "w");
  Console console(out, stderr, Language::english);
  console.write("a line\n", true);
  EXPECT_FALSE(console.out_is_open());
  EXPECT_TRUE(console.finish().ok());
  std::fclose(out);
  signal(SIGPIPE, before);
}

TEST(Console, AFullDiskIsAnError) {
  std::FILE* out = std::fopen("/dev/full", "w");
  ASSERT_NE(out, nullptr);
  Console console(out, stderr, Language::english);
  console.write("data");
  const Status status = console.finish();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::no_resources);
  std::fclose(out);
}

TEST(Console, WithoutAnInterruptNothingIsRequested) {
  Console console(stdout, stderr, Language::english);
  EXPECT_FALSE(console.interrupt().requested());
}

}  // namespace
}  // namespace premise
