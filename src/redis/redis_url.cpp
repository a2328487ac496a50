#include "redis/redis_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/printable.h"

namespace premise {
namespace {

constexpr std::string_view plain_scheme = "redis://", tls_scheme = "rediss://";
constexpr std::size_t url_bytes_max = 4096, host_bytes_max = 255;
constexpr std::uint32_t database_max = 1'000'000;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// RFC 3986, 2.1; nothing where "%" is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= host_bytes_max && std::ranges::all_of(host, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
  });
}

bool is_ipv6(std::string_view host) {
  return host.size() >= 2 && host.size() <= host_bytes_max &&
         host.find(':') != std::string_view::npos && std::ranges::all_of(host, [](char c) {
           return hex_digit(c) >= 0 || c == ':' || c == '.';
         });
}

Status read_user(std::string_view text, RedisUrl& url) {
  const auto colon = text.find(':');
  const auto user = percent_decoded(text.substr(0, colon));
  const auto password = colon == std::string_view::npos ? std::optional<std::string>("")
                                                        : percent_decoded(text.substr(colon + 1));
  if (!user || !password)
    return error(ErrorCode::usage,
                 {"user or password of the Redis URL: \"%\" must be followed by two hexadecimal "
                  "digits",
                  "Redis URL 中的用户名或密码：“%” 之后必须是两位十六进制数字"});
  if (password->empty())
    return error(ErrorCode::usage,
                 {"the Redis URL names a user but no password; write redis://user:password@host, "
                  "or redis://:password@host for the default user",
                  "Redis URL 给出了用户名但没有密码；请写成 redis://user:password@host，"
                  "默认用户则写成 redis://:password@host"});
  url.user = *user;
  url.password = *password;
  return {};
}

Status read_host(std::string_view text, RedisUrl& url) {
  std::string_view host = text, port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    host = end == std::string_view::npos ? "" : text.substr(1, end - 1);
    const auto rest = end == std::string_view::npos ? "" : text.substr(end + 1);
    has_port = rest.starts_with(':');
    if (has_port) port = rest.substr(1);
    if (!is_ipv6(host) || (!rest.empty() && !has_port)) host = "";
  } else {
    const auto colon = text.find(':');
    host = text.substr(0, colon);
    has_port = colon != std::string_view::npos;
    if (has_port) port = text.substr(colon + 1);
    if (!is_host(host)) host = "";
  }
  if (host.empty())
    return error(ErrorCode::usage,
                 {"the Redis URL has no valid host; write redis://host:port/database (an IPv6 "
                  "address in brackets)",
                  "Redis URL 中没有有效的主机名；请写成 redis://host:port/database（IPv6 "
                  "地址用方括号括起）"});
  url.host = host;
  if (!has_port) return {};
  const auto number = whole_number<std::uint16_t>(port);
  if (!number || *number == 0)
    return error(ErrorCode::usage, {"the port of the Redis URL must be between 1 and 65535",
                                    "Redis URL 的端口必须在 1 到 65535 之间"});
  url.port = *number;
  return {};
}

}  // namespace

std::string RedisUrl::place() const {
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}/{}", v6 ? "[" : "", printable(host), v6 ? "]" : "", port, database);
}

Result<RedisUrl> parse_redis_url(std::string_view text) {
  if (text.starts_with(tls_scheme))
    return error(ErrorCode::usage,
                 {"rediss:// is not supported: Redis is asked without TLS; keep it on a network of "
                  "its own, or tunnel to it, and write redis://",
                  "不支持 rediss://：访问 Redis 时不使用 TLS；请将其置于专用网络或使用隧道，"
                  "并改写为 redis://"});
  if (!text.starts_with(plain_scheme) || text.size() > url_bytes_max)
    return error(ErrorCode::usage,
                 {"the address of a Redis is redis://[user[:password]@]host[:port][/database]",
                  "Redis 地址的格式为 redis://[user[:password]@]host[:port][/database]"});
  text.remove_prefix(plain_scheme.size());
  RedisUrl url;
  // The last "@": one inside a password that was not written as %40 shall not name another host.
  if (const auto sign = text.rfind('@'); sign != std::string_view::npos) {
    PREMISE_CHECK(read_user(text.substr(0, sign), url));
    text.remove_prefix(sign + 1);
  }
  const auto slash = text.find('/');
  PREMISE_CHECK(read_host(text.substr(0, slash), url));
  if (slash == std::string_view::npos || slash + 1 == text.size()) return url;
  const auto database = whole_number<std::uint32_t>(text.substr(slash + 1));
  if (!database || *database > database_max)
    return error(ErrorCode::usage,
                 {"after the host of a Redis URL comes the number of the database, and nothing "
                  "else: redis://host:port/0",
                  "Redis URL 的主机之后只能是数据库编号：redis://host:port/0"});
  url.database = *database;
  return url;
}

}  // namespace premise
