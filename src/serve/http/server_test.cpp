#include "serve/http/server.h"

#include <stdexcept>
#include <thread>
#include <vector>

#include "serve/http/http_testing.h"

namespace premise {
namespace {

using namespace premise::testing;

std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

std::string status_line(const std::string& response) {
  return response.substr(0, response.find("\r\n"));
}

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  const auto server = serve(test_options(), echo);
  RawClient client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send(post("/a", "body" + std::to_string(i)));
    const std::string response = client.read_response();
    EXPECT_EQ(status_line(response), "HTTP/1.1 200 OK");
    EXPECT_NE(response.find("Connection: keep-alive\r\n"), std::string::npos);
    EXPECT_NE(response.find("\r\nDate: "), std::string::npos);
    EXPECT_TRUE(response.ends_with("POST /a body" + std::to_string(i))) << response;
  }
  EXPECT_EQ(server->stats().connections_total, 1u);
  EXPECT_EQ(server->stats().requests_total, 3u);
}

TEST(HttpServer, PipelinedRequestsAreAnsweredInOrderEvenByOtherThreads) {
  std::vector<std::thread> threads;
  auto options = test_options();
  auto server = serve(options, [&](HttpRequest request, Responder responder) {
    threads.emplace_back([path = request.path, responder = std::move(responder)]() mutable {
      if (path == "/0") std::this_thread::sleep_for(20ms);
      responder.send({200, {}, path});
    });
  });
  RawClient client(server->port());
  std::string all;
  for (int i = 0; i < 40; ++i) {
    all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  client.send(all);
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(client.read_response().ends_with("\r\n\r\n/" + std::to_string(i)));
  }
  server.reset();
  for (auto& thread : threads) thread.join();
}

TEST(HttpServer, GivesTheHandlerWhatItNeedsToKnow) {
  HttpRequest seen;
  const auto server = serve(test_options(), [&](HttpRequest request, Responder responder) {
    seen = std::move(request);
    responder.send({});
  });
  RawClient client(server->port());
  client.send("GET /p%41?k=v HTTP/1.1\r\nHost: name:1\r\nX: y\r\n\r\n");
  client.read_response();
  EXPECT_EQ(seen.path, "/pA");
  EXPECT_EQ(seen.parameter("k"), "v");
  EXPECT_EQ(seen.host, "name:1");
  EXPECT_EQ(seen.peer.address, "127.0.0.1");
  EXPECT_NE(seen.peer.port, 0);
  EXPECT_EQ(seen.local.address, "127.0.0.1");
  EXPECT_EQ(seen.local.port, server->port());
  EXPECT_FALSE(seen.tls);
}

TEST(HttpServer, HeadHasALengthAndNoBody) {
  const auto server = serve(test_options(), echo);
  RawClient client(server->port());
  client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" + get_root);
  EXPECT_NE(client.read_until("\r\n\r\n").find("Content-Length: 8\r\n"), std::string::npos);
  EXPECT_TRUE(client.read_response().ends_with("\r\n\r\nGET / "));
}

