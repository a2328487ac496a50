// Streams: pieces from other threads, readers that are slow or leave, and the end of the server.
#include <sys/resource.h>

#include <atomic>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "serve/http/http_testing.h"
#include "serve/http/server.h"

namespace premise {
namespace {

using namespace premise::testing;

/// A handler that begins a stream and hands its writer to the test.
struct StreamDesk {
  HttpHandler handler() {
    return [this](HttpRequest, Responder responder) {
      responder.on_cancel([this](CancelReason reason) {
        last_reason = reason;
        ++cancels;
      });
      StreamWriter writer = responder.stream({200, {{"Content-Type", "text/event-stream"}}, {}});
      const std::lock_guard lock(mutex);
      writers.push_back(std::move(writer));
    };
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return writers.size();
  }
  StreamWriter& at(std::size_t index) {
    EXPECT_TRUE(eventually([&] { return count() > index; }));
    const std::lock_guard lock(mutex);
    return writers[index];
  }

  std::mutex mutex;
  std::deque<StreamWriter> writers;
  std::atomic<int> cancels = 0;
  std::atomic<CancelReason> last_reason{};
};

TEST(HttpStream, PiecesArriveAsTheyAreWritten) {
  StreamDesk desk;
  const auto server = serve(test_options(), desk.handler());
  RawClient client(server->port());
  client.send(get_root);
  StreamWriter& stream = desk.at(0);
  EXPECT_NE(client.read_until("\r\n\r\n").find("Transfer-Encoding: chunked\r\n"),
            std::string::npos);
  EXPECT_TRUE(stream.write("data: 1\n\n"));
  EXPECT_EQ(client.read_until("\n\n\r\n"), "9\r\ndata: 1\n\n\r\n");
  EXPECT_TRUE(client.is_quiet(30ms));
  EXPECT_TRUE(stream.write(""));
  EXPECT_TRUE(stream.write("data: 2\n\n"));
  EXPECT_EQ(client.read_until("\n\n\r\n"), "9\r\ndata: 2\n\n\r\n");
  stream.finish();
  EXPECT_FALSE(stream.write("late"));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "0\r\n\r\n");
  client.send(get_root);  // and the connection lives on
  EXPECT_NE(client.read_until("\r\n\r\n").find("200 OK"), std::string::npos);
  desk.at(1).finish();
  EXPECT_EQ(client.read_until("\r\n\r\n"), "0\r\n\r\n");
  EXPECT_EQ(desk.cancels, 0);
}

TEST(HttpStream, Http10GetsPiecesUntilTheClose) {
  StreamDesk desk;
  const auto server = serve(test_options(), desk.handler());
  RawClient client(server->port());
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  desk.at(0).write("all of it");
  desk.at(0).finish();
  const std::string response = client.read_to_end();
  EXPECT_TRUE(response.ends_with("\r\n\r\nall of it")) << response;
  EXPECT_EQ(response.find("chunked"), std::string::npos);
}

TEST(HttpStream, AHeadRequestEndsTheStreamAtItsHead) {
  StreamDesk desk;
  const auto server = serve(test_options(), desk.handler());
  RawClient client(server->port());
  client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  client.read_until("\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return desk.cancels == 1; }));
  EXPECT_FALSE(desk.at(0).write("x"));
  EXPECT_TRUE(client.is_quiet(20ms));
  EXPECT_EQ(server->stats().cancelled_total, 0u);
}

TEST(HttpStream, AClientThatLeavesAnIdleStreamIsNoticed) {
  StreamDesk desk;
  const auto server = serve(test_options(), desk.handler());
  {
    RawClient client(server->port());
    client.send(get_root);
    desk.at(0);
    client.read_until("\r\n\r\n");
  }
  EXPECT_TRUE(eventually([&] { return desk.cancels == 1; }));
  EXPECT_EQ(desk.last_reason, CancelReason::client_gone);
  EXPECT_TRUE(desk.at(0).ended());
  EXPECT_FALSE(desk.at(0).write("x"));
  EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }));
  EXPECT_TRUE(eventually([&] { return server->stats().requests_running == 0; }));
}

