#include "serve/http/request_target.h"

#include <algorithm>

namespace premise {
namespace {

HttpRefusal bad_target() {
  return {400, text({"The request target is not a valid path.", "请求目标不是有效的路径。"})};
}

bool decode_query(std::string_view query, HttpRequest& request) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    std::string name;
    std::string value;
    if (!percent_decode(pair.substr(0, equals), true, name)) return false;
    if (equals != std::string_view::npos && !percent_decode(pair.substr(equals + 1), true, value)) {
      return false;
    }
    request.query.emplace_back(std::move(name), std::move(value));
  }
  return true;
}

/// Takes "http://host" from the front of an absolute target. False when it is malformed.
bool take_authority(std::string_view& target, std::string& host) {
  for (const std::string_view scheme :
       {std::string_view("http://"), std::string_view("https://")}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const auto end = std::min(target.find_first_of("/?"), target.size());
    host = target.substr(0, end);
    target.remove_prefix(end);
    return !host.empty() && is_host(host);
  }
  return false;
}

}  // namespace

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool percent_decode(std::string_view text, bool form, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && form) {
      c = ' ';
    } else if (c == '%') {
      if (text.size() - i < 3) return false;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    out.push_back(c);
  }
  return true;
}

bool is_host(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~%!$&'()*+;=:[]").find(c) != std::string_view::npos;
  });
}

std::optional<HttpRefusal> parse_request_target(std::string_view target, HttpRequest& request) {
  const bool printable =
      std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (target.empty() || !printable || target.find('#') != std::string_view::npos) {
    return bad_target();
  }
  if (target == "*" && request.method == "OPTIONS") {
    request.target = request.path = target;
    return std::nullopt;
  }
  if (target.front() != '/' && !take_authority(target, request.host)) return bad_target();
  request.target = target.empty() || target.front() == '?' ? "/" + std::string(target) : target;

  const std::string_view whole = request.target;
  const auto mark = whole.find('?');
  if (!percent_decode(whole.substr(0, mark), false, request.path)) return bad_target();
  if (mark != std::string_view::npos && !decode_query(whole.substr(mark + 1), request)) {
    return bad_target();
  }
  return std::nullopt;
}

}  // namespace premise
