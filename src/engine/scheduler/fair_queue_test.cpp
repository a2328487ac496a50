#include "engine/scheduler/fair_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace premise {
namespace {

// Takes out who is next and charges for it, as admission does.
RequestId serve(FairQueue& queue, OwnerId owner_of_next, std::size_t tokens) {
  const RequestId next = queue.next().value();
  EXPECT_TRUE(queue.remove(owner_of_next, next));
  queue.choose(owner_of_next);
  queue.charge(owner_of_next, tokens);
  return next;
}

TEST(FairQueue, requests_of_one_owner_keep_their_order) {
  FairQueue queue;
  for (const RequestId id : {1, 2, 3}) queue.push(9, id);
  for (const RequestId id : {1u, 2u, 3u}) EXPECT_EQ(serve(queue, 9, 100), id);
  EXPECT_FALSE(queue.next().has_value());
}

TEST(FairQueue, one_request_does_not_wait_behind_somebody_elses_thousand) {
  FairQueue queue;
  for (RequestId id = 1; id <= 1000; ++id) queue.push(1, id);
  EXPECT_EQ(serve(queue, 1, 50), 1u);
  queue.push(2, 1001);
  EXPECT_EQ(queue.next(), 1001u);
}

TEST(FairQueue, tokens_count_and_not_requests) {
  FairQueue queue;
  std::map<RequestId, OwnerId> owner_of;
  RequestId id = 1;
  for (int i = 0; i < 400; ++i)
    for (const OwnerId owner : {1u, 2u}) {
      owner_of[id] = owner;
      queue.push(owner, id++);
    }
  std::map<OwnerId, std::size_t> tokens;
  for (int i = 0; i < 220; ++i) {
    const OwnerId owner = owner_of.at(*queue.next());
    const std::size_t cost = owner == 1 ? 1000 : 100;
    serve(queue, owner, cost);
    tokens[owner] += cost;
  }
  EXPECT_NEAR(static_cast<double>(tokens[1]), static_cast<double>(tokens[2]), 1000.0);
}

TEST(FairQueue, silence_saves_nothing_up) {
  FairQueue queue;
  queue.push(2, 1);
  queue.push(1, 2);
  serve(queue, 2, 1);
  queue.leave(2);  // and stays away while the other is served a lot
  RequestId id = 3;
  for (; id < 103; ++id) {
    queue.push(1, id);
    serve(queue, 1, 1000);
  }
  for (; id < 110; ++id) queue.push(2, id);
  int before = 0;  // requests of the other that overtake the oldest one waiting, 102
  while (queue.next() != 102u && before < 7) {
    serve(queue, 2, 1000);
    ++before;
  }
  EXPECT_LE(before, 2);
}

TEST(FairQueue, an_owner_cannot_shed_its_account_by_leaving) {
  FairQueue queue;
  queue.push(1, 1);
  queue.push(2, 2);
  serve(queue, 1, 5000);
  queue.leave(1);
  queue.push(1, 3);
  EXPECT_EQ(queue.next(), 2u);
}

TEST(FairQueue, accounts_end_when_nobody_is_left) {
  FairQueue queue;
  for (OwnerId owner = 0; owner < 50; ++owner) queue.push(owner, owner + 1);
  for (OwnerId owner = 0; owner < 50; ++owner) {
    ASSERT_TRUE(queue.remove(owner, owner + 1));
    EXPECT_FALSE(queue.remove(owner, owner + 1));
    queue.leave(owner);
  }
  EXPECT_EQ(queue.owners(), 0u);
  EXPECT_EQ(queue.waiting(), 0u);
}

TEST(FairQueue, owners_that_come_once_do_not_fill_the_memory) {
  FairQueue queue;
  queue.push(0, 1);  // the queue is never empty
  for (OwnerId owner = 1; owner <= 20000; ++owner) {
    queue.push(owner, owner + 1);
    ASSERT_TRUE(queue.remove(owner, owner + 1));
    queue.charge(owner, 10);
    queue.leave(owner);
  }
  EXPECT_LE(queue.owners(), 4098u);
}

}  // namespace
}  // namespace premise
