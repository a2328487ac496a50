// The request target (RFC 9112, 3.2) into path, query and host.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "serve/http/message.h"

namespace premise {

/// Fills target, path, query and, of an absolute target, host. `method` of the request is known.
std::optional<HttpRefusal> parse_request_target(std::string_view target, HttpRequest& request);

/// The value of a hexadecimal digit of either case; -1 for anything else.
int hex_value(char c);

/// Decodes %XX, and '+' as a space where `form` says so. False for a broken escape or an encoded
/// NUL.
bool percent_decode(std::string_view text, bool form, std::string& out);

/// True for what may stand in a Host field: a name or an address, with a port or without.
bool is_host(std::string_view text);

}  // namespace premise
