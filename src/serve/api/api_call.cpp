#include "serve/api/api_call.h"

#include <algorithm>

#include "base/nearest.h"
#include "serve/api/json_writer.h"

namespace premise {
namespace {

// OpenAI's words for kinds of failure; clients switch on the status, people read these.
std::string_view error_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "service_unavailable_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

}  // namespace

std::string error_body(const ApiError& error, Language language) {
  std::string out = R"({"error":{"message":)";
  append_json_string(out, error.what.in(language));
  out += R"(,"type":)";
  append_json_string(out, error_type(error.status));
  out += R"(,"param":)";
  error.param.empty() ? void(out += "null") : append_json_string(out, error.param);
  out += R"(,"code":)";
  error.code.empty() ? void(out += "null") : append_json_string(out, error.code);
  return out += "}}";
}

Reply error_reply(const ApiError& error, Language language) {
  Reply reply{error.status, "application/json", error_body(error, language), {}};
  if (error.retry_after.count() > 0 || error.status == 503)
    reply.headers.emplace_back(
        "Retry-After", std::to_string(std::max<std::int64_t>(1, error.retry_after.count())));
  return reply;
}

ApiError to_api_error(const Refusal& refusal) {
  ApiError error{400, refusal.what, "invalid_value", refusal.param, refusal.retry_after};
  switch (refusal.reason) {
    case RefusalReason::bad_request:
      break;
    case RefusalReason::too_long:
      error.code = "context_length_exceeded";
      break;
    case RefusalReason::queue_full:
    case RefusalReason::unavailable:
      error.status = 503;
      error.code = refusal.reason == RefusalReason::queue_full ? "queue_full" : "model_unavailable";
      error.retry_after = std::max(error.retry_after, std::chrono::seconds(1));
      break;
  }
  return error;
}

ApiError model_not_found(std::string_view asked, const std::vector<ModelCard>& models) {
  std::vector<std::string> names;
  for (const ModelCard& card : models) names.push_back(card.name);
  ApiError error{404, {}, "model_not_found", "model"};
  const auto near = nearest(asked, names);
  error.what = near
                   ? text({"the model '{}' is not served here; did you mean '{}'?",
                           "这里没有提供模型“{}”；您是否想用“{}”？"},
                          asked, *near)
                   : text({"the model '{}' is not served here; GET /v1/models lists those that are",
                           "这里没有提供模型“{}”；GET /v1/models 会列出可用的模型"},
                          asked);
  return error;
}

Language reply_language(std::string_view accept_language, Language otherwise) {
  const auto begin = accept_language.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return otherwise;
  const std::string_view first = accept_language.substr(begin, 2);
  const auto is = [&](char a, char b) { return (first[0] | 32) == a && (first[1] | 32) == b; };
  if (first.size() == 2 && is('z', 'h')) return Language::chinese;
  if (first.size() == 2 && is('e', 'n')) return Language::english;
  return otherwise;
}

}  // namespace premise
