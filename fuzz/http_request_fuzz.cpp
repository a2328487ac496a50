// Any bytes: a parser of requests takes them or refuses them, and it does the same whatever pieces
// they come in. What it takes stays within its limits.
// Seeds: fuzz/corpus/http_request. Run: http_request_fuzz fuzz/corpus/http_request
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "serve/http/request_parser.h"
#include "serve/http/response_encoder.h"

namespace {

using premise::RequestParser;
using Stage = RequestParser::Stage;

void require(bool holds) {
  if (!holds) std::abort();
}

void append(std::string& out, std::string_view value) {
  out.append(std::to_string(value.size())).append(":").append(value).append(";");
}

/// Everything that came of the bytes, as one text. `piece` bytes are fed at a time.
std::string outcome(std::string_view bytes, std::size_t piece, const premise::HttpLimits& limits) {
  std::string out;
  RequestParser parser(limits);
  while (!bytes.empty() && parser.stage() != Stage::refused) {
    std::string_view now = bytes.substr(0, piece);
    const std::size_t before = now.size();
    parser.feed(now);
    require(now.size() <= before);
    bytes.remove_prefix(before - now.size());
    if (parser.stage() != Stage::complete) continue;
    const premise::HttpRequest request = parser.take();
    require(request.body.size() <= limits.body_bytes);
    require(request.headers.size() <= limits.header_count);
    require(request.path.find('\0') == std::string::npos);
    require(request.minor_version == 0 || request.headers.count("host") == 1);
    append(out, request.method);
    append(out, request.target);
    append(out, request.path);
    append(out, request.host);
    for (const auto& [name, value] : request.query) append(out, name + "=" + value);
    for (const auto& field : request.headers.all()) append(out, field.name + "=" + field.value);
    append(out, request.body);

    // An answer that repeats what it was sent must be one head, whatever that was.
    std::string head;
    premise::HttpResponse response{200, request.headers, {}};
    response.headers.add("X-Path", request.path);
    premise::encode_response_head(response, premise::BodyFraming::none, true, "today", head);
    require(head.find("\r\n\r\n") == head.size() - 4);
    require(std::count(head.begin(), head.end(), '\n') ==
            std::count(head.begin(), head.end(), '\r'));
  }
  if (parser.stage() == Stage::refused) {
    const auto& refusal = parser.refusal();
    require(refusal.status >= 400 && refusal.status <= 599);
    require(!refusal.why.en.empty() && !refusal.why.zh.empty());
    append(out, refusal.why.en);
  } else {
    append(out, parser.at_start() ? "start" : "middle");
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  premise::HttpLimits limits;
  limits.target_bytes = 64;
  limits.header_bytes = 512;
  limits.header_count = 8;
  limits.body_bytes = 256;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = outcome(bytes, SIZE_MAX, limits);
  require(outcome(bytes, 1, limits) == whole);
  require(outcome(bytes, 7, limits) == whole);
  return 0;
}
