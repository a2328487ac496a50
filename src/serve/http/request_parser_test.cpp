#include "serve/http/request_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace premise {
namespace {

using Stage = RequestParser::Stage;

/// Feeds everything, at most `piece` bytes at a time; the bytes left over.
std::string feed_all(RequestParser& parser, std::string_view bytes, std::size_t piece = SIZE_MAX) {
  while (!bytes.empty() && parser.stage() != Stage::complete && parser.stage() != Stage::refused) {
    std::string_view now = bytes.substr(0, piece);
    const std::size_t before = now.size();
    parser.feed(now);
    bytes.remove_prefix(before - now.size());
  }
  return std::string(bytes);
}

int status_of(std::string_view bytes, const HttpLimits& limits = {}) {
  RequestParser parser(limits);
  feed_all(parser, bytes);
  if (parser.stage() != Stage::refused) return parser.stage() == Stage::complete ? 0 : -1;
  EXPECT_FALSE(parser.refusal().why.en.empty() || parser.refusal().why.zh.empty());
  return parser.refusal().status;
}

std::string head(std::string_view fields, std::string_view line = "POST / HTTP/1.1") {
  return std::string(line) + "\r\nHost: x\r\n" + std::string(fields) + "\r\n";
}

TEST(RequestParser, ReadsARequestWhateverPiecesItComesIn) {
  const std::string bytes =
      "POST /v1/chat%20it?a=1&b=x+y%26z&c HTTP/1.1\r\nHost: example.org:8080\r\n"
      "Content-Type:\t application/json \r\nContent-Length: 5\r\n\r\nhelloGET";
  const HttpLimits limits;
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    RequestParser parser(limits);
    EXPECT_TRUE(parser.at_start());
    EXPECT_EQ(feed_all(parser, bytes, piece), "GET");
    ASSERT_EQ(parser.stage(), Stage::complete) << piece;
    const HttpRequest request = parser.take();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/v1/chat%20it?a=1&b=x+y%26z&c");
    EXPECT_EQ(request.path, "/v1/chat it");
    EXPECT_EQ(request.parameter("b"), "x y&z");
    EXPECT_EQ(request.parameter("c"), "");
    EXPECT_EQ(request.parameter("d"), std::nullopt);
    EXPECT_EQ(request.host, "example.org:8080");
    EXPECT_EQ(request.headers.find("content-type"), "application/json");
    EXPECT_EQ(request.body, "hello");
    EXPECT_TRUE(parser.at_start());
  }
}

TEST(RequestParser, JoinsChunksAndDropsExtensionsAndTrailers) {
  const std::string bytes = head("Transfer-Encoding: Chunked\r\n") +
                            "5\r\nhello\r\n1;name=\"value\"\r\n,\r\n00A\r\n0123456789\r\n"
                            "0\r\nX-Trailer: 1\r\n\r\nnext";
  const HttpLimits limits;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, bytes.size()}) {
    RequestParser parser(limits);
    EXPECT_EQ(feed_all(parser, bytes, piece), "next");
    ASSERT_EQ(parser.stage(), Stage::complete);
    const HttpRequest request = parser.take();
    EXPECT_EQ(request.body, "hello,0123456789");
    EXPECT_EQ(request.headers.find("x-trailer"), std::nullopt);
  }
}

TEST(RequestParser, StopsBetweenHeadAndBody) {
  const HttpLimits limits;
  RequestParser parser(limits);
  const std::string bytes = head("Content-Length: 3\r\nExpect: 100-continue\r\n") + "abc";
  std::string_view rest = bytes;
  parser.feed(rest);
  EXPECT_EQ(parser.stage(), Stage::body);
  EXPECT_EQ(rest, "abc");
  EXPECT_TRUE(parser.framing().expects_continue);
}

TEST(RequestParser, APostWithoutALengthHasNoBody) { EXPECT_EQ(status_of(head("")), 0); }

TEST(RequestParser, RefusesWhatCouldSmuggleARequest) {
  const std::vector<std::string> fields = {
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\nContent-Length: 5\r\n",
      "Content-Length: 5, 5\r\n",
      "Content-Length: +5\r\n",
      "Content-Length: -5\r\n",
      "Content-Length: 0x5\r\n",
      "Content-Length:\r\n",
      "Content-Length : 5\r\n",
      "Transfer-Encoding: chunked, chunked\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked, identity\r\n",
      "Transfer-Encoding: xchunked\r\n",
      "Transfer-Encoding: \"chunked\"\r\n",
      "Transfer-Encoding:\r\n",
      "A: b\r\n folded: yes\r\n",
      "A: b\r\n\tfolded\r\n",
      "A: b\nB: c\r\n",
      "A: b\rB: c\r\n",
      std::string("A: b\0c\r\n", 8),
      "A\x01: b\r\n",
      ": nameless\r\n",
      "no colon\r\n",
      "Host: other\r\n",
  };
  for (const std::string& field : fields) EXPECT_EQ(status_of(head(field)), 400) << field;
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestParser, RefusesBadChunks) {
  const std::vector<std::string> bodies = {"\r\n",
                                           "g\r\n",
                                           "-1\r\n",
                                           "0x5\r\nhello\r\n",
                                           "5 \r\nhello\r\n",
                                           " 5\r\nhello\r\n",
                                           "5\nhello\r\n",
                                           "5\r\nhelloo",
                                           "5\r\nhello\n",
                                           "1000000000000000\r\n",
                                           "FFFFFFFFFFFFFFFFF\r\n",
                                           "5;" + std::string(300, 'x') + "\r\n",
                                           "0\r\nbad trailer\r\n"};
  for (const std::string& body : bodies) {
    EXPECT_EQ(status_of(head("Transfer-Encoding: chunked\r\n") + body), 400) << body;
  }
}

