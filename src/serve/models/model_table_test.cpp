#include <gmock/gmock.h>

#include "serve/models/model_table_testing.h"

namespace premise {
namespace {

using std::chrono::milliseconds;
using testing::ModelTableTest;
using testing::ScriptedEndpoint;

TEST_F(ModelTableTest, TheFirstModelIsTheDefault) {
  start();
  EXPECT_EQ(table_->use("")->endpoint().card().name, "m");
  EXPECT_EQ(table_->use("m")->endpoint().card().name, "m");
  std::optional<ModelState> state;
  EXPECT_EQ(table_->use("other", &state), nullptr);
  EXPECT_FALSE(state);
}

TEST_F(ModelTableTest, ALoadedModelServesBesideTheOthers) {
  start();
  EXPECT_TRUE(wait([&](auto done) { return table_->load({"n", "good 2"}, done); }).ok());
  EXPECT_EQ(table_->use("n")->endpoint().card().name, "n");
  EXPECT_EQ(table_->cards().size(), 2u);
  EXPECT_EQ(table_->find("n")->digest, "digest of good 2");
}

TEST_F(ModelTableTest, WhatIsBeingLoadedTakesNoRequestsAndIsNotLoadedTwice) {
  start();
  std::promise<Status> over;
  ASSERT_FALSE(table_->load({"n", "slow"}, [&](const Status& s) { over.set_value(s); }));
  std::optional<ModelState> state;
  EXPECT_EQ(table_->use("n", &state), nullptr);
  EXPECT_EQ(state, ModelState::loading);
  EXPECT_EQ(table_->load({"n", "good 2"})->reason, ModelRefusal::Reason::exists);
  EXPECT_EQ(table_->unload("n", {})->reason, ModelRefusal::Reason::busy);
  EXPECT_EQ(table_->swap({"n", "good 2"})->reason, ModelRefusal::Reason::busy);
  slow_.set_value();
  EXPECT_TRUE(over.get_future().get().ok());
}

TEST_F(ModelTableTest, AModelThatCannotBeLoadedSaysWhyAndMayBeLoadedAgain) {
  start();
  EXPECT_FALSE(wait([&](auto done) { return table_->load({"n", "throws"}, done); }).ok());
  EXPECT_EQ(table_->find("n")->state, ModelState::failed);
  EXPECT_FALSE(table_->find("n")->why.empty());
  EXPECT_TRUE(wait([&](auto done) { return table_->load({"n", "good 2"}, done); }).ok());
  EXPECT_TRUE(table_->find("n")->why.empty());
}

TEST_F(ModelTableTest, UnloadingWaitsForWhoUsesTheModel) {
  start();
  auto use = table_->use("m");
  std::promise<Status> over;
  auto ended = over.get_future();
  ASSERT_FALSE(table_->unload("m", {}, [&](const Status& s) { over.set_value(s); }));
  std::optional<ModelState> state;
  EXPECT_EQ(table_->use("m", &state), nullptr);
  EXPECT_EQ(state, ModelState::draining);
  EXPECT_EQ(ended.wait_for(milliseconds(20)), std::future_status::timeout);
  EXPECT_TRUE(alive("good 1"));
  use.reset();
  EXPECT_TRUE(ended.get().ok());
  EXPECT_FALSE(table_->find("m"));
  EXPECT_FALSE(alive("good 1"));
}

TEST_F(ModelTableTest, WhoDoesNotEndInTimeIsCutOnce) {
  start();
  auto use = table_->use("m");
  std::promise<void> cut;
  use->on_cut([&] { cut.set_value(); });
  ASSERT_FALSE(table_->unload("m", milliseconds(5)));
  cut.get_future().get();
  EXPECT_TRUE(alive("good 1"));  // cut, but not gone yet
  bool late = false;
  use->on_cut([&] { late = true; });
  EXPECT_TRUE(late);
  use.reset();
  EXPECT_TRUE(soon([&] { return !alive("good 1"); }));
}

TEST_F(ModelTableTest, ASwapLetsOldRequestsEndWithTheOldVersion) {
  start(milliseconds(0));
  auto before = table_->use("m");
  EXPECT_TRUE(swap("good 2").ok());
  EXPECT_EQ(serving(), "good 2");
  auto after = table_->use("m");
  EXPECT_NE(&before->endpoint(), &after->endpoint());
  EXPECT_TRUE(alive("good 1"));
  before.reset();
  EXPECT_TRUE(soon([&] { return !alive("good 1"); }));
}

TEST_F(ModelTableTest, AVersionThatFailsItsCheckNeverServes) {
  start();
  EXPECT_FALSE(swap("mute").ok());
  EXPECT_EQ(serving(), "good 1");
  EXPECT_EQ(table_->find("m")->state, ModelState::ready);
  EXPECT_FALSE(table_->find("m")->why.empty());
  EXPECT_TRUE(soon([&] { return !alive("mute"); }));
  EXPECT_THAT(swaps(), ::testing::ElementsAre(SwapResult::check_failed));
}

TEST_F(ModelTableTest, WhereMemoryDoesNotHoldBothNothingChanges) {
  start();
  const Status status = swap("refused");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::no_resources);
  EXPECT_EQ(serving(), "good 1");
  EXPECT_NE(table_->use("m"), nullptr);
}

TEST_F(ModelTableTest, TooManyFailuresBringTheOldVersionBack) {
  start();
  ASSERT_TRUE(swap("good 2").ok());
  EXPECT_TRUE(table_->find("m")->watched);
  table_->use("m")->ended(false);
  for (int i = 0; i < 2; ++i) table_->use("m")->ended(true);
  EXPECT_EQ(serving(), "good 2");  // two of three, but too few to judge
  table_->use("m")->ended(true);
  EXPECT_EQ(serving(), "good 1");
  EXPECT_FALSE(table_->find("m")->watched);
  EXPECT_TRUE(soon([&] { return !alive("good 2"); }));
  EXPECT_THAT(swaps(), ::testing::ElementsAre(SwapResult::swapped, SwapResult::returned));
}

TEST_F(ModelTableTest, AnEngineThatBreaksWhileItIsWatchedGoesAtOnce) {
  start();
  ASSERT_TRUE(swap("good 2").ok());
  auto use = table_->use("m");
  made_["good 2"].lock()->works = false;
  use->ended(true);
  EXPECT_EQ(serving(), "good 1");
}

TEST_F(ModelTableTest, FailuresOfTheOldVersionSayNothingOfTheNew) {
  start();
  std::vector<std::shared_ptr<ModelUse>> old;
  for (int i = 0; i < 10; ++i) old.push_back(table_->use("m"));
  ASSERT_TRUE(swap("good 2").ok());
  for (const auto& use : old) use->ended(true);
  EXPECT_EQ(serving(), "good 2");
}

TEST_F(ModelTableTest, AfterTheWatchTheOldVersionIsGone) {
  start(milliseconds(10));
  ASSERT_TRUE(swap("good 2").ok());
  EXPECT_TRUE(soon([&] { return !alive("good 1"); }));
  EXPECT_TRUE(soon([&] { return swaps().size() == 2; }));
  EXPECT_THAT(swaps(), ::testing::ElementsAre(SwapResult::swapped, SwapResult::kept));
  for (int i = 0; i < 10; ++i) table_->use("m")->ended(true);
  EXPECT_EQ(serving(), "good 2");  // nothing to return to
}

TEST_F(ModelTableTest, ABrokenModelIsShownAsFailedAndCanBeSwapped) {
  start();
  made_["good 1"].lock()->works = false;
  EXPECT_EQ(table_->find("m")->state, ModelState::failed);
  EXPECT_TRUE(swap("good 2").ok());
  EXPECT_EQ(table_->find("m")->state, ModelState::ready);
}

TEST_F(ModelTableTest, TheEndOfTheTableCutsWhatIsLeft) {
  start();
  auto use = table_->use("m");
  use->on_cut(
      [&use] { std::thread([held = std::move(use)]() mutable { held.reset(); }).detach(); });
  table_.reset();  // returns once the use is gone
  EXPECT_FALSE(alive("good 1"));
}

TEST_F(ModelTableTest, SwapsUnderManyUsersLoseNobody) {
  start(milliseconds(1));
  std::atomic<bool> stop = false;
  std::atomic<int> missed = 0, served = 0;
  std::vector<std::thread> users;
  for (int i = 0; i < 4; ++i)
    users.emplace_back([&] {
      while (!stop) {
        const auto use = table_->use("m");
        if (use == nullptr || !use->endpoint().ready()) ++missed;
        if (use != nullptr) use->ended(false);
        ++served;
        std::this_thread::yield();
      }
    });
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(swap("version " + std::to_string(i)).ok());
    EXPECT_TRUE(soon([&, before = served.load()] { return served > before; }));
  }
  stop = true;
  for (std::thread& user : users) user.join();
  EXPECT_EQ(missed, 0);
}

TEST(SelfCheck, TakesAnAnswerAndRefusesEveryOtherEnd) {
  const auto passes = [](auto change) {
    ScriptedEndpoint endpoint("m");
    change(endpoint);
    return self_check(endpoint, milliseconds(20)).ok();
  };
  EXPECT_TRUE(passes([](ScriptedEndpoint&) {}));
  EXPECT_FALSE(passes([](ScriptedEndpoint& e) { e.says.clear(); }));
  EXPECT_FALSE(passes([](ScriptedEndpoint& e) { e.logprob = NAN; }));
  EXPECT_FALSE(passes([](ScriptedEndpoint& e) { e.how = Ended::How::failed; }));
  EXPECT_FALSE(passes([](ScriptedEndpoint& e) { e.holds = true; }));
}

}  // namespace
}  // namespace premise