TEST(HttpStream, AClientThatSentTooMuchAheadIsNoticedToo) {
  StreamDesk desk;
  const auto server = serve(test_options(), desk.handler());
  {
    RawClient client(server->port());
    client.send(get_root + std::string(64 << 10, 'x'));
    desk.at(0);
    client.read_until("\r\n\r\n");
  }
  EXPECT_TRUE(eventually([&] { return desk.cancels == 1; }));
}

TEST(HttpStream, AClientThatLeavesBeforeTheAnswerIsNoticed) {
  std::promise<CancelReason> reason;
  std::promise<Responder> kept;
  const auto server = serve(test_options(), [&](HttpRequest, Responder responder) {
    responder.on_cancel([&](CancelReason why) { reason.set_value(why); });
    kept.set_value(std::move(responder));
  });
  auto client = std::make_unique<RawClient>(server->port());
  client->send(get_root);
  Responder responder = kept.get_future().get();
  EXPECT_FALSE(responder.cancelled());
  client.reset();
  EXPECT_EQ(reason.get_future().get(), CancelReason::client_gone);
  EXPECT_TRUE(responder.cancelled());
  int called = 0;
  responder.on_cancel([&](CancelReason) { ++called; });
  EXPECT_EQ(called, 1) << "a callback that comes too late is called at once";
  responder.send({200, {}, "for nobody"});
}

TEST(HttpStream, ASlowReaderIsBoundedAndCut) {
  StreamDesk desk;
  auto options = test_options();
  options.limits.stream_queue_bytes = 64 << 10;
  const auto server = serve(options, desk.handler());
  RawClient client(server->port(), 4096);
  client.send(get_root);
  StreamWriter& stream = desk.at(0);
  const std::string piece(1000, 'z');
  std::size_t written = 0;
  while (stream.write(piece)) {
    written += piece.size();
    ASSERT_LE(stream.queued_bytes(), options.limits.stream_queue_bytes + piece.size());
    ASSERT_LT(written, std::size_t{64} << 20) << "nothing bounds the stream";
  }
  EXPECT_TRUE(eventually([&] { return desk.cancels == 1; }));
  EXPECT_EQ(desk.last_reason, CancelReason::too_slow);
  EXPECT_EQ(stream.queued_bytes(), 0u);
  EXPECT_EQ(client.read_until("0\r\n\r\n").find("0\r\n\r\n"), std::string::npos)
      << "a cut stream must not look whole";
}

TEST(HttpStream, AReaderThatStandsStillIsCutAfterWriteTime) {
  StreamDesk desk;
  auto options = test_options();
  options.limits.write_time = 100ms;
  options.limits.stream_queue_bytes = 32 << 20;
  const auto server = serve(options, desk.handler());
  RawClient client(server->port(), 4096);
  client.send(get_root);
  desk.at(0).write(std::string(16 << 20, 'z'));
  EXPECT_TRUE(eventually([&] { return desk.cancels == 1; }));
  EXPECT_EQ(desk.last_reason, CancelReason::too_slow);
  EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }));
}

TEST(HttpStream, WhatWasSentIsNotQueuedAnyMore) {
  StreamDesk desk;
  auto options = test_options();
  options.limits.stream_queue_bytes = 1000;
  const auto server = serve(options, desk.handler());
  RawClient client(server->port());
  client.send(get_root);
  for (int i = 0; i < 20; ++i) {  // each piece alone is over the bound
    ASSERT_TRUE(desk.at(0).write(std::string(5000, 'x') + "end"));
    EXPECT_TRUE(client.read_until("end").ends_with("end"));
    EXPECT_TRUE(eventually([&] { return desk.at(0).queued_bytes() == 0; }));
  }
}

TEST(HttpStream, ADroppedStreamLooksBroken) {
  const auto server = serve(test_options(), [](HttpRequest, Responder responder) {
    StreamWriter writer = responder.stream({});
    writer.write("half");
  });
  RawClient client(server->port());
  client.send(get_root);
  EXPECT_EQ(client.read_to_end().find("0\r\n\r\n"), std::string::npos);
}

