// Header values from outside, into the page: lists of codings with weights, lists of tags.
//
// The input is a path, Accept-Encoding and If-None-Match, a line each.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "serve/page/page.h"

namespace {

constexpr premise::PageFile fuzz_files[] = {
    {"/assets/a.js", "text/javascript", "aa", "plain", "gzip"},
    {"/favicon.svg", "image/svg+xml", "bb", "<svg/>", ""},
    {"/index.html", "text/html", "cc", "page", "gzip"},
};

std::string take_line(std::string_view& input) {
  const auto end = std::min(input.find('\n'), input.size());
  const std::string line(input.substr(0, end));
  input.remove_prefix(std::min(end + 1, input.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  premise::HttpRequest request;
  request.method = "GET";
  request.path = take_line(input);
  request.headers.add("Accept-Encoding", take_line(input));
  request.headers.add("If-None-Match", take_line(input));
  const auto response = premise::page_response(request, fuzz_files);
  if (!response) return 0;
  const bool compressed = response->headers.find("content-encoding").has_value();
  if (!response->headers.find("content-security-policy")) std::abort();
  if (response->status == 304 && !response->body.empty()) std::abort();
  if (response->status == 200 && compressed != (response->body == "gzip")) std::abort();
  if (compressed && request.headers.find("accept-encoding")->size() == 0) std::abort();
  return 0;
}
