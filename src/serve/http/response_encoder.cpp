#include "serve/http/response_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "serve/http/request_head.h"

namespace premise {
namespace {

bool is_servers_own(std::string_view name) {
  for (const std::string_view own :
       {std::string_view("content-length"), std::string_view("transfer-encoding"),
        std::string_view("connection"), std::string_view("keep-alive"), std::string_view("date")}) {
    if (equal_ignoring_case(name, own)) return true;
  }
  return false;
}

void append_field(const HttpFields::Field& field, std::string& out) {
  if (!is_http_token(field.name) || is_servers_own(field.name)) return;
  out.append(field.name).append(": ");
  std::transform(field.value.begin(), field.value.end(), std::back_inserter(out), [](char c) {
    const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f';
    return control ? ' ' : c;
  });
  out.append("\r\n");
}

}  // namespace

bool status_allows_body(int status) { return status >= 200 && status != 204 && status != 304; }

void encode_response_head(const HttpResponse& response, BodyFraming framing, bool keep_alive,
                          std::string_view date, std::string& out) {
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                 http_reason(response.status), date);
  for (const auto& field : response.headers.all()) append_field(field, out);
  const bool tells_length = framing == BodyFraming::length ||
                            (framing == BodyFraming::none && status_allows_body(response.status));
  if (tells_length) {
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", response.body.size());
  }
  if (framing == BodyFraming::chunked) out.append("Transfer-Encoding: chunked\r\n");
  out.append(keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
}

void encode_chunk(std::string_view piece, std::string& out) {
  if (piece.empty()) return;
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", piece.size());
  out.append(piece).append("\r\n");
}

std::string http_date(std::time_t time) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[utc.tm_wday], utc.tm_mday,
                     months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace premise
