#include "base/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <cassert>

namespace premise {
namespace {

constexpr int interrupted_exit_code = 130;  // 128 + SIGINT, as shells report it

// The handler can be reached by no other way than a variable of the process.
std::atomic<Interrupt*> installed{nullptr};
static_assert(std::atomic<Interrupt*>::is_always_lock_free);

void on_signal(int) {
  Interrupt* interrupt = installed.load();
  if (interrupt == nullptr) return;
  if (interrupt->requested()) _exit(interrupted_exit_code);
  interrupt->request();
}

}  // namespace

void Interrupt::install() {
  Interrupt* expected = nullptr;
  installed_ = installed.compare_exchange_strong(expected, this);
  assert(installed_ && "one Interrupt at a time");
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
}

Interrupt::~Interrupt() {
  if (!installed_) return;
  signal(SIGINT, SIG_DFL);
  installed.store(nullptr);
}

}  // namespace premise
