#include "base/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace premise {
namespace {

TEST(Interrupt, IsRequestedByTheFirstSignal) {
  Interrupt interrupt;
  interrupt.install();
  EXPECT_FALSE(interrupt.requested());
  raise(SIGINT);
  EXPECT_TRUE(interrupt.requested());
}

TEST(Interrupt, CanBeUsedAgainAfterReset) {
  Interrupt interrupt;
  interrupt.install();
  raise(SIGINT);
  interrupt.reset();
  EXPECT_FALSE(interrupt.requested());
  raise(SIGINT);  // the first one again: does not end the process
  EXPECT_TRUE(interrupt.requested());
}

TEST(Interrupt, WorksWithoutASignal) {
  Interrupt interrupt;
  interrupt.request();
  EXPECT_TRUE(interrupt.requested());
}

TEST(InterruptDeathTest, SecondSignalEndsTheProcessAtOnce) {
  EXPECT_EXIT(
      {
        Interrupt interrupt;
        interrupt.install();
        raise(SIGINT);
        raise(SIGINT);
        _exit(0);
      },
      testing::ExitedWithCode(130), "");
}

TEST(InterruptDeathTest, SignalKillsAsUsualOnceTheObjectIsGone) {
  EXPECT_EXIT(
      {
        {
          Interrupt().install();
        }
        raise(SIGINT);
        _exit(0);
      },
      testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace premise
