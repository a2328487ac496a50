#include "serve/http/response_encoder.h"

#include <gtest/gtest.h>

namespace premise {
namespace {

std::string encoded(const HttpResponse& response, BodyFraming framing, bool keep_alive = true) {
  std::string out;
  encode_response_head(response, framing, keep_alive, "D", out);
  return out;
}

TEST(ResponseEncoder, WritesStatusFieldsAndFraming) {
  EXPECT_EQ(encoded({200, {{"A", "b"}}, "12345"}, BodyFraming::length),
            "HTTP/1.1 200 OK\r\nDate: D\r\nA: b\r\nContent-Length: 5\r\n"
            "Connection: keep-alive\r\n\r\n");
  EXPECT_EQ(encoded({200, {}, ""}, BodyFraming::chunked, false),
            "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n"
            "Connection: close\r\n\r\n");
  EXPECT_EQ(encoded({204, {}, ""}, BodyFraming::none),
            "HTTP/1.1 204 No Content\r\nDate: D\r\nConnection: keep-alive\r\n\r\n");
}

TEST(ResponseEncoder, NoValueCanStartALineOfItsOwn) {
  const std::string head = encoded({200,
                                    {{"X-Id", "a\r\nSet-Cookie: b"},
                                     {"Bad Name", "x"},
                                     {"Bad\r\nName", "x"},
                                     {"content-length", "999"},
                                     {"TRANSFER-ENCODING", "chunked"},
                                     {"Connection", "upgrade"}},
                                    ""},
                                   BodyFraming::length);
  EXPECT_EQ(head,
            "HTTP/1.1 200 OK\r\nDate: D\r\nX-Id: a  Set-Cookie: b\r\nContent-Length: 0\r\n"
            "Connection: keep-alive\r\n\r\n");
}

TEST(ResponseEncoder, AnEmptyPieceIsNotTheEnd) {
  std::string out;
  encode_chunk("", out);
  EXPECT_EQ(out, "");
  encode_chunk("0123456789abcdef!", out);
  EXPECT_EQ(out, "11\r\n0123456789abcdef!\r\n");
}

TEST(ResponseEncoder, DatesAreThoseOfRfc9110) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace premise
