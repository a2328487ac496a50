// The lines of a request's head (RFC 9112, sections 2 to 6), each checked by itself, and what they
// say together about where the body ends. Two parties that disagree on that let a request be
// smuggled past one of them, so everything that could be read in two ways is refused: both framings
// at once, two lengths, folded lines, spaces before a colon, codings we would have to guess.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "serve/http/limits.h"
#include "serve/http/message.h"

namespace premise {

/// How the body is delimited and what the connection does afterwards.
struct HttpFraming {
  bool chunked = false;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
};

/// "GET /path HTTP/1.1", without its line ending.
std::optional<HttpRefusal> parse_request_line(std::string_view line, const HttpLimits& limits,
                                              HttpRequest& request);

/// "Name: value", without its line ending.
std::optional<HttpRefusal> parse_field_line(std::string_view line, const HttpLimits& limits,
                                            HttpFields& fields);

/// What the fields say together: host, framing, expectations. Call once, after the last field.
std::optional<HttpRefusal> conclude_head(const HttpLimits& limits, HttpRequest& request,
                                         HttpFraming& framing);

/// True for a name as fields and methods have it (RFC 9110, 5.6.2).
bool is_http_token(std::string_view text);

}  // namespace premise
