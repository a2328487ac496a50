#include "serve/gatekeeper.h"

#include <utility>

#include "serve/api/origin.h"

namespace premise {
namespace {

/// "Bearer sk-…", or the header that other dialects use; empty where there is neither.
std::string_view secret_of(const HttpRequest& request) {
  constexpr std::string_view scheme = "bearer ";
  if (const auto value = request.headers.find("authorization"))
    if (value->size() > scheme.size() &&
        equal_ignoring_case(value->substr(0, scheme.size()), scheme))
      return value->substr(scheme.size());
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

/// Fills in whose request it is, or says why not.
std::optional<ApiError> check_key(const Service& service, const HttpRequest& request, Scope scope,
                                  std::shared_ptr<const ApiKey>& key) {
  if (service.keys == nullptr) return std::nullopt;
  const std::string_view secret = secret_of(request);
  KeyAnswer answer = service.keys->find(secret);
  if (!answer.key) return key_error(answer.refusal, !secret.empty());
  key = std::move(answer.key);
  if (key->has(scope)) return std::nullopt;
  return ApiError{403,
                  text({"this key lacks the scope \"{}\"", "该密钥没有 \"{}\" 权限"},
                       scope_names(static_cast<unsigned>(scope))),
                  "missing_scope"};
}

NotAdmitted not_admitted(ApiError error, const Admitted& so_far) {
  return {std::move(error), "", so_far.route, so_far.key ? so_far.key->name : ""};
}

}  // namespace

std::variant<Admitted, NotAdmitted> judge_head(const Service& service, const Settings& settings,
                                               const HttpRequest& request) {
  const ServerConfig& server = settings.config.server;
  if (auto error = check_origin(request.host, request.headers.find("origin").value_or(""),
                                {is_loopback_name(server.host), server.allowed_hosts}))
    return not_admitted(std::move(*error), {.route = "other"});
  Admitted admitted;
  if (request.path == "/metrics" && (request.method == "GET" || request.method == "HEAD")) {
    admitted.route = "/metrics";
    if (auto error = check_key(service, request, Scope::metrics, admitted.key))
      return not_admitted(std::move(*error), admitted);
    return admitted;
  }
  NotAdmitted refusal;
  auto found = find_route(request.method, request.path, &refusal.allow);
  if (auto* error = std::get_if<ApiError>(&found)) {
    refusal.error = std::move(*error);
    return refusal;
  }
  Route& route = std::get<Route>(found);
  admitted.dialect = route.dialect;
  admitted.rest = std::move(route.rest);
  admitted.route = route.dialect->path;
  if (route.dialect->needs_key)
    if (auto error = check_key(service, request, Scope::inference, admitted.key))
      return not_admitted(std::move(*error), admitted);
  return admitted;
}

std::optional<ApiError> take_request(const Service& service, const Settings& settings,
                                     const ApiKey& key) {
  const LimitAnswer limit = service.limits->admit_request(key.id, limits_of(settings, key));
  return limit.ok() ? std::nullopt : std::optional(limit_error(limit));
}

KeyLimits limits_of(const Settings& settings, const ApiKey& key) {
  const LimitsConfig& server = settings.config.limits;
  const auto or_else = [](std::int64_t own, std::int64_t usual) { return own != 0 ? own : usual; };
  return {or_else(key.limits.requests_per_minute, server.requests_per_minute),
          or_else(key.limits.tokens_per_minute, server.tokens_per_minute),
          or_else(key.limits.tokens_per_day, server.tokens_per_day)};
}

ApiError limit_error(const LimitAnswer& answer) {
  return {429,
          text({"over the limit of this key ({})", "超出该密钥的限额（{}）"},
               limit_refusal_name(answer.refusal)),
          "rate_limit_exceeded", "", std::chrono::seconds(answer.retry_after_seconds)};
}

std::string prefix_scope(const Settings& settings, const ApiKey* key) {
  const EngineConfig& engine = settings.config.engine;
  if (!engine.prefix_cache) return "";
  if (key == nullptr || engine.prefix_scope == "server") return "server";
  if (engine.prefix_scope == "group" && !key->group.empty()) return "group " + key->group;
  return "key " + key->name;
}

}  // namespace premise
