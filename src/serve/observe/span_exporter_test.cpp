// An exporter and a small collector on loopback that answers as it is told to.
#include "serve/observe/span_exporter.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>

namespace premise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

/// One request a connection. Answers in turn; the last one again and again.
class TestCollector {
 public:
  explicit TestCollector(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~TestCollector() {
    stop_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  /// Names of all spans that came, also those that were then refused.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const std::string& request : requests()) {
      const auto body = nlohmann::json::parse(request.substr(request.find("\r\n\r\n") + 4));
      for (const auto& span : body["resourceSpans"][0]["scopeSpans"][0]["spans"])
        names.push_back(span["name"]);
    }
    return names;
  }

 private:
  void serve() {
    while (!stop_) {
      const int peer = ::accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      const std::string request = read_request(peer);
      std::string answer;
      {
        const std::lock_guard lock(mutex_);
        answer = answers_[std::min(requests_.size(), answers_.size() - 1)];
        requests_.push_back(request);
      }
      if (answer == "silence")
        while (!stop_) std::this_thread::sleep_for(5ms);
      else
        ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(peer);
    }
  }
  static std::string read_request(int peer) {
    std::string text;
    char bytes[4096];
    for (;;) {
      const std::size_t head = text.find("\r\n\r\n");
      if (head != text.npos) {
        const std::size_t field = text.find("Content-Length: ");
        if (text.size() >= head + 4 + std::stoul(text.substr(field + 16))) return text;
      }
      const ssize_t count = ::recv(peer, bytes, sizeof bytes, 0);
      if (count <= 0) return text;
      text.append(bytes, static_cast<std::size_t>(count));
    }
  }

