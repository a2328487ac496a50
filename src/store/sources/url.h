// The few things a source does with URLs. Parsing is libcurl's own, so that what is checked here
// and what is connected to cannot differ.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace premise {

/// `reference` as seen from the page at `base`; absolute ones stay as they are.
Result<std::string> resolve_url(const std::string& base, const std::string& reference);

/// For people and logs: without user, password, query and fragment, any of which may hold a secret.
std::string shown_url(const std::string& url);

/// "https"; empty where `url` is none.
std::string url_scheme(const std::string& url);

/// "mirror.example" and "mirror.example:8443"; empty where `url` has no host.
std::string url_host(const std::string& url);
std::string url_host_and_port(const std::string& url);

/// `url` with the user and password of `login`, where both name the same scheme, host and port and
/// `url` has none of its own: mirrors behind a password serve pages and files alike.
std::string with_credentials_of(const std::string& login, const std::string& url);

/// The file or folder a "file:" URL names.
std::optional<std::filesystem::path> local_path(const std::string& url);

/// "file:///a%20b" for an absolute path.
std::string file_url(const std::filesystem::path& path);

/// %XX undone; broken sequences stay as they are.
std::string percent_decoded(std::string_view text);

}  // namespace premise