TEST(HttpServer, NoContentHasNeitherLengthNorBody) {
  const auto server = serve(test_options(), [](HttpRequest, Responder responder) {
    responder.send({204, {}, "never seen"});
  });
  RawClient client(server->port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string response = client.read_to_end();
  EXPECT_TRUE(response.ends_with("\r\n\r\n"));
  EXPECT_EQ(response.find("Content-Length"), std::string::npos);
}

TEST(HttpServer, ClosesWhenEitherSideAsks) {
  const auto server = serve(test_options(), [](HttpRequest request, Responder responder) {
    HttpResponse response;
    if (request.path == "/close") response.headers.add("Connection", "close");
    responder.send(std::move(response));
  });
  for (const std::string bytes :
       {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /close HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    RawClient client(server->port());
    client.send(bytes);
    EXPECT_NE(client.read_to_end().find("Connection: close\r\n"), std::string::npos);
  }
}

TEST(HttpServer, ContinueIsSaidBeforeTheBodyAndOnlyWhenAsked) {
  auto options = test_options();
  options.limits.body_bytes = 10;
  const auto server = serve(options, echo);
  RawClient client(server->port());
  client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hi");
  EXPECT_TRUE(client.read_response().ends_with("PUT / hi"));

  client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(status_line(client.read_to_end()), "HTTP/1.1 413 Content Too Large");
}

TEST(HttpServer, RefusalsAreRenderedByTheCallerAndClose) {
  auto options = test_options();
  options.limits.body_bytes = 1000;
  options.render_error = [](const HttpRefusal& refusal) {
    return HttpResponse{200,
                        {{"Content-Type", "application/json"}},
                        "{\"code\":" + std::to_string(refusal.status) + "}"};
  };
  const auto server = serve(options, echo);
  const std::pair<std::string, int> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {post("/", std::string(1001, 'x')), 413},
      {"GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n", 417},
      {"GET / HTTP/1.1\r\nA: " + std::string(60'000, 'a') + "\r\n", 431},
      {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
  };
  for (const auto& [bytes, status] : cases) {
    RawClient client(server->port());
    client.send(bytes);
    client.end_writing();
    const std::string response = client.read_to_end();
    EXPECT_TRUE(response.starts_with("HTTP/1.1 " + std::to_string(status))) << response;
    EXPECT_NE(response.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(response.ends_with("{\"code\":" + std::to_string(status) + "}")) << response;
  }
  EXPECT_EQ(server->stats().refusals_total, std::size(cases));
  EXPECT_EQ(server->stats().requests_total, 0u);
}

TEST(HttpServer, ARefusedClientThatGoesOnSendingStillReadsWhy) {
  auto options = test_options();
  options.limits.body_bytes = 1000;
  const auto server = serve(options, echo);
  RawClient client(server->port());
  client.send(post("/", std::string(4 << 20, 'x')));
  EXPECT_EQ(status_line(client.read_to_end()), "HTTP/1.1 413 Content Too Large");
}

TEST(HttpServer, AdmissionRefusesBeforeTheBody) {
  auto options = test_options();
  options.admit = [](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.path == "/throws") throw std::runtime_error("broken");
    if (request.headers.find("authorization")) return std::nullopt;
    return HttpResponse{401, {}, "who?"};
  };
  const auto server = serve(options, echo);
  RawClient client(server->port());
  // Little to read: the connection is kept.
  client.send(post("/", "small"));
  EXPECT_TRUE(client.read_response().ends_with("who?"));
  client.send("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: me\r\n\r\n");
  EXPECT_TRUE(client.read_response().ends_with("GET / "));
  client.send("GET /throws HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(status_line(client.read_response()), "HTTP/1.1 500 Internal Server Error");
  // Much to read: it is not read.
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_TRUE(client.read_to_end().ends_with("who?"));
  EXPECT_EQ(server->stats().requests_total, 1u);
}

TEST(HttpServer, AnUnansweredRequestIsA500) {
  const auto server = serve(test_options(), [](HttpRequest request, Responder responder) {
    if (request.path == "/throw") throw std::runtime_error("broken handler");
    if (request.path == "/moved") [[maybe_unused]]
      const Responder dropped = std::move(responder);
  });
  RawClient client(server->port());
  for (const std::string path : {"/throw", "/drop", "/moved"}) {
    client.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(status_line(client.read_response()), "HTTP/1.1 500 Internal Server Error");
  }
  EXPECT_TRUE(eventually([&] { return server->stats().requests_running == 0; }));
}

TEST(HttpServer, SlowRequestsGet408AndIdleConnectionsAreClosed) {
  auto options = test_options();
  options.limits.header_time = 100ms;
  options.limits.body_time = 100ms;
  options.limits.idle_time = 150ms;
  const auto server = serve(options, echo);
  RawClient silent(server->port());
  RawClient head(server->port());
  RawClient body(server->port());
  RawClient idle(server->port());
  head.send("GET / HT");
  body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel");
  idle.send(get_root);
  EXPECT_TRUE(idle.read_response().ends_with("GET / "));
  EXPECT_EQ(silent.read_to_end(), "");
  EXPECT_EQ(status_line(head.read_to_end()), "HTTP/1.1 408 Request Timeout");
  EXPECT_EQ(status_line(body.read_to_end()), "HTTP/1.1 408 Request Timeout");
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }));
}

TEST(HttpServer, ATrickleDoesNotBuyTime) {
  auto options = test_options();
  options.limits.header_time = 200ms;
  const auto server = serve(options, echo);
  RawClient client(server->port());
  const auto begin = std::chrono::steady_clock::now();
  while (client.send("A") && client.is_quiet(10ms)) {
    ASSERT_LT(std::chrono::steady_clock::now() - begin, 5s);
  }
  EXPECT_EQ(status_line(client.read_until("\r\n\r\n")), "HTTP/1.1 408 Request Timeout");
}

TEST(HttpServer, ConnectionsOverTheLimitAreTurnedAway) {
  auto options = test_options();
  options.limits.connections = 2;
  const auto server = serve(options, echo);
  {
    RawClient a(server->port());
    RawClient b(server->port());
    ASSERT_TRUE(eventually([&] { return server->stats().connections == 2; }));
    RawClient c(server->port());
    EXPECT_EQ(status_line(c.read_to_end()), "HTTP/1.1 503 Service Unavailable");
    EXPECT_EQ(server->stats().connections_refused, 1u);
  }
  ASSERT_TRUE(eventually([&] { return server->stats().connections == 0; }));
  RawClient d(server->port());
  d.send(get_root);
  EXPECT_EQ(status_line(d.read_response()), "HTTP/1.1 200 OK");
}

TEST(HttpServer, BodiesTogetherAreBounded) {
  auto options = test_options();
  options.limits.body_bytes = 100'000;
  options.limits.body_bytes_total = 150'000;
  const auto server = serve(options, echo);
  RawClient first(server->port());
  RawClient second(server->port());
  const std::string bytes = post("/", std::string(100'000, 'x'));
  first.send(bytes.substr(0, bytes.size() - 1));
  ASSERT_TRUE(eventually([&] { return server->stats().body_bytes == 99'999; }));
  second.send(bytes);
  const std::string refused = second.read_to_end();
  EXPECT_EQ(status_line(refused), "HTTP/1.1 503 Service Unavailable");
  EXPECT_NE(refused.find("Retry-After: 1\r\n"), std::string::npos);
  first.send("x");
  EXPECT_EQ(status_line(first.read_response()), "HTTP/1.1 200 OK");
  EXPECT_TRUE(eventually([&] { return server->stats().body_bytes == 0; }));
}

TEST(HttpServer, ALargeAnswerArrivesWhole) {
  const std::string large(8 << 20, 'y');
  const auto server = serve(
      test_options(), [&](HttpRequest, Responder responder) { responder.send({200, {}, large}); });
  RawClient client(server->port());
  client.send(get_root + get_root);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(client.read_response().ends_with("\r\n\r\n" + large));
}

TEST(HttpServer, SaysWhyItCannotStart) {
  const auto first = serve(test_options(), echo);
  auto options = test_options();
  options.port = first->port();
  const auto second = HttpServer::start(options, echo);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::network);
  options.port = 0;
  options.host = "192.0.2.1";  // TEST-NET-1: nobody's
  EXPECT_FALSE(HttpServer::start(options, echo).ok());
  options.host = "127.0.0.1";
  options.threads = 0;
  EXPECT_EQ(HttpServer::start(options, echo).error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace premise
