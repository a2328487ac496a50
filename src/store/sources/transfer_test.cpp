#include "store/sources/transfer.h"

#include <signal.h>
#include <sys/wait.h>

#include "store/sources/test_http_server.h"

namespace premise {
namespace {

using std::chrono::milliseconds;

TransferOptions fast_options() {
  TransferOptions options;
  options.backoff = milliseconds(1);
  options.timeout = std::chrono::seconds(5);
  options.attempts_max = 3;
  return options;
}

class TransferTest : public testing::Test {
 protected:
  Download job(const std::string& url) const {
    return {.url = url,
            .path = folder_ / "file",
            .sha256 = sha256_of(content_),
            .bytes = content_.size(),
            .bytes_max = 2 * content_.size()};
  }
  Status fetch(const Download& download, const WorkHooks& hooks = {}) const {
    return download_all(std::span(&download, 1), options_, hooks);
  }
  std::string fetched() const { return read_whole(folder_ / "file"); }

  TempFolder folder_;
  std::string content_ = noise(300'000, 7);
  TransferOptions options_ = fast_options();
};

TEST_F(TransferTest, AFileArrivesWholeAndLeavesNothingElse) {
  TestHttpServer server([&](const TestRequest& request) { return serve_file(request, content_); });
  ASSERT_TRUE(fetch(job(server.url("/f"))).ok());
  EXPECT_EQ(fetched(), content_);
  EXPECT_EQ(files_in(folder_.path()), 1u);
  ASSERT_TRUE(fetch(job(server.url("/f"))).ok());
  EXPECT_EQ(server.requests().size(), 1u) << "what is there already is not fetched again";
}

TEST_F(TransferTest, ACutConnectionIsGoneOnWith) {
  std::atomic<int> count = 0;
  TestHttpServer server([&](const TestRequest& request) {
    TestResponse response = serve_file(request, content_);
    if (++count <= 2) response.break_after = 100'000;
    return response;
  });
  ASSERT_TRUE(fetch(job(server.url())).ok());
  EXPECT_EQ(fetched(), content_);
  EXPECT_EQ(server.body_bytes_sent(), content_.size()) << "no byte was sent twice";
  EXPECT_EQ(server.requests()[1].header("Range"), "bytes=100000-");
  EXPECT_EQ(server.requests()[1].header("If-Range"), "\"1\"");
}

TEST_F(TransferTest, AServerThatIgnoresRangeSendsItAllAgain) {
  write_file(folder_ / "file", content_.substr(0, 1000));
  TestHttpServer server([&](const TestRequest&) { return TestResponse{.body = content_}; });
  ASSERT_TRUE(fetch(job(server.url())).ok());
  EXPECT_EQ(fetched(), content_);
}

TEST_F(TransferTest, AFileThatChangedOnTheServerIsFetchedAnew) {
  write_file(folder_ / "file", "start of something older");
  write_file(validator_path(folder_ / "file"), "\"0\"");
  TestHttpServer server([&](const TestRequest& request) { return serve_file(request, content_); });
  ASSERT_TRUE(fetch(job(server.url())).ok());
  EXPECT_EQ(fetched(), content_);
}

TEST_F(TransferTest, AWrongBeginningIsReplacedOnce) {
  write_file(folder_ / "file", "not what this file begins with");
  TestHttpServer server(
      [&](const TestRequest& request) { return serve_file(request, content_, ""); });
  ASSERT_TRUE(fetch(job(server.url())).ok());
  EXPECT_EQ(fetched(), content_);
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST_F(TransferTest, WithoutDigestAndValidatorNothingIsGoneOnWith) {
  write_file(folder_ / "file", "who knows what this is");
  TestHttpServer server(
      [&](const TestRequest& request) { return serve_file(request, content_, ""); });
  Download download = job(server.url());
  download.sha256.clear();
  download.bytes.reset();
  ASSERT_TRUE(fetch(download).ok());
  EXPECT_EQ(fetched(), content_);
  EXPECT_EQ(server.requests().at(0).header("Range"), "");
}

TEST_F(TransferTest, AWrongDigestIsBadInputAndTheFileIsGone) {
  TestHttpServer server([&](const TestRequest& request) { return serve_file(request, content_); });
  Download download = job(server.url());
  download.sha256 = sha256_of("something else");
  const Status status = fetch(download);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::bad_input);
  EXPECT_EQ(files_in(folder_.path()), 0u);
}

TEST_F(TransferTest, MoreThanAnnouncedIsRefused) {
  TestHttpServer server([&](const TestRequest&) { return TestResponse{.body = content_ + "x"}; });
  const Status status = fetch(job(server.url()));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::network);
}

TEST_F(TransferTest, AServerThatIsBusyIsAskedAgain) {
  std::atomic<int> count = 0;
  TestHttpServer server([&](const TestRequest& request) {
    if (++count <= 2) return TestResponse{.status = 503, .body = "busy, come again"};
    return serve_file(request, content_);
  });
  ASSERT_TRUE(fetch(job(server.url())).ok());
  EXPECT_EQ(fetched(), content_);
}

TEST_F(TransferTest, FailuresNameTheUrlWithoutItsSecretsAndEnd) {
  TestHttpServer server([&](const TestRequest& request) {
    return TestResponse{.status = request.path == "/gone" ? 404 : 500};
  });
  for (const char* path : {"/gone", "/broken"}) {
    const std::string url = fmt::format("http://me:secret@127.0.0.1:{}{}", server.port(), path);
    const Status status = fetch(job(url));
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::network);
    EXPECT_NE(status.error().what.en.find(path), std::string::npos);
    EXPECT_EQ(status.error().what.en.find("secret"), std::string::npos);
    EXPECT_FALSE(status.error().hint.empty());
  }
  EXPECT_EQ(server.requests().size(), 1u + 3u) << "404 is final, 500 is tried three times";
  EXPECT_EQ(server.requests()[0].header("Authorization"), "Basic bWU6c2VjcmV0");
}

TEST_F(TransferTest, NobodyThereIsANetworkError) {
  const Status status = fetch(job(fmt::format("http://127.0.0.1:{}/f", closed_port())));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::network);
}

