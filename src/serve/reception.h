// Gate A, asked of a request's head, before its body is read: a stranger does not make the server
// take in 32 MiB. Where does it go, whose is it, may that one go there? How many requests a key may
// send is counted by the caller, once a request.
//
// Once the body is there the same is asked again, without counting: a large body takes its time,
// and the key may have been revoked meanwhile.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "serve/api/dialect.h"
#include "serve/gate/limits.h"
#include "serve/http/message.h"
#include "serve/settings.h"

namespace premise {

/// Where a request goes.
struct Target {
  const Dialect* dialect = nullptr;  // null: the page of metrics, or the page at /
  std::string rest{};                // what braces in the dialect's path took
  std::string_view route = "other";  // for metrics: a path of ours, never a client's
};

struct Admitted {
  Target target;
  std::shared_ptr<const ApiKey> key{};  // null where none is needed
};

struct Denied {
  ApiError error;
  std::vector<std::pair<std::string, std::string>> headers{};  // Allow, WWW-Authenticate
  Admitted known{};                                            // as far as it got
};

using Admission = std::variant<Admitted, Denied>;

/// Blocks on nothing.
Admission admit(const HttpRequest& head, const ServiceSettings& settings);

ApiError limit_error(const LimitAnswer& answer);

}  // namespace premise
