#include "machine/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

namespace premise {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

CommandAnswer shell(const std::string& script, milliseconds limit = milliseconds(5000)) {
  return run_child({"/bin/sh", "-c", script}, limit);
}

TEST(RunChild, gives_both_outputs_and_the_exit_code) {
  const CommandAnswer answer = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(answer.state, CommandState::exited);
  EXPECT_EQ(answer.exit_code, 3);
  EXPECT_EQ(answer.out, "out\n");
  EXPECT_EQ(answer.err, "err\n");
}

TEST(RunChild, a_program_that_is_not_there_is_not_found) {
  EXPECT_EQ(run_child({"premise-no-such-program"}, milliseconds(1000)).state,
            CommandState::not_found);
  EXPECT_EQ(run_child({"/etc/passwd"}, milliseconds(1000)).state, CommandState::not_found);
  EXPECT_EQ(run_child({}, milliseconds(1000)).state, CommandState::not_found);
}

TEST(RunChild, death_by_a_signal_is_an_exit_code_as_in_a_shell) {
  EXPECT_EQ(shell("kill -SEGV $$").exit_code, 128 + SIGSEGV);
}

/// Gone, or dead and waiting for whoever started it to notice.
bool has_ended(const std::string& process) {
  std::ifstream file("/proc/" + process + "/stat");
  std::string number;
  std::string name;
  std::string state;
  return !(file >> number >> name >> state) || state == "Z" || state == "X";
}

TEST(RunChild, a_command_that_hangs_is_ended_with_everything_it_started) {
  const Clock::time_point start = Clock::now();
  const CommandAnswer answer = shell("sleep 600 & echo $!; sleep 600", milliseconds(200));
  EXPECT_EQ(answer.state, CommandState::timed_out);
  EXPECT_LT(Clock::now() - start, milliseconds(3000));
  // What came before the time was over is kept.
  const std::string grandchild = answer.out.substr(0, answer.out.find('\n'));
  ASSERT_FALSE(grandchild.empty());
  for (int i = 0; i < 100 && !has_ended(grandchild); ++i)
    std::this_thread::sleep_for(milliseconds(10));
  EXPECT_TRUE(has_ended(grandchild));
}

TEST(RunChild, a_program_left_behind_in_the_background_does_not_hold_the_answer_up) {
  const Clock::time_point start = Clock::now();
  const CommandAnswer answer = shell("sleep 600 & echo done");
  EXPECT_EQ(answer.state, CommandState::exited);
  EXPECT_EQ(answer.out, "done\n");
  EXPECT_LT(Clock::now() - start, milliseconds(3000));
}

TEST(RunChild, output_without_end_is_cut_and_does_not_block) {
  const CommandAnswer answer = shell("yes | head -c 4000000");
  EXPECT_EQ(answer.state, CommandState::exited);
  EXPECT_EQ(answer.out.size(), command_output_max);
}

TEST(RunChild, has_no_input_no_terminal_and_plain_english) {
  ::setenv("LC_ALL", "zh_CN.UTF-8", 1);
  const CommandAnswer answer = shell("cat; echo \"$LC_ALL $LANG\"; test -t 0 || echo none");
  ::unsetenv("LC_ALL");
  EXPECT_EQ(answer.out, "C \nnone\n");
}

TEST(TryInFork, tells_what_the_question_answered) {
  const auto end = try_in_fork(
      [](char* buffer) {
        std::memcpy(buffer, "yes", 3);
        return std::size_t{3};
      },
      milliseconds(2000));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->bytes, "yes");
  EXPECT_EQ(end->signal, 0);
  EXPECT_FALSE(end->timed_out);
}

TEST(TryInFork, an_illegal_instruction_ends_the_fork_and_not_us) {
  const auto end = try_in_fork(
      [](char*) {
        ::raise(SIGILL);
        return std::size_t{0};
      },
      milliseconds(2000));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->signal, SIGILL);
}

TEST(TryInFork, a_question_without_an_answer_ends_at_the_limit) {
  const auto end = try_in_fork(
      [](char*) {
        ::pause();
        return std::size_t{0};
      },
      milliseconds(100));
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->timed_out);
}

}  // namespace
}  // namespace premise
