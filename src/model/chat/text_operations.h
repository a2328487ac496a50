// What Python's str can do, on text that remembers its origin. Shared by string methods and
// filters.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "model/chat/limits.h"
#include "model/chat/marked_string.h"
#include "model/chat/unicode_text.h"

namespace premise {

/// Without the characters of `characters` at either end; white space where it is null.
MarkedString stripped(const MarkedString& text, const MarkedString* characters, bool left,
                      bool right);
/// At most `count` replacements, all of them below 0. An empty `old` stands before every character
/// and at the end.
MarkedString replaced(Budget& budget, const MarkedString& text, const MarkedString& old,
                      const MarkedString& with, std::int64_t count);
/// str.split and str.rsplit: at white space where there is no separator; at most `most` cuts, any
/// number below 0.
std::vector<MarkedString> split(Budget& budget, const MarkedString& text,
                                const MarkedString* separator, std::int64_t most, bool from_right);
/// str.splitlines().
std::vector<MarkedString> split_lines(Budget& budget, const MarkedString& text, bool keep_ends);
/// str.center, ljust, rjust: `where` < 0 puts the text left, > 0 right.
MarkedString padded(Budget& budget, const MarkedString& text, std::int64_t width,
                    const MarkedString& fill, int where);
/// With & < > ' " written as HTML entities.
MarkedString escaped_for_html(Budget& budget, const MarkedString& text);
MarkedString reversed(const MarkedString& text);

}  // namespace premise
