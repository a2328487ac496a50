#include "serve/reception.h"

#include <optional>

#include "serve/api/origin.h"
#include "serve/page/page.h"

namespace premise {
namespace {

constexpr std::string_view metrics_path = "/metrics";

/// "Bearer sk-…", or the header that other dialects use; empty where there is neither.
std::string_view secret_of(const HttpRequest& request) {
  constexpr std::string_view scheme = "bearer ";
  if (const auto value = request.headers.find("authorization"))
    if (value->size() > scheme.size() &&
        equal_ignoring_case(value->substr(0, scheme.size()), scheme))
      return trim_blanks(value->substr(scheme.size()));
  return request.headers.find("x-api-key").value_or("");
}

ApiError key_error(KeyRefusal refusal, bool given) {
  if (refusal == KeyRefusal::unavailable)
    return {503, text({"keys cannot be checked at the moment", "暂时无法校验密钥"}),
            "keys_unavailable", "", std::chrono::seconds(5)};
  if (refusal == KeyRefusal::expired)
    return {401, text({"this API key has expired", "该 API 密钥已过期"}), "expired_api_key"};
  return {401,
          given ? text({"this API key is not known here", "无法识别该 API 密钥"})
                : text({"an API key is needed: send \"Authorization: Bearer sk-…\"",
                        "需要 API 密钥：请发送 \"Authorization: Bearer sk-…\""}),
          "invalid_api_key"};
}

/// How to ask, as a 401 must say (RFC 9110, 15.5.2; RFC 6750, 3).
std::string challenge(bool given) {
  return given ? R"(Bearer realm="premise", error="invalid_token")" : R"(Bearer realm="premise")";
}

struct Found {
  Target target;
  std::optional<Scope> scope;  // that a key must have; none: no key is needed
};

std::variant<Found, Denied> find_target(const HttpRequest& head) {
  if (is_page_request(head)) return Found{{nullptr, {}, "/"}, std::nullopt};
  if (head.path == metrics_path && (head.method == "GET" || head.method == "HEAD"))
    return Found{{nullptr, {}, metrics_path}, Scope::metrics};
  std::string allow;
  auto found = find_route(head.method, head.path, &allow);
  if (auto* error = std::get_if<ApiError>(&found)) {
    Denied denied{std::move(*error)};
    if (!allow.empty()) denied.headers.emplace_back("Allow", allow);
    return denied;
  }
  Route& route = std::get<Route>(found);
  const Dialect& dialect = *route.dialect;
  Found to{{&dialect, std::move(route.rest), dialect.path}, std::nullopt};
  if (dialect.needs_key) to.scope = dialect.admin ? Scope::admin : Scope::inference;
  return to;
}

std::optional<Denied> find_key(const HttpRequest& head, Scope scope, KeyRing& keys,
                               std::shared_ptr<const ApiKey>& key) {
  const std::string_view secret = secret_of(head);
  KeyAnswer answer = keys.find(secret);
  if (!answer.key) {
    Denied denied{key_error(answer.refusal, !secret.empty())};
    if (denied.error.status == 401)
      denied.headers.emplace_back("WWW-Authenticate", challenge(!secret.empty()));
    return denied;
  }
  key = std::move(answer.key);
  if (key->has(scope)) return std::nullopt;
  return Denied{ApiError{403,
                         text({"this key lacks the scope \"{}\"", "该密钥没有 \"{}\" 权限"},
                              scope_names(static_cast<unsigned>(scope))),
                         "missing_scope"}};
}

}  // namespace

Admission admit(const HttpRequest& head, const ServiceSettings& settings) {
  const ServerConfig& server = settings.config.server;
  if (auto error = check_origin(head.host, head.headers.find("origin").value_or(""),
                                {is_loopback_name(server.host), server.allowed_hosts}))
    return Denied{std::move(*error)};
  auto found = find_target(head);
  if (auto* denied = std::get_if<Denied>(&found)) return std::move(*denied);
  auto& [target, scope] = std::get<Found>(found);
  Admitted admitted{std::move(target)};
  if (!scope || settings.keys == nullptr) return admitted;
  if (auto denied = find_key(head, *scope, *settings.keys, admitted.key)) {
    denied->known = std::move(admitted);
    return std::move(*denied);
  }
  return admitted;
}

ApiError limit_error(const LimitAnswer& answer) {
  return {429,
          text({"over the limit of this key ({})", "超出该密钥的限额（{}）"},
               limit_refusal_name(answer.refusal)),
          "rate_limit_exceeded", "", std::chrono::seconds(answer.retry_after_seconds)};
}

}  // namespace premise
