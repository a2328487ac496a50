#include "model/tokenizer/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "model/tokenizer/char_scan.h"

namespace premise {
namespace {

using Kind = NormalizerStep::Kind;

std::size_t end_of_ascii(std::string_view text, std::size_t at) {
  while (at < text.size() && static_cast<signed char>(text[at]) >= 0) ++at;
  return at;
}

bool is_ascii(std::string_view text) { return end_of_ascii(text, 0) == text.size(); }

int combining_class(utf8proc_int32_t code) { return utf8proc_get_property(code)->combining_class; }

// Orders marks by combining class, equal ones as they stand. (std::stable_sort of GCC 12's library
// allocates by a function that C++17 deprecated, at which Clang warns.)
void sort_marks(std::span<utf8proc_int32_t> marks) {
  if (marks.size() < 2) return;
  std::vector<std::pair<std::size_t, utf8proc_int32_t>> keyed;  // class and place; mark
  keyed.reserve(marks.size());
  for (const utf8proc_int32_t mark : marks) {
    const auto rank = static_cast<std::size_t>(combining_class(mark));
    keyed.emplace_back(rank << 48 | keyed.size(), mark);
  }
  std::sort(keyed.begin(), keyed.end());
  std::transform(keyed.begin(), keyed.end(), marks.begin(),
                 [](const auto& entry) { return entry.second; });
}

// Appends the form of `codes` and clears it. utf8proc's own utf8proc_decompose orders marks by
// bubble sort, quadratic in a text of marks; so the pieces are put together here: decompose each
// character, sort each run of marks by its class, then compose.
void flush(std::vector<utf8proc_int32_t>& codes, int options, std::string& out) {
  if (codes.empty()) return;
  std::vector<utf8proc_int32_t> parts;
  parts.reserve(codes.size() + codes.size() / 4);
  for (const utf8proc_int32_t code : codes) {
    int boundary = 0;
    utf8proc_int32_t buffer[64];  // the longest decomposition has 18 characters (U+FDFA)
    const auto count = utf8proc_decompose_char(code, buffer, 64,
                                               static_cast<utf8proc_option_t>(options), &boundary);
    if (count < 0 || count > 64) {
      parts.push_back(code);
    } else {
      parts.insert(parts.end(), buffer, buffer + count);
    }
  }
  for (auto at = parts.begin(); at != parts.end();) {
    if (combining_class(*at) == 0) {
      ++at;
      continue;
    }
    const auto end = std::find_if(at, parts.end(),
                                  [](utf8proc_int32_t code) { return combining_class(code) == 0; });
    sort_marks({at, end});
    at = end;
  }
  if (options & UTF8PROC_COMPOSE) {
    const auto count =
        utf8proc_normalize_utf32(parts.data(), static_cast<utf8proc_ssize_t>(parts.size()),
                                 static_cast<utf8proc_option_t>(options));
    if (count >= 0) parts.resize(static_cast<std::size_t>(count));
  }
  for (const utf8proc_int32_t code : parts) append_utf8(static_cast<char32_t>(code), out);
  codes.clear();
}

// ASCII is copied as it is; only the last letter of it may join with marks that follow.
std::string normal_form(std::string_view text, int options) {
  std::string out;
  out.reserve(text.size());
  std::vector<utf8proc_int32_t> codes;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t ascii_end = end_of_ascii(text, at);
    if (ascii_end > at + 1) {
      flush(codes, options, out);
      out += text.substr(at, ascii_end - 1 - at);
      at = ascii_end - 1;
    }
    const Char c = peek(text, at);
    if (c.valid) {
      codes.push_back(static_cast<utf8proc_int32_t>(c.code));
    } else {
      flush(codes, options, out);
      out += text[at];
    }
    at += c.bytes;
  }
  flush(codes, options, out);
  return out;
}

std::string lowercase(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Char c = peek(text, at);
    if (!c.valid) {
      out += text[at];
    } else if (c.code == 0x130) {  // the one letter whose lower case is two characters
      out += "i\xCC\x87";
    } else {
      append_utf8(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c.code))),
                  out);
    }
    at += c.bytes;
  }
  return out;
}

std::string without_marks(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Char c = peek(text, at);
    if (!c.is(class_mark)) out += text.substr(at, c.bytes);
    at += c.bytes;
  }
  return out;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t hit = text.find(from); hit != text.npos && !from.empty();
       hit = text.find(from, at)) {
    out += text.substr(at, hit - at);
    out += to;
    at = hit + from.size();
  }
  out += text.substr(at);
  return out;
}

std::string collapsed(std::string_view text, std::string_view to) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_not_of(' ', at), text.size());
    if (end - at >= 2) {
      out += to;
      at = end;
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string_view stripped_left(std::string_view text) {
  return text.substr(run_of(text, 0, class_space));
}

std::string_view stripped_right(std::string_view text) {
  std::size_t content = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Char c = peek(text, at);
    at += c.bytes;
    if (!c.is(class_space)) content = at;
  }
  return text.substr(0, content);
}

std::string apply_step(const NormalizerStep& step, std::string_view text) {
  constexpr int composed = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
  constexpr int decomposed = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
  switch (step.kind) {
    case Kind::nfc:
      return normal_form(text, composed);
    case Kind::nfd:
      return normal_form(text, decomposed);
    case Kind::nfkc:
      return normal_form(text, composed | UTF8PROC_COMPAT);
    case Kind::nfkd:
      return normal_form(text, decomposed | UTF8PROC_COMPAT);
    case Kind::lowercase:
      return lowercase(text);
    case Kind::strip_accents:
      return without_marks(text);
    case Kind::replace:
      return replaced(text, step.from, step.to);
    case Kind::prepend:
      return text.empty() ? std::string() : step.to + std::string(text);
    case Kind::prepend_once:
      return (text.empty() || text.starts_with(step.to) ? "" : step.to) + std::string(text);
    case Kind::strip_left:
      return std::string(stripped_left(text));
    case Kind::strip_right:
      return std::string(stripped_right(text));
    case Kind::collapse_spaces:
      return collapsed(text, step.to);
  }
  return std::string(text);
}

// Most text is ASCII, which no normal form changes.
bool changes_nothing(const NormalizerStep& step, std::string_view text) {
  switch (step.kind) {
    case Kind::nfc:
    case Kind::nfd:
    case Kind::nfkc:
    case Kind::nfkd:
    case Kind::strip_accents:
      return is_ascii(text);
    case Kind::replace:
      return text.find(step.from) == text.npos;
    default:
      return false;
  }
}

}  // namespace

std::string_view Normalizer::apply(std::string_view text, std::string& storage) const {
  for (const NormalizerStep& step : steps_) {
    if (changes_nothing(step, text)) continue;
    storage = apply_step(step, text);
    text = storage;
  }
  return text;
}

}  // namespace premise