TEST(HttpStream, ManyProducersAndClientsAtOnce) {
  auto options = test_options();
  options.threads = 2;
  std::mutex mutex;
  std::vector<std::thread> producers;
  auto server = serve(options, [&](HttpRequest, Responder responder) {
    const std::lock_guard lock(mutex);
    producers.emplace_back([writer = responder.stream({})]() mutable {
      for (int i = 0; i < 200 && writer.write("piece"); ++i) {
        if (i % 50 == 0) std::this_thread::yield();
      }
      writer.finish();
    });
  });
  std::vector<std::thread> clients;
  std::atomic<int> whole = 0;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&, c] {
      RawClient client(server->port());
      for (int i = 0; i < 10; ++i) {
        client.send(get_root);
        if (c == 0 && i == 5) return;  // leaves in the middle
        if (client.read_until("\r\n0\r\n\r\n").ends_with("piece\r\n0\r\n\r\n")) ++whole;
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(whole, 75);
  server.reset();
  for (auto& producer : producers) producer.join();
}

TEST(HttpDrain, RunningStreamsEndAndIdleConnectionsClose) {
  StreamDesk desk;
  auto server = serve(test_options(), desk.handler());
  RawClient idle(server->port());
  RawClient streaming(server->port());
  streaming.send(get_root);
  desk.at(0).write("before ");
  std::thread producer([&] {
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_TRUE(desk.at(0).write("after"));
    desk.at(0).finish();
  });
  server->drain(10s);
  producer.join();
  const std::string response = streaming.read_to_end();
  EXPECT_TRUE(response.ends_with("after\r\n0\r\n\r\n")) << response;
  EXPECT_EQ(desk.cancels, 0);
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_NE(::connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(probe);
}

TEST(HttpDrain, WhatOutlastsTheLimitIsCut) {
  StreamDesk desk;
  auto server = serve(test_options(), desk.handler());
  RawClient client(server->port());
  client.send(get_root);
  desk.at(0).write("x");
  const auto begin = std::chrono::steady_clock::now();
  server->drain(50ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  EXPECT_EQ(desk.cancels, 1);
  EXPECT_EQ(desk.last_reason, CancelReason::server_closing);
  server.reset();
  EXPECT_FALSE(desk.at(0).write("after the server is gone"));
}

TEST(HttpDrain, AResponderMayOutliveTheServer) {
  std::optional<Responder> kept;
  std::promise<void> asked;
  auto server = serve(test_options(), [&](HttpRequest, Responder responder) {
    kept.emplace(std::move(responder));
    asked.set_value();
  });
  RawClient client(server->port());
  client.send(get_root);
  asked.get_future().wait();
  server.reset();
  EXPECT_TRUE(kept->cancelled());
  kept->send({});
}

TEST(HttpStream, TwoThousandIdleStreamsCostUnder200Megabytes) {
  constexpr std::size_t streams = 2000;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 2 * streams + 100) {
    GTEST_SKIP() << "only " << files.rlim_cur << " descriptors are allowed here";
  }
  StreamDesk desk;
  const auto server = serve(test_options(), desk.handler());
  const std::size_t before = resident_bytes();
  std::vector<RawClient> clients;
  for (std::size_t i = 0; i < streams; ++i) {
    clients.emplace_back(server->port());
    clients.back().send(get_root);
  }
  ASSERT_TRUE(eventually([&] { return desk.count() == streams; }, 60s));
  for (std::size_t i = 0; i < streams; ++i) ASSERT_TRUE(desk.at(i).write("data: token\n\n"));
  for (auto& client : clients) ASSERT_FALSE(client.read_until("token\n\n\r\n").empty());
  const std::size_t cost = resident_bytes() - before;
  RecordProperty("bytes_a_stream", std::to_string(cost / streams));
  if (!sanitized) {
    EXPECT_LT(cost, 200u << 20);
  }
  clients.clear();
  EXPECT_TRUE(eventually([&] { return desk.cancels == static_cast<int>(streams); }, 60s));
  EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }, 60s));
}

}  // namespace
}  // namespace premise
