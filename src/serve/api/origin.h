// Who may talk to a server on loopback: its own machine, and no web page of somebody else.
//
// A page from anywhere can let its name resolve to 127.0.0.1 (DNS rebinding) and then reads answers
// as its own. What it cannot do is lie in Host and Origin, which browsers write. So a server that
// listens on loopback and asks for no key takes only names of loopback, or such as it was told.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api/api_call.h"

namespace premise {

struct OriginRules {
  bool loopback = true;                    // listens on loopback only: check
  std::vector<std::string> allowed_hosts;  // more names without port ("premise.intra"); "*": all
};

/// Nothing when the request may go on; else 403. Empty: the header was not sent. A request has one
/// Host at most (the HTTP parser sees to it).
std::optional<ApiError> check_origin(std::string_view host, std::string_view origin,
                                     const OriginRules& rules);

/// "127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "x.localhost".
bool is_loopback_name(std::string_view host);

}  // namespace premise
