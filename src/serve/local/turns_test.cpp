#include "serve/local/turns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace premise {
namespace {

TEST(Turns, OneAtATimeAndInTheOrderOfAsking) {
  Turns turns;
  std::atomic<int> inside = 0, most = 0;
  std::vector<int> order;  // written by who has the turn
  std::vector<std::thread> engines;
  for (int engine = 0; engine < 3; ++engine)
    engines.emplace_back([&, engine] {
      for (int step = 0; step < 200; ++step) {
        turns.take();
        most = std::max(most.load(), ++inside);
        order.push_back(engine);
        --inside;
        turns.give_back();
      }
    });
  for (std::thread& engine : engines) engine.join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(order.size(), 600u);
}

TEST(Turns, WhoHadATurnComesAfterWhoWaits) {
  Turns turns;
  std::vector<char> order;
  turns.take();
  std::atomic<bool> asked = false;
  std::thread other([&] {
    asked = true;
    turns.take();
    order.push_back('b');
    turns.give_back();
  });
  while (!asked) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // it is in take() by now
  turns.give_back();
  turns.take();
  order.push_back('a');
  turns.give_back();
  other.join();
  EXPECT_EQ(order, (std::vector<char>{'b', 'a'}));
}

}  // namespace
}  // namespace premise
