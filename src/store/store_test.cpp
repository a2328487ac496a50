#include "store/store.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <thread>

#include "store/test_support.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

Manifest manifest_of(std::string name, std::string_view bytes) {
  return {.name = *parse_model_name(name),
          .sha256 = sha256_of(bytes),
          .bytes = bytes.size(),
          .format = "gguf",
          .file_name = "a.gguf",
          .source = "file",
          .licence = ""};
}

class StoreTest : public testing::Test {
 protected:
  Result<StoredModel> add(Store& store, const std::string& name, std::string_view bytes) {
    const fs::path file = store.partial_folder() / ("in-" + sha256_of(name).substr(0, 8));
    write_file(file, bytes);
    return store.add(manifest_of(name, bytes), file);
  }
  std::vector<std::string> names(Store& store) {
    std::vector<std::string> out;
    const std::vector<StoredModel> models = *store.list();
    for (const StoredModel& model : models) out.push_back(model.name.text());
    return out;
  }

  TempFolder folder_;
  fs::path root_ = folder_ / "home";
};

TEST_F(StoreTest, AnAddedModelIsListedAndItsBlobIsReadOnly) {
  Store store = *Store::open(root_);
  const StoredModel model = *add(store, "a:1", "contents");
  EXPECT_EQ(read_whole(model.path), "contents");
  EXPECT_EQ(model.path, root_ / "blobs" / ("sha256-" + sha256_of("contents")));
  struct stat info{};
  ASSERT_EQ(::stat(model.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0444u);
  EXPECT_EQ(names(store), std::vector<std::string>{"a:1"});
  EXPECT_EQ(files_in(store.partial_folder()), 0u);
}

TEST_F(StoreTest, EverythingIsFoundAgainByTheNextProcess) {
  {
    ASSERT_TRUE(add(*std::make_unique<Store>(*Store::open(root_)), "a:1", "contents").ok());
  }
  Store store = *Store::open(root_);
  const auto model = *store.find({"a", "1"});
  ASSERT_TRUE(model);
  EXPECT_EQ(model->bytes, 8u);
  EXPECT_EQ(model->format, "gguf");
  EXPECT_GT(model->created, 1'700'000'000);
}

TEST_F(StoreTest, VersionsOfOneNameLiveSideBySide) {
  Store store = *Store::open(root_);
  ASSERT_TRUE(add(store, "a:2", "second").ok());
  ASSERT_TRUE(add(store, "a:1", "first").ok());
  EXPECT_EQ(names(store), (std::vector<std::string>{"a:1", "a:2"}));
  EXPECT_EQ(*store.remove({"a", "1"}), 5u);
  EXPECT_EQ(names(store), std::vector<std::string>{"a:2"});
}

TEST_F(StoreTest, TwoNamesShareABlobUntilTheLastOneGoes) {
  Store store = *Store::open(root_);
  ASSERT_TRUE(add(store, "a:1", "same").ok());
  ASSERT_TRUE(store.add_name(manifest_of("b:1", "same"))->has_value());
  EXPECT_EQ(files_in(store.blobs_folder()), 1u);
  EXPECT_EQ(*store.remove({"a", "1"}), 0u);
  EXPECT_EQ(read_whole((*store.find({"b", "1"}))->path), "same");
  EXPECT_EQ(*store.remove({"b", "1"}), 4u);
  EXPECT_EQ(files_in(store.blobs_folder()), 0u);
}

TEST_F(StoreTest, ANameIsNeverSilentlyGivenOtherContents) {
  Store store = *Store::open(root_);
  ASSERT_TRUE(add(store, "a:1", "old").ok());
  const auto refused = add(store, "a:1", "new");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  EXPECT_EQ(read_whole((*store.find({"a", "1"}))->path), "old");
  EXPECT_EQ(files_in(store.blobs_folder()), 1u);
  EXPECT_TRUE(add(store, "a:1", "old").ok());
}

TEST_F(StoreTest, ANameCannotBeGivenToABlobThatIsNotThere) {
  Store store = *Store::open(root_);
  EXPECT_FALSE(store.add_name(manifest_of("a:1", "nothing"))->has_value());
  EXPECT_TRUE(names(store).empty());
}

TEST_F(StoreTest, AnUnknownNameIsNotRemovedButANearOneIsNamed) {
  Store store = *Store::open(root_);
  ASSERT_TRUE(add(store, "mistral:7b", "x").ok());
  const auto removed = store.remove({"mistral", "7c"});
  ASSERT_FALSE(removed.ok());
  EXPECT_EQ(removed.error().code, ErrorCode::usage);
  EXPECT_NE(removed.error().hint.en.find("mistral:7b"), std::string::npos);
}

TEST_F(StoreTest, ABlobThatLostItsNameInACrashIsCollectedLater) {
  Store store = *Store::open(root_);
  ASSERT_TRUE(add(store, "a:1", "one").ok());
  write_file(store.blob_path(sha256_of("orphan")), "orphan");
  EXPECT_EQ(*store.remove({"a", "1"}), 9u);
  EXPECT_EQ(files_in(store.blobs_folder()), 0u);
}

TEST_F(StoreTest, LicencesStayAccepted) {
  {
    Store store = *Store::open(root_);
    EXPECT_FALSE(*store.licence_accepted("gemma"));
    ASSERT_TRUE(store.accept_licence("gemma").ok());
    ASSERT_TRUE(store.accept_licence("gemma").ok());
  }
  Store store = *Store::open(root_);
  EXPECT_TRUE(*store.licence_accepted("gemma"));
  EXPECT_FALSE(*store.licence_accepted("other"));
}

TEST_F(StoreTest, ManyProcessesMayAddAndRemoveAtOnce) {
  const auto work = [&](const std::string& own) {
    for (int round = 0; round < 8; ++round) {
      Store store = *Store::open(root_);
      ASSERT_TRUE(add(store, own + ":1", "shared").ok());
      ASSERT_EQ(read_whole((*store.find({own, "1"}))->path), "shared");
      const auto removed = store.remove({own, "1"});
      ASSERT_TRUE(removed.ok()) << removed.error().what.en;
    }
  };
  std::vector<std::thread> threads;
  for (const char* own : {"a", "b", "c"}) threads.emplace_back(work, own);
  for (std::thread& thread : threads) thread.join();
  Store store = *Store::open(root_);
  EXPECT_TRUE(names(store).empty());
  EXPECT_EQ(files_in(store.blobs_folder()), 0u);
}

TEST_F(StoreTest, ADatabaseOfANewerProgramIsRefused) {
  {
    ASSERT_TRUE(Store::open(root_).ok());
  }
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open((root_ / "premise.db").c_str(), &raw), SQLITE_OK);
  sqlite3_exec(raw, "PRAGMA user_version = 99", nullptr, nullptr, nullptr);
  sqlite3_close(raw);
  const auto store = Store::open(root_);
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code, ErrorCode::usage);
  EXPECT_NE(store.error().what.en.find("newer"), std::string::npos);
}

TEST_F(StoreTest, ADamagedDatabaseIsNamed) {
  write_file(root_ / "premise.db", noise(5000, 4));
  const auto store = Store::open(root_);
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code, ErrorCode::bad_input);
  EXPECT_NE(store.error().what.en.find("premise.db"), std::string::npos);
}

TEST(StoreRootTest, PremiseHomeComesBeforeHome) {
  EXPECT_EQ(*Store::default_root(environment_of({{"PREMISE_HOME", "/models"}, {"HOME", "/h"}})),
            "/models");
  EXPECT_EQ(*Store::default_root(environment_of({{"PREMISE_HOME", ""}, {"HOME", "/h"}})),
            "/h/.premise");
  EXPECT_FALSE(Store::default_root(environment_of({})).ok());
}

}  // namespace
}  // namespace premise
