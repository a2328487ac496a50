// The seam between HTTP and the dialects: bytes in, bytes out, no socket anywhere.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/text.h"
#include "serve/endpoint/endpoint.h"

namespace premise {

/// A request as the server received it; borrowed for the time of a call.
struct ApiCall {
  std::string_view method;
  std::string_view path;  // decoded, without the query
  std::string_view content_type;
  std::string_view body;
};

/// A whole answer, or the beginning of a stream.
struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};  // Retry-After, Allow
};

/// An error in OpenAI's shape. `type` follows from the status.
struct ApiError {
  int status = 400;
  Text what;
  std::string code{};   // for programs: "unknown_parameter", "context_length_exceeded", …
  std::string param{};  // the field that is wrong
  std::chrono::seconds retry_after{0};  // always set with 503
};

template <typename T>
using OrApiError = std::variant<T, ApiError>;

/// {"error":{"message":…,"type":…,"param":…,"code":…}}
std::string error_body(const ApiError& error, Language language);
Reply error_reply(const ApiError& error, Language language);

/// What a refusal of an endpoint is over HTTP: too_long 400, queue_full and unavailable 503.
ApiError to_api_error(const Refusal& refusal);

ApiError model_not_found(std::string_view asked, const std::vector<ModelCard>& models);

/// By the language that Accept-Language names first: zh… or en…; any other: `otherwise`.
Language reply_language(std::string_view accept_language, Language otherwise);

}  // namespace premise
