// API keys: what one is, what it may do, and how its secret is made and recognised.
//
// A secret is "sk-" and 40 letters of base32: 200 bits from the kernel's generator. It is stored as
// its SHA-256 and shown once. A slow hash (Argon2, bcrypt) is for passwords, whose few bits can be
// guessed: it makes each guess dear. Nobody guesses 200 random bits, however fast the hash, so that
// a slow one would only make every request dear. A salt is not needed either: no two secrets are
// alike, and no table of 2^200 hashes exists.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace premise {

/// What a key may be used for; a set is the sum of its members.
enum class Scope : unsigned { inference = 1, metrics = 2, admin = 4 };

/// "inference,metrics", in that order.
std::string scope_names(unsigned scopes);

/// Names of scopes as a set; an unknown name is an error that lists the known ones.
Result<unsigned> parse_scopes(const std::vector<std::string>& names);

/// Zero means: no limit.
struct KeyLimits {
  std::int64_t requests_per_minute = 0;
  std::int64_t tokens_per_minute = 0;
  std::int64_t tokens_per_day = 0;
  std::int64_t requests_per_day = 0;
};

/// Times are seconds since 1970, UTC.
struct ApiKey {
  std::int64_t id = 0;
  std::string name;
  std::string group;                // whose prefix cache it shares; empty: its own
  unsigned scopes = 0;              // of Scope
  std::vector<std::string> models;  // none: all
  KeyLimits limits;
  std::int64_t created = 0;
  std::int64_t expires = 0;    // 0: never; at this second it no longer works
  std::int64_t last_used = 0;  // 0: never; up to a minute behind
  std::int64_t revoked = 0;    // 0: not

  bool has(Scope scope) const { return (scopes & static_cast<unsigned>(scope)) != 0; }
  bool may_use(std::string_view model) const;
};

/// A new secret. An Error where the kernel gives no random bytes.
Result<std::string> make_secret();

/// What is stored of a secret: its SHA-256 in hexadecimal.
Result<std::string> secret_hash(std::string_view secret);

/// Names of keys, groups and models: 1 to 128 bytes of UTF-8 without control characters, not
/// beginning or ending with a space. `what` names the field in the error.
Status check_key_text(std::string_view value, const Text& what);

/// "30d", "12h", "90m" from `now` on, "2027-01-31" (to the end of that day, UTC), or "never" (0).
/// An end that is not after `now` is an error.
Result<std::int64_t> parse_expiry(std::string_view text, std::int64_t now);

}  // namespace premise
