// Answers into bytes (RFC 9112, sections 4, 6 and 7). Nothing that a handler passes on can break
// the framing: its own framing fields are dropped and control characters blanked.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "serve/http/message.h"

namespace premise {

enum class BodyFraming {
  none,         // the status or HEAD allows no body; a length may be told all the same
  length,       // the body of the response, whole
  chunked,      // pieces
  until_close,  // pieces, for HTTP/1.0
};

/// Status line and fields with the empty line, to `out`. `date`: http_date() of now.
void encode_response_head(const HttpResponse& response, BodyFraming framing, bool keep_alive,
                          std::string_view date, std::string& out);

/// One piece of a chunked body; an empty one, which would mean the end, adds nothing.
void encode_chunk(std::string_view piece, std::string& out);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// False for statuses that never have a body (RFC 9110, 6.4.1).
bool status_allows_body(int status);

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(std::time_t time);

}  // namespace premise