TEST(RequestParser, NamesTheFaultByItsStatus) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);  // no Host
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: u@h\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /\r\n"), 400);
  EXPECT_EQ(status_of("GET  / HTTP/1.1\r\n"), 400);
  EXPECT_EQ(status_of("GET /a b HTTP/1.1\r\n"), 400);
  EXPECT_EQ(status_of("GET /%zz HTTP/1.1\r\n"), 400);
  EXPECT_EQ(status_of("GET /%00 HTTP/1.1\r\n"), 400);
  EXPECT_EQ(status_of("GET /#f HTTP/1.1\r\n"), 400);
  EXPECT_EQ(status_of("GET /\xc3\xa4 HTTP/1.1\r\n"), 400);
  EXPECT_EQ(status_of("GET relative HTTP/1.1\r\n"), 400);
  EXPECT_EQ(status_of("GET * HTTP/1.1\r\n"), 400);
  EXPECT_EQ(status_of("GET / http/1.1\r\n"), 400);
  EXPECT_EQ(status_of("G@T / HTTP/1.1\r\n"), 400);
  EXPECT_EQ(status_of("\x16\x03\x01\x02\x00\x01"), 400);  // TLS at a plain port: no waiting
  EXPECT_EQ(status_of("\r\n\r\n\r\n\r\n"), 400);
  EXPECT_EQ(status_of(head("Expect: the unexpected\r\n")), 417);
  EXPECT_EQ(status_of(head("Transfer-Encoding: gzip, chunked\r\n")), 501);
  EXPECT_EQ(status_of("BREW / HTTP/1.1\r\n"), 501);
  EXPECT_EQ(status_of("CONNECT example.org:443 HTTP/1.1\r\n"), 501);
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTP/3.0\r\n"), 505);
}

TEST(RequestParser, EveryLimitHasItsStatusAndIsExact) {
  HttpLimits limits;
  limits.target_bytes = 10;
  limits.header_bytes = 300;
  limits.header_count = 3;
  limits.body_bytes = 5;
  const auto get = [](std::size_t target) {
    return "GET /" + std::string(target - 1, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n";
  };
  EXPECT_EQ(status_of(get(10), limits), 0);
  EXPECT_EQ(status_of(get(11), limits), 414);
  EXPECT_EQ(status_of(get(100), limits), 414);
  EXPECT_EQ(status_of("GET /" + std::string(5000, 'a'), limits), 414);  // before its end is seen
  EXPECT_EQ(status_of(head("A: 1\r\nB: 2\r\n"), limits), 0);
  EXPECT_EQ(status_of(head("A: 1\r\nB: 2\r\nC: 3\r\n"), limits), 431);
  EXPECT_EQ(status_of(head("A: " + std::string(200, 'a') + "\r\n"), limits), 0);
  EXPECT_EQ(status_of(head("A: " + std::string(300, 'a')), limits), 431);
  EXPECT_EQ(status_of(head("Content-Length: 5\r\n") + "12345", limits), 0);
  EXPECT_EQ(status_of(head("Content-Length: 6\r\n"), limits), 413);
  EXPECT_EQ(status_of(head("Content-Length: 99999999999999999999999\r\n"), limits), 413);
  const std::string chunked = head("Transfer-Encoding: chunked\r\n");
  EXPECT_EQ(status_of(chunked + "5\r\n12345\r\n0\r\n\r\n", limits), 0);
  EXPECT_EQ(status_of(chunked + "4\r\n1234\r\n2\r\n", limits), 413);
  EXPECT_EQ(status_of(chunked + "fffffffffffffff\r\n", limits), 413);
  std::string trailers = chunked + "0\r\n";
  for (int i = 0; i < 3; ++i) trailers += "A: " + std::string(90, 'a') + "\r\n";
  EXPECT_EQ(status_of(trailers + "B: " + std::string(90, 'a'), limits), 431);
}

TEST(RequestParser, ALeadingEmptyLineIsForgiven) { EXPECT_EQ(status_of("\r\n" + head("")), 0); }

TEST(RequestParser, AnAbsoluteTargetBringsItsHost) {
  const HttpLimits limits;
  RequestParser parser(limits);
  feed_all(parser, "GET HTTP://a.example:81?q=1 HTTP/1.1\r\nHost: b.example\r\n\r\n");
  ASSERT_EQ(parser.stage(), Stage::complete);
  const HttpRequest request = parser.take();
  EXPECT_EQ(request.host, "a.example:81");
  EXPECT_EQ(request.target, "/?q=1");
  EXPECT_EQ(request.path, "/");
  EXPECT_EQ(status_of("GET http:///x HTTP/1.1\r\n"), 400);
  EXPECT_EQ(status_of("GET ftp://a/x HTTP/1.1\r\n"), 400);
}

TEST(RequestParser, KeepAliveFollowsVersionAndConnection) {
  const auto keeps = [](std::string_view line, std::string_view fields) {
    const HttpLimits limits;
    RequestParser parser(limits);
    feed_all(parser, head(fields, line));
    EXPECT_EQ(parser.stage(), Stage::complete);
    return parser.framing().keep_alive;
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1", ""));
  EXPECT_TRUE(keeps("GET / HTTP/1.9", ""));
  EXPECT_FALSE(keeps("GET / HTTP/1.1", "Connection: x, Close\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0", ""));
  EXPECT_TRUE(keeps("GET / HTTP/1.0", "Connection: Keep-Alive\r\n"));
}

}  // namespace
}  // namespace premise