TEST_F(TransferTest, RedirectsAreFollowedButNotToLocalFiles) {
  write_file(folder_ / "local", content_);
  TestHttpServer server([&](const TestRequest& request) {
    const std::string away = request.path == "/f" ? "/g" : "file://" + (folder_ / "local").string();
    if (request.path == "/g") return serve_file(request, content_);
    return TestResponse{.status = 302, .headers = "Location: " + away + "\r\n"};
  });
  EXPECT_TRUE(fetch(job(server.url("/f"))).ok());
  std::filesystem::remove(folder_ / "file");
  EXPECT_FALSE(fetch(job(server.url("/trap"))).ok());
}

TEST_F(TransferTest, AStopLeavesWhatArrivedForTheNextCall) {
  TestHttpServer slow([&](const TestRequest& request) {
    TestResponse response = serve_file(request, content_);
    response.piece = 20'000;
    response.pause = milliseconds(5);
    return response;
  });
  std::uint64_t seen = 0;
  const WorkHooks hooks{
      .progress = [&](WorkStage, std::uint64_t done, std::uint64_t) { seen = done; },
      .notice = {},
      .stopped = [&] { return seen >= 100'000; }};
  const Status status = fetch(job(slow.url()), hooks);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::cancelled);
  const std::string kept = fetched();
  EXPECT_GE(kept.size(), 100'000u);
  EXPECT_LT(kept.size(), content_.size());

  TestHttpServer server([&](const TestRequest& request) { return serve_file(request, content_); });
  ASSERT_TRUE(fetch(job(server.url())).ok());
  EXPECT_EQ(fetched(), content_);
  EXPECT_EQ(server.body_bytes_sent(), content_.size() - kept.size());
}

TEST_F(TransferTest, SeveralFilesComeSideBySideAndNoMoreThanAllowed) {
  TestHttpServer server([&](const TestRequest& request) {
    TestResponse response = serve_file(request, content_ + request.path);
    response.piece = 50'000;
    response.pause = milliseconds(5);
    return response;
  });
  options_.connections_max = 3;
  std::vector<Download> downloads;
  for (int number = 0; number < 7; ++number) {
    const std::string name = std::to_string(number);
    downloads.push_back({.url = server.url("/" + name),
                         .path = folder_ / name,
                         .sha256 = sha256_of(content_ + "/" + name),
                         .bytes = {},
                         .bytes_max = 2 * content_.size()});
  }
  ASSERT_TRUE(download_all(downloads, options_, {}).ok());
  for (int number = 0; number < 7; ++number) {
    EXPECT_EQ(read_whole(folder_ / std::to_string(number)),
              content_ + "/" + std::to_string(number));
  }
  EXPECT_GT(server.most_at_once(), 1);
  EXPECT_LE(server.most_at_once(), 3);
}

TEST_F(TransferTest, PagesComeWithTheirTypeAndAbsenceIsNoError) {
  TestHttpServer server([&](const TestRequest& request) {
    if (request.path == "/no/") return TestResponse{.status = 404};
    if (request.path == "/a") return TestResponse{.status = 301, .headers = "Location: /a/\r\n"};
    return TestResponse{.headers = "Content-Type: text/html\r\n", .body = request.header("Accept")};
  });
  EXPECT_FALSE(fetch_page(server.url("/no/"), "text/html", options_, {})->has_value());
  const auto page = *fetch_page(server.url("/a"), "text/html", options_, {});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->url, server.url("/a/"));
  EXPECT_EQ(page->content_type, "text/html");
  EXPECT_EQ(page->body, "text/html");
}

}  // namespace
}  // namespace premise
