#include "serve/api/origin.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>

#include "base/printable.h"

namespace premise {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
  });
  return out;
}

/// "name:80", "[::1]:80", "name" without the port; nothing where it is none of these.
std::optional<std::string> name_of_authority(std::string_view authority) {
  std::string_view name = authority, port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    name = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!port.empty() && !port.starts_with(':')) return std::nullopt;
    if (!port.empty()) port.remove_prefix(1);
  } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    name = authority.substr(0, colon);
    port = authority.substr(colon + 1);
  }
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.empty() || !std::ranges::all_of(port, digit)) return std::nullopt;
  if (name.find_first_of("/@ \t\\?#") != std::string_view::npos) return std::nullopt;
  return lower(name);
}

bool allowed(std::string_view authority, const OriginRules& rules) {
  const auto name = name_of_authority(authority);
  if (!name) return false;
  return is_loopback_name(*name) || std::ranges::any_of(rules.allowed_hosts, [&](const auto& host) {
           return host == "*" || lower(host) == *name;
         });
}

ApiError forbidden(std::string_view header, std::string_view value) {
  return {403,
          text({"{} '{}' is not this server's; add it to [server] allowed_hosts if it should be",
                "{} “{}”不属于本服务器；如需允许，请将其加入 [server] allowed_hosts"},
               header, printable(value.substr(0, 128))),
          "forbidden_origin"};
}

}  // namespace

bool is_loopback_name(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::string name = lower(host);
  if (name.ends_with('.')) name.pop_back();
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  in_addr four{};
  if (inet_pton(AF_INET, name.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  if (inet_pton(AF_INET6, name.c_str(), &six) != 1) return false;
  static constexpr std::uint8_t one[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return std::equal(std::begin(one), std::end(one), six.s6_addr);
}

std::optional<ApiError> check_origin(std::string_view host, std::string_view origin,
                                     const OriginRules& rules) {
  if (!rules.loopback) return std::nullopt;
  if (!allowed(host, rules)) return forbidden("Host", host);
  if (origin.empty()) return std::nullopt;
  // "null" is what sandboxed frames and files send: anybody.
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin.starts_with(scheme) && allowed(origin.substr(scheme.size()), rules))
      return std::nullopt;
  return forbidden("Origin", origin);
}

}  // namespace premise
