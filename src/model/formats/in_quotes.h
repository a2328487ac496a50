// Names and strings of a file inside a message: quoted, on one line, safe for a terminal, cut.
#pragma once

#include <string>
#include <string_view>

namespace premise {

/// "blk.0.attn_q.weight" in quotes; control characters and broken UTF-8 as \xNN, line breaks as
/// \n, and no more than `limit` bytes of the text, followed by an ellipsis where it goes on.
std::string in_quotes(std::string_view text, std::size_t limit = 80);

}  // namespace premise
