// JSON out: appended piece by piece, since a stream writes one small object for every token and a
// tree of values would cost more than the token's own text.
#pragma once

#include <string>
#include <string_view>

namespace premise {

/// A string with its quotes. What is not UTF-8 becomes U+FFFD, so that the result is always JSON.
void append_json_string(std::string& out, std::string_view text);

/// The shortest digits that read back as this number; what JSON cannot hold is held to ±9999,
/// which is what OpenAI writes for a token that cannot be.
void append_json_number(std::string& out, float value);

}  // namespace premise
