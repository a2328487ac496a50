// Limits of a model that changes: how long a new version is watched, what brings the old one back,
// how long requests may end; and that the end of the table has a limit too.
#include <gmock/gmock.h>

#include "serve/models/model_table_testing.h"

namespace premise {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::enough;

class ModelLimitsTest : public testing::ModelTableTest {
 protected:
  void fail(int requests) {
    for (int i = 0; i < requests; ++i) table_->use("m")->ended(true);
  }
};

TEST_F(ModelLimitsTest, AModelHasLimitsOfItsOwn) {
  start();
  table_->set_limits("m", {enough, 2, 0.0, enough});
  ASSERT_TRUE(swap("good 2").ok());
  fail(1);
  EXPECT_EQ(serving(), "good 2") << "one request says nothing yet";
  fail(1);
  EXPECT_EQ(serving(), "good 1") << "of two, none may fail";
}

TEST_F(ModelLimitsTest, LimitsThatChangeAreForTheNextWatch) {
  start();
  ASSERT_TRUE(swap("good 2").ok());
  table_->set_limits("m", {enough, 1, 1.0, enough});
  fail(4);
  EXPECT_EQ(serving(), "good 1") << "this watch goes on as it began";
  ASSERT_TRUE(swap("good 3").ok());
  fail(20);
  EXPECT_EQ(serving(), "good 3") << "every request may fail";
}

TEST_F(ModelLimitsTest, ASwapMayBeWatchedOtherwiseOnce) {
  start();
  ASSERT_TRUE(swap("good 2", {.watch = milliseconds(0)}).ok());
  EXPECT_FALSE(table_->find("m")->watched);
  ASSERT_TRUE(swap("good 3", {.failed_share = 1.0}).ok());
  fail(20);
  EXPECT_EQ(serving(), "good 3");
  ASSERT_TRUE(swap("good 4").ok());
  EXPECT_TRUE(table_->find("m")->watched);
  fail(4);
  EXPECT_EQ(serving(), "good 3");
}

TEST_F(ModelLimitsTest, RequestsOfAModelEndInItsOwnTime) {
  start();
  table_->set_limits("m", {enough, 4, 0.5, milliseconds(0)});
  auto use = table_->use("m");
  std::promise<void> cut;
  use->on_cut([&] { cut.set_value(); });
  ASSERT_FALSE(table_->unload("m", {}));
  EXPECT_EQ(cut.get_future().wait_for(enough), std::future_status::ready);
  use.reset();
}

TEST_F(ModelLimitsTest, AVersionThatWasReturnedFromMayBeTriedAgain) {
  start();
  ASSERT_TRUE(swap("good 2").ok());
  fail(4);
  ASSERT_EQ(serving(), "good 1");
  EXPECT_FALSE(table_->find("m")->why.empty());
  ASSERT_TRUE(swap("good 2").ok());
  EXPECT_EQ(serving(), "good 2");
  EXPECT_TRUE(table_->find("m")->watched);
  EXPECT_TRUE(table_->find("m")->why.empty()) << "what was wrong before is not said of this one";
  EXPECT_EQ(table_->find("m")->failed, 0u);
  for (int i = 0; i < 20; ++i) table_->use("m")->ended(false);
  EXPECT_EQ(serving(), "good 2");
  EXPECT_EQ(table_->find("m")->version, 3u);
}

TEST_F(ModelLimitsTest, LateFailuresOfAVersionThatIsGoneBringNobodyBack) {
  start();
  ASSERT_TRUE(swap("good 2").ok());
  std::vector<std::shared_ptr<ModelUse>> late;
  for (int i = 0; i < 9; ++i) late.push_back(table_->use("m"));
  for (int i = 0; i < 4; ++i) late[i]->ended(true);
  ASSERT_EQ(serving(), "good 1");
  ASSERT_TRUE(swap("good 3").ok());
  for (const auto& use : late) use->ended(true);
  EXPECT_EQ(serving(), "good 3");
}

TEST_F(ModelLimitsTest, ABrokenOldVersionIsNothingToReturnTo) {
  start();
  ASSERT_TRUE(swap("good 2").ok());
  made_["good 1"].lock()->works = false;
  fail(10);
  EXPECT_EQ(serving(), "good 2");
}

TEST_F(ModelLimitsTest, NothingIsTakenAwayWhileItsNextVersionIsLoaded) {
  start();
  std::promise<Status> over;
  ASSERT_FALSE(table_->swap({"m", "slow"}, [&](const Status& s) { over.set_value(s); }));
  EXPECT_EQ(table_->unload("m", {})->reason, ModelRefusal::Reason::busy);
  EXPECT_EQ(table_->swap({"m", "good 3"})->reason, ModelRefusal::Reason::busy);
  EXPECT_NE(table_->use("m"), nullptr) << "the old one serves";
  slow_.set_value();
  ASSERT_TRUE(over.get_future().get().ok());
  EXPECT_TRUE(wait([&](auto done) { return table_->unload("m", {}, done); }).ok());
  EXPECT_TRUE(soon([&] { return !alive("good 1") && !alive("slow"); }));
}

TEST_F(ModelLimitsTest, TheEndHasALimitWhereARequestDoesNotEnd) {
  start();
  auto stuck = table_->use("m");
  bool cut = false;
  stuck->on_cut([&] { cut = true; });
  EXPECT_FALSE(table_->close(milliseconds(20)));
  EXPECT_TRUE(cut);
  EXPECT_TRUE(alive("good 1")) << "who uses it still may";
  EXPECT_EQ(table_->find("m")->requests, 1u) << "and can be named";
  EXPECT_EQ(table_->use("m"), nullptr);
  EXPECT_TRUE(table_->cards().empty());
  stuck.reset();
  EXPECT_TRUE(table_->close(enough));
  EXPECT_FALSE(alive("good 1"));
}

TEST_F(ModelLimitsTest, TheEndHasALimitWhereAModelIsBeingLoaded) {
  start();
  std::promise<Status> over, never;
  ASSERT_FALSE(table_->load({"n", "slow"}, [&](const Status& s) { over.set_value(s); }));
  ASSERT_TRUE(soon([&] { return loading_.load(); }));
  ASSERT_FALSE(table_->load({"o", "good 2"}, [&](const Status& s) { never.set_value(s); }));
  EXPECT_FALSE(table_->close(milliseconds(20)));
  EXPECT_TRUE(soon([&] { return !alive("good 1"); })) << "others do not wait for it";
  slow_.set_value();
  EXPECT_TRUE(table_->close(enough));
  EXPECT_TRUE(over.get_future().get().ok());
  EXPECT_EQ(never.get_future().get().error().code, ErrorCode::cancelled);
  EXPECT_FALSE(alive("slow"));
}

TEST_F(ModelLimitsTest, TheEndHasALimitWhereTheNextVersionIsBeingLoaded) {
  start();
  std::promise<Status> over;
  ASSERT_FALSE(table_->swap({"m", "slow"}, [&](const Status& s) { over.set_value(s); }));
  ASSERT_TRUE(soon([&] { return loading_.load(); }));
  EXPECT_FALSE(table_->close(milliseconds(20)));
  slow_.set_value();
  table_.reset();
  EXPECT_EQ(over.get_future().wait_for(enough), std::future_status::ready);
  EXPECT_FALSE(alive("slow"));
}

}  // namespace
}  // namespace premise
