#include "serve/http/request_head.h"

#include <algorithm>
#include <string>
#include <vector>

#include "serve/http/request_target.h"

namespace premise {
namespace {

constexpr std::string_view known_methods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                              "PATCH", "DELETE", "OPTIONS"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<HttpRefusal> parse_version(std::string_view version, HttpRequest& request) {
  const bool shaped = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                      version[6] == '.' && is_digit(version[7]);
  if (!shaped) {
    return HttpRefusal{400, text({"The request line is malformed.", "请求行格式错误。"})};
  }
  if (version[5] != '1') {
    return HttpRefusal{505, text({"Only HTTP/1.1 and HTTP/1.0 are spoken here.",
                                  "此服务只支持 HTTP/1.1 和 HTTP/1.0。"})};
  }
  request.minor_version = version[7] - '0';
  return std::nullopt;
}

std::optional<HttpRefusal> conclude_host(HttpRequest& request) {
  const std::size_t hosts = request.headers.count("host");
  if (hosts > 1 || (hosts == 0 && request.minor_version > 0)) {
    return HttpRefusal{
        400, text({"Exactly one Host field is required.", "必须有且只有一个 Host 字段。"})};
  }
  if (hosts == 0) return std::nullopt;
  const std::string_view host = *request.headers.find("host");
  if (!is_host(host)) {
    return HttpRefusal{400, text({"The Host field is malformed.", "Host 字段格式错误。"})};
  }
  if (request.host.empty()) request.host = host;  // that of an absolute target goes before
  return std::nullopt;
}

/// Only "chunked" alone is understood; whatever does not end in it has no end at all.
std::optional<HttpRefusal> conclude_coding(const HttpRequest& request, HttpFraming& framing) {
  if (request.minor_version == 0 || request.headers.count("content-length") > 0) {
    return HttpRefusal{
        400, text({"Transfer-Encoding is allowed neither beside Content-Length nor in HTTP/1.0.",
                   "Transfer-Encoding 不得与 Content-Length 同时出现，也不得用于 HTTP/1.0。"})};
  }
  std::vector<std::string_view> codings;
  for (const auto& field : request.headers.all()) {
    if (!equal_ignoring_case(field.name, "transfer-encoding")) continue;
    std::string_view rest = field.value;
    while (true) {
      const auto comma = rest.find(',');
      codings.push_back(trim_blanks(rest.substr(0, comma)));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  const auto chunked = std::count_if(codings.begin(), codings.end(), [](std::string_view coding) {
    return equal_ignoring_case(coding, "chunked");
  });
  if (chunked != 1 || !equal_ignoring_case(codings.back(), "chunked")) {
    return HttpRefusal{400, text({"Transfer-Encoding must end in one \"chunked\".",
                                  "Transfer-Encoding 必须以唯一的 \"chunked\" 结尾。"})};
  }
  if (codings.size() > 1) {
    return HttpRefusal{501, text({"No transfer coding but \"chunked\" is understood.",
                                  "只支持 \"chunked\" 这一种传输编码。"})};
  }
  framing.chunked = true;
  return std::nullopt;
}

std::optional<HttpRefusal> conclude_length(const HttpLimits& limits, const HttpRequest& request,
                                           HttpFraming& framing) {
  const std::size_t lengths = request.headers.count("content-length");
  if (lengths == 0) return std::nullopt;  // no body: a POST without one is none of our business
  const std::string_view digits = *request.headers.find("content-length");
  if (lengths > 1 || digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return HttpRefusal{400, text({"Content-Length must be one decimal number.",
                                  "Content-Length 必须是单个十进制数。"})};
  }
  std::uint64_t length = digits.size() > 18 ? UINT64_MAX : 0;
  if (length == 0) {
    for (const char c : digits) length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (length > limits.body_bytes) {
    return HttpRefusal{
        413, text({"The body has {} bytes; the limit is {}.", "请求体有 {} 字节，上限为 {} 字节。"},
                  digits.substr(0, 24), limits.body_bytes)};
  }
  framing.content_length = length;
  return std::nullopt;
}

}  // namespace

bool is_http_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

std::optional<HttpRefusal> parse_request_line(std::string_view line, const HttpLimits& limits,
                                              HttpRequest& request) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return HttpRefusal{400, text({"The request line is malformed.", "请求行格式错误。"})};
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!is_http_token(method)) {
    return HttpRefusal{400, text({"The request line is malformed.", "请求行格式错误。"})};
  }
  if (auto refusal = parse_version(line.substr(last + 1), request)) return refusal;
  if (std::find(std::begin(known_methods), std::end(known_methods), method) ==
      std::end(known_methods)) {
    return HttpRefusal{501, text({"This method is not known here.", "不支持此请求方法。"})};
  }
  if (target.size() > limits.target_bytes) {
    return HttpRefusal{414, text({"The request target is over its limit of {} bytes.",
                                  "请求目标超过 {} 字节的上限。"},
                                 limits.target_bytes)};
  }
  request.method = method;
  return parse_request_target(target, request);
}

std::optional<HttpRefusal> parse_field_line(std::string_view line, const HttpLimits& limits,
                                            HttpFields& fields) {
  if (!line.empty() && (line.front() == ' ' || line.front() == '\t')) {
    return HttpRefusal{400, text({"Folded header lines are refused.", "不接受折行的头字段。"})};
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_http_token(line.substr(0, colon))) {
    return HttpRefusal{400, text({"A header field has no valid name.", "头字段的名称无效。"})};
  }
  if (fields.size() >= limits.header_count) {
    return HttpRefusal{431, text({"There are more than {} header fields.", "头字段超过 {} 个。"},
                                 limits.header_count)};
  }
  fields.add(std::string(line.substr(0, colon)), std::string(trim_blanks(line.substr(colon + 1))));
  return std::nullopt;
}

std::optional<HttpRefusal> conclude_head(const HttpLimits& limits, HttpRequest& request,
                                         HttpFraming& framing) {
  if (auto refusal = conclude_host(request)) return refusal;
  const bool coded = request.headers.count("transfer-encoding") > 0;
  if (auto refusal =
          coded ? conclude_coding(request, framing) : conclude_length(limits, request, framing)) {
    return refusal;
  }
  const bool close = request.headers.has_token("connection", "close");
  framing.keep_alive = !close && (request.minor_version > 0 ||
                                  request.headers.has_token("connection", "keep-alive"));
  if (const auto expect = request.headers.find("expect"); expect && request.minor_version > 0) {
    if (!equal_ignoring_case(*expect, "100-continue") || request.headers.count("expect") > 1) {
      return HttpRefusal{417, text({"No expectation but \"100-continue\" can be met.",
                                    "只能满足 \"100-continue\" 这一种 Expect。"})};
    }
    framing.expects_continue = true;
  }
  return std::nullopt;
}

}  // namespace premise
