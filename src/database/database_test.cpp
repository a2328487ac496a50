#include "database/database.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

namespace premise {
namespace {

namespace fs = std::filesystem;

constexpr const char* first_schema[] = {"CREATE TABLE words(word TEXT NOT NULL)"};
constexpr const char* second_schema[] = {"CREATE TABLE words(word TEXT NOT NULL)",
                                         "ALTER TABLE words ADD COLUMN count INTEGER DEFAULT 7"};

DatabaseOptions options_of(std::span<const char* const> migrations) {
  DatabaseOptions options;
  options.migrations = migrations;
  options.damaged_hint = {"mend it", "修复"};
  options.unwritable_hint = {"go elsewhere", "换个位置"};
  options.busy_timeout = std::chrono::milliseconds(50);
  options.readable_without_writing = true;
  return options;
}

class DatabaseFile : public testing::Test {
 protected:
  DatabaseFile() {
    std::string name = (fs::temp_directory_path() / "premise-database-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
    path = folder / "a.db";
  }
  ~DatabaseFile() override {
    fs::permissions(folder, fs::perms::owner_all);
    fs::remove_all(folder);
  }
  Database open(std::span<const char* const> migrations = first_schema) {
    auto opened = Database::open(path, options_of(migrations));
    EXPECT_TRUE(opened.ok()) << opened.error().what.en;
    return std::move(*opened);
  }
  static Status add(Database& database, std::string_view word) {
    PREMISE_TRY(Statement insert, database.prepare("INSERT INTO words(word) VALUES (?)"));
    return insert.bind(word).run();
  }
  static std::string words(Database& database) {
    auto query = database.prepare("SELECT word FROM words ORDER BY rowid");
    std::string all;
    while (query.ok() && *query->next()) all += query->text(0) + ",";
    return all;
  }
  /// Runs `law` as somebody who may only read the folder; true where it held.
  bool as_reader(const std::function<bool()>& law) {
    fs::permissions(folder, fs::perms(0555));
    const pid_t child = ::fork();
    if (child == 0) {
      if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(3);
      ::_exit(law() ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    fs::permissions(folder, fs::perms::owner_all);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  fs::path folder, path;
};

TEST_F(DatabaseFile, KeepsAnyBytesOfAText) {
  Database database = open();
  const std::string odd("a\0b\xff'", 5);
  ASSERT_TRUE(add(database, odd).ok());
  ASSERT_TRUE(add(database, {}).ok());
  EXPECT_EQ(words(database), odd + ",,");
}

TEST_F(DatabaseFile, IsBroughtUpToDateAndKeepsWhatItHolds) {
  {
    Database old = open(first_schema);
    ASSERT_TRUE(add(old, "one").ok());
  }
  Database database = open(second_schema);
  auto query = database.prepare("SELECT word, count FROM words");
  ASSERT_TRUE(*query->next());
  EXPECT_EQ(query->text(0), "one");
  EXPECT_EQ(query->integer(1), 7);
}

TEST_F(DatabaseFile, OfTheFirstStoresKnowsItsVersionByItsTable) {
  {
    Database database = open(first_schema);
    ASSERT_TRUE(database
                    .execute("PRAGMA user_version = 0; CREATE TABLE schema_migrations(version "
                             "INTEGER PRIMARY KEY); INSERT INTO schema_migrations VALUES (1)")
                    .ok());
    ASSERT_TRUE(add(database, "one").ok());
  }
  Database database = open(second_schema);
  EXPECT_EQ(words(database), "one,");
}

TEST_F(DatabaseFile, OfANewerProgramIsRefused) {
  open(second_schema);
  const auto opened = Database::open(path, options_of(first_schema));
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().what.en.find("newer"), std::string::npos);
}

TEST_F(DatabaseFile, DamagedIsRefusedWithTheOwnersHintAndLeftAsItIs) {
  std::ofstream(path) << std::string(8192, 'x');
  const auto opened = Database::open(path, options_of(first_schema));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::bad_input);
  EXPECT_EQ(opened.error().hint.en, "mend it");
  EXPECT_EQ(fs::file_size(path), 8192U);
}

TEST_F(DatabaseFile, TransactionThatFailsLeavesNothing) {
  Database database = open();
  const Status done = database.transaction([&]() -> Status {
    PREMISE_CHECK(add(database, "half"));
    return error(ErrorCode::no, {"no", "不"});
  });
  EXPECT_EQ(done.error().what.en, "no");
  EXPECT_EQ(words(database), "");
  EXPECT_TRUE(database.transaction([&] { return add(database, "whole"); }).ok());
  EXPECT_EQ(words(database), "whole,");
}

TEST_F(DatabaseFile, BusyWithAnotherWriterSaysSoAfterItsTime) {
  Database one = open(), other = open();
  ASSERT_TRUE(one.execute("BEGIN IMMEDIATE").ok());
  const Status refused = other.transaction([&] { return add(other, "x"); });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::no_resources);
  EXPECT_NE(refused.error().what.en.find("busy"), std::string::npos);
}

TEST_F(DatabaseFile, SnapshotIsOneStateWhateverOthersCommit) {
  Database reader = open(), writer = open();
  ASSERT_TRUE(add(writer, "one").ok());
  ASSERT_TRUE(reader
                  .snapshot([&]() -> Status {
                    EXPECT_EQ(words(reader), "one,");
                    PREMISE_CHECK(add(writer, "two"));
                    EXPECT_EQ(words(reader), "one,");
                    return {};
                  })
                  .ok());
  EXPECT_EQ(words(reader), "one,two,");
}

TEST_F(DatabaseFile, PrivateOneIsItsOwnersAlone) {
  DatabaseOptions options = options_of(first_schema);
  options.private_file = true;
  path = folder / "inner" / "b.db";
  auto database = Database::open(path, options);
  ASSERT_TRUE(database.ok());
  ASSERT_TRUE(add(*database, "x").ok());
  for (const fs::path& file : {path, fs::path(path.string() + "-wal")}) {
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << file;
  }
}

TEST_F(DatabaseFile, IsReadInAFolderThatCannotBeWritten) {
  {
    Database database = open();
    ASSERT_TRUE(add(database, "one").ok());
  }
  EXPECT_TRUE(as_reader([&] {
    Database database = open();
    const Status written = add(database, "two");
    return words(database) == "one," && !written.ok() && written.error().code == ErrorCode::usage &&
           written.error().hint.en == "go elsewhere";
  }));
}

TEST_F(DatabaseFile, IsReadBesideAWriterWhoseLogHoldsTheNewest) {
  Database writer = open();
  ASSERT_TRUE(add(writer, "one").ok());  // in the -wal only
  EXPECT_TRUE(as_reader([&] {
    Database database = open();
    return words(database) == "one,";
  }));
}

TEST_F(DatabaseFile, ThatCannotBeWrittenIsNotBroughtUpToDateSilently) {
  open(first_schema);
  EXPECT_TRUE(as_reader([&] {
    const auto opened = Database::open(path, options_of(second_schema));
    return !opened.ok() && opened.error().what.en.find("older Premise") != std::string::npos;
  }));
}

TEST_F(DatabaseFile, ThatIsNoneIsRefusedWhereItCannotBeWritten) {
  std::ofstream(path) << "short";
  const auto refused = [&] { return !Database::open(path, options_of(first_schema)).ok(); };
  EXPECT_TRUE(as_reader(refused));
  std::ofstream(path) << std::string(8192, 'x');
  EXPECT_TRUE(as_reader(refused));
  fs::remove(path);
  EXPECT_TRUE(as_reader(refused));
}

}  // namespace
}  // namespace premise
