// Who may come in: from which page, to which path, with which key, how often.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "serve/api/dialect.h"
#include "serve/http/message.h"
#include "serve/service.h"

namespace premise {

/// A request that may go on.
struct Admitted {
  const Dialect* dialect = nullptr;  // null: the metrics page
  std::string rest{};                // of the path, for the dialect
  std::string route{};               // for metrics: a path of ours
  std::shared_ptr<const ApiKey> key{};
};

struct NotAdmitted {
  ApiError error;
  std::string allow;  // for 405: the methods there are
  std::string route = "other";
  std::string key;  // the name of the key that does not suffice
};

/// Judges by the head alone, so that nobody without a key makes the server read a body. Does not
/// block: I/O threads ask it too. Counts nothing: a head is judged twice.
std::variant<Admitted, NotAdmitted> judge_head(const Service& service, const Settings& settings,
                                               const HttpRequest& request);

/// Takes one request from the key's rate. May ask a server of shared counters: not on an I/O
/// thread.
std::optional<ApiError> take_request(const Service& service, const Settings& settings,
                                     const ApiKey& key);

/// A key's own limits; the server's where it has none.
KeyLimits limits_of(const Settings& settings, const ApiKey& key);

/// Of a refusal by a limit.
ApiError limit_error(const LimitAnswer& answer);

/// Who may notice, by the time it takes, what was asked before. Empty: nobody.
std::string prefix_scope(const Settings& settings, const ApiKey* key);

}  // namespace premise
