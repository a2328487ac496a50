// Lists on disk, read again while they are used.
#include "serve/filter/word_filter.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

namespace premise {
namespace {

using testing::HasSubstr;

class WordFilterFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/premise-filter-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& lines) {
    const auto path = folder_ / name;
    // As editors and configuration managers do it: another file under the same name.
    std::ofstream(path.string() + ".new") << lines;
    std::filesystem::rename(path.string() + ".new", path);
    return path;
  }
  std::unique_ptr<WordFilter> open(std::vector<std::filesystem::path> files) {
    auto opened = WordFilter::open({std::move(files), FilterAction::mask});
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.error().what.en);
    return opened.ok() ? std::move(*opened) : nullptr;
  }

  std::filesystem::path folder_;
};

TEST_F(WordFilterFiles, AreReadTogether) {
  const auto filter = open({write("a", "one\n"), write("b", "two\n")});
  EXPECT_EQ(filter->current()->masked("one two three"), "*** *** three");
  EXPECT_EQ(filter->rules().action, FilterAction::mask);
  EXPECT_TRUE(filter->rules().active());
}

TEST_F(WordFilterFiles, NoneIsNoFilter) {
  const auto filter = open({});
  EXPECT_FALSE(filter->rules().active());
  EXPECT_EQ(filter->current()->masked("one"), "one");
}

TEST_F(WordFilterFiles, ThatCannotBeReadAreNamed) {
  const auto missing = WordFilter::open({{folder_ / "gone.txt"}, FilterAction::mask});
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().what.en, HasSubstr("gone.txt"));
  const auto folder = WordFilter::open({{folder_}, FilterAction::mask});
  ASSERT_FALSE(folder.ok());
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const auto pipe = WordFilter::open({{folder_ / "pipe"}, FilterAction::mask});
  ASSERT_FALSE(pipe.ok()) << "and nobody waits for a writer";
  EXPECT_THAT(pipe.error().what.en, HasSubstr("not a regular file"));
}

TEST_F(WordFilterFiles, AreReadAgainWhenTheyChange) {
  const auto path = write("a", "one\n");
  const auto filter = open({path});
  const auto before = filter->current();
  auto changed = filter->reload_if_changed();
  ASSERT_TRUE(changed.ok());
  EXPECT_FALSE(*changed);
  write("a", "two\n");
  changed = filter->reload_if_changed();
  ASSERT_TRUE(changed.ok());
  EXPECT_TRUE(*changed);
  EXPECT_EQ(filter->current()->masked("one two"), "one ***");
  EXPECT_EQ(before->masked("one two"), "*** two") << "who holds a list keeps it";
}

TEST_F(WordFilterFiles, ABadOneLeavesTheOldListAndIsToldOnce) {
  const auto path = write("a", "one\n");
  const auto filter = open({path});
  write("a", "one\n\xFF\n");
  auto changed = filter->reload_if_changed();
  ASSERT_FALSE(changed.ok());
  EXPECT_THAT(changed.error().what.en, HasSubstr("line 2"));
  EXPECT_EQ(filter->current()->masked("one"), "***");
  changed = filter->reload_if_changed();
  ASSERT_TRUE(changed.ok());
  EXPECT_FALSE(*changed);
  std::filesystem::remove(path);
  EXPECT_FALSE(filter->reload_if_changed().ok()) << "gone is a change, too";
  EXPECT_FALSE(filter->reload().ok()) << "who asks outright is told each time";
  write("a", "two\n");
  changed = filter->reload_if_changed();
  ASSERT_TRUE(changed.ok());
  EXPECT_TRUE(*changed);
  EXPECT_EQ(filter->current()->masked("one two"), "one ***");
}

TEST_F(WordFilterFiles, CanBeOthersByConfiguration) {
  const auto filter = open({write("a", "one\n")});
  ASSERT_TRUE(filter->configure({{write("b", "two\n")}, FilterAction::reject}).ok());
  EXPECT_EQ(filter->current()->masked("one two"), "one ***");
  EXPECT_EQ(filter->rules().action, FilterAction::reject);
  ASSERT_FALSE(filter->configure({{folder_ / "gone"}, FilterAction::log}).ok());
  EXPECT_EQ(filter->current()->masked("one two"), "one ***");
  EXPECT_EQ(filter->rules().action, FilterAction::reject);
}

TEST_F(WordFilterFiles, AreExchangedUnderThreadsThatUseThem) {
  const auto filter = open({write("a", "one\n")});
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        const auto rules = filter->rules();
        const std::string masked = rules.words->masked("one two");
        EXPECT_TRUE(masked == "*** two" || masked == "one ***") << masked;
      }
    });
  for (int round = 0; round < 50; ++round) {
    write("a", round % 2 == 0 ? "two\n" : "one\n");
    EXPECT_TRUE(filter->reload_if_changed().ok());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

TEST(FilterActionName, IsOneOfThree) {
  EXPECT_EQ(filter_action("reject"), FilterAction::reject);
  EXPECT_EQ(filter_action("mask"), FilterAction::mask);
  EXPECT_EQ(filter_action("log"), FilterAction::log);
  EXPECT_EQ(filter_action("Mask"), std::nullopt);
}

}  // namespace
}  // namespace premise