  std::vector<std::string> answers_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

std::string answer_of(const std::string& status, const std::string& body = "{}",
                      const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\nConnection: close\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

Span named_span(std::string name) {
  Span span;
  span.trace_id = "0af7651916cd43dd8448eb211c80319c";
  span.span_id = "b7ad6b7169203331";
  span.name = std::move(name);
  return span;
}

SpanExporterOptions quick_options(const std::string& url) {
  SpanExporterOptions options;
  options.endpoint = url;
  options.interval = 5ms;
  options.pause_min = 5ms;
  options.pause_max = 10ms;
  options.flush = 2'000ms;
  return options;
}

std::unique_ptr<SpanExporter> started(SpanExporterOptions options) {
  auto exporter = SpanExporter::start(std::move(options));
  EXPECT_TRUE(exporter.ok());
  return exporter.ok() ? std::move(*exporter) : nullptr;
}

/// Until all spans are told or lost; a test that never gets there fails by what it then expects.
SpanCounts settled_counts(const SpanExporter& exporter, std::uint64_t spans) {
  for (int i = 0; i < 2000; ++i) {
    const SpanCounts counts = exporter.counts();
    if (counts.told + counts.lost() >= spans) return counts;
    std::this_thread::sleep_for(2ms);
  }
  return exporter.counts();
}

TEST(SpanExporter, PostsJsonToTheTracesOfACollector) {
  TestCollector collector({answer_of("200 OK")});
  auto options = quick_options(collector.url());
  options.headers = {{"x-api-key", "k"}};
  const auto exporter = started(options);
  exporter->add(named_span("one"));
  EXPECT_EQ(settled_counts(*exporter, 1).told, 1u);
  ASSERT_EQ(collector.requests().size(), 1u);
  const std::string request = collector.requests()[0];
  EXPECT_THAT(request, testing::StartsWith("POST /v1/traces HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(request, HasSubstr("x-api-key: k\r\n"));
  const auto body = nlohmann::json::parse(request.substr(request.find("\r\n\r\n") + 4));
  std::map<std::string, std::string> resource;
  for (const auto& each : body["resourceSpans"][0]["resource"]["attributes"])
    resource[each["key"]] = each["value"]["stringValue"];
  EXPECT_EQ(resource["service.name"], "premise");
  EXPECT_FALSE(resource["service.version"].empty());
  EXPECT_EQ(resource["service.instance.id"].size(), 32u);
  EXPECT_EQ(exporter->trouble(), "");
}

TEST(SpanExporter, KeepsAPathThatIsGiven) {
  TestCollector collector({answer_of("200 OK")});
  const auto exporter = started(quick_options(collector.url() + "/otlp/v1/traces"));
  exporter->add(named_span("one"));
  settled_counts(*exporter, 1);
  ASSERT_EQ(collector.requests().size(), 1u);
  EXPECT_THAT(collector.requests()[0], testing::StartsWith("POST /otlp/v1/traces "));
}

TEST(SpanExporter, SendsBatchesInOrder) {
  TestCollector collector({answer_of("200 OK")});
  auto options = quick_options(collector.url());
  options.batch = 2;
  options.interval = 10s;
  auto exporter = started(options);
  for (const char* name : {"a", "b", "c", "d", "e"}) exporter->add(named_span(name));
  EXPECT_EQ(settled_counts(*exporter, 4).told, 4u) << "two full batches do not wait";
  exporter.reset();
  EXPECT_THAT(collector.names(), ElementsAre("a", "b", "c", "d", "e")) << "the end tells the rest";
  EXPECT_EQ(collector.requests().size(), 3u);
}

TEST(SpanExporter, TriesABusyCollectorAgain) {
  TestCollector collector(
      {answer_of("503 Unavailable"), answer_of("429 Too Many"), answer_of("200 OK")});
  const auto exporter = started(quick_options(collector.url()));
  exporter->add(named_span("one"));
  const SpanCounts counts = settled_counts(*exporter, 1);
  EXPECT_EQ(counts.told, 1u);
  EXPECT_EQ(counts.lost(), 0u);
  EXPECT_EQ(collector.requests().size(), 3u);
}

TEST(SpanExporter, DoesNotRepeatWhatIsRefused) {
  TestCollector collector({answer_of("400 Bad Request"), answer_of("200 OK")});
  const auto exporter = started(quick_options(collector.url()));
  exporter->add(named_span("bad"));
  EXPECT_EQ(settled_counts(*exporter, 1).failed, 1u);
  EXPECT_EQ(exporter->trouble(), "status 400");
  exporter->add(named_span("good"));
  EXPECT_EQ(settled_counts(*exporter, 2).told, 1u);
  EXPECT_THAT(collector.names(), ElementsAre("bad", "good"));
}

TEST(SpanExporter, CountsWhatACollectorRejectsInPart) {
  TestCollector collector({answer_of("200 OK", R"({"partialSuccess":{"rejectedSpans":"1"}})")});
  auto options = quick_options(collector.url());
  options.batch = 2;
  options.interval = 10s;
  const auto exporter = started(options);
  exporter->add(named_span("one"));
  exporter->add(named_span("two"));
  const SpanCounts counts = settled_counts(*exporter, 2);
  EXPECT_EQ(counts.told, 1u);
  EXPECT_EQ(counts.failed, 1u);
}

TEST(SpanExporter, GivesUpABatchAfterSomeTries) {
  TestCollector collector({answer_of("503 Unavailable")});
  auto options = quick_options(collector.url());
  options.tries_max = 3;
  const auto exporter = started(options);
  exporter->add(named_span("one"));
  EXPECT_EQ(settled_counts(*exporter, 1).failed, 1u);
  EXPECT_EQ(collector.requests().size(), 3u);
}

TEST(SpanExporter, AddingNeverWaitsAndAFullQueueIsCounted) {
  TestCollector collector({"silence"});
  auto options = quick_options(collector.url());
  options.batch = 4;
  options.queue = 8;
  options.flush = 50ms;
  const auto exporter = started(options);
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) exporter->add(named_span("s"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 1s);
  EXPECT_GE(exporter->counts().overflow, 100u - 8 - 4);
}

TEST(SpanExporter, EndsWithinItsLimitWhenTheCollectorIsSilent) {
  TestCollector collector({"silence"});
  auto options = quick_options(collector.url());
  options.timeout = 30s;
  options.flush = 100ms;
  auto exporter = started(options);
  exporter->add(named_span("one"));
  while (collector.requests().empty()) std::this_thread::sleep_for(1ms);
  const auto begun = std::chrono::steady_clock::now();
  exporter.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
}

TEST(SpanExporter, ACollectorThatIsAwayLosesSpansNotTime) {
  std::string url;
  {
    url = TestCollector({answer_of("200 OK")}).url();
  }
  auto options = quick_options(url);
  options.tries_max = 2;
  const auto exporter = started(options);
  exporter->add(named_span("one"));
  EXPECT_EQ(settled_counts(*exporter, 1).failed, 1u);
  EXPECT_NE(exporter->trouble(), "");
}

TEST(SpanExporter, CountsAreCountersForAScraper) {
  const std::string page = write_span_metrics({.told = 5, .overflow = 0, .failed = 2});
  EXPECT_THAT(page, HasSubstr("# TYPE premise_spans_total counter\n"));
  EXPECT_THAT(page, HasSubstr("premise_spans_total{outcome=\"told\"} 5\n"));
  EXPECT_THAT(page, HasSubstr("premise_spans_total{outcome=\"overflow\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("premise_spans_total{outcome=\"failed\"} 2\n"));
}

TEST(SpanExporter, AnAddressThatIsNoneIsRefused) {
  for (const char* url : {"", "collector", "ftp://collector", "http://", "http://a b"}) {
    const auto exporter = SpanExporter::start({.endpoint = url});
    ASSERT_FALSE(exporter.ok()) << url;
    EXPECT_EQ(exporter.error().code, ErrorCode::usage);
  }
}

}  // namespace
}  // namespace premise
