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

int form_of(Kind kind) {
  const int direction =
      kind == Kind::nfd || kind == Kind::nfkd ? UTF8PROC_DECOMPOSE : UTF8PROC_COMPOSE;
  const int compatible = kind == Kind::nfkc || kind == Kind::nfkd ? UTF8PROC_COMPAT : 0;
  return UTF8PROC_STABLE | direction | compatible;
}

std::string apply_step(const NormalizerStep& step, std::string_view text) {
  switch (step.kind) {
    case Kind::nfc:
    case Kind::nfd:
    case Kind::nfkc:
    case Kind::nfkd:
      return normal_form(text, form_of(step.kind));
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

// Whether this character may join with what stands before it: marks, and the vowels and final
// consonants of Hangul; also what a compatible form makes such of (U+FF9E).
bool joins_left(const Char& c, Kind kind) {
  if (!c.valid || c.code < 0x80) return false;
  int boundary = 0;
  utf8proc_int32_t parts[64];
  const auto count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c.code), parts, 64,
                              static_cast<utf8proc_option_t>(form_of(kind)), &boundary);
  if (count < 1 || count > 64) return true;
  const auto first = static_cast<char32_t>(parts[0]);
  return combining_class(parts[0]) != 0 || UnicodeClasses::instance().of(first) & class_mark ||
         (first >= 0x1160 && first <= 0x11FF);
}

// Whether a step does the same to text[0, at) and text[at, …) by themselves as to the whole.
// `matches` are where Kind::replace finds its `from`.
bool can_cut(const NormalizerStep& step, std::string_view text, std::size_t at,
             const std::vector<std::size_t>& matches) {
  if ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) return false;  // inside a character
  switch (step.kind) {
    case Kind::nfc:
    case Kind::nfd:
    case Kind::nfkc:
    case Kind::nfkd:
      return !joins_left(peek(text, at), step.kind);
    case Kind::replace: {
      const auto next = std::upper_bound(matches.begin(), matches.end(), at - 1);
      return next == matches.begin() || *(next - 1) + step.from.size() <= at;
    }
    case Kind::collapse_spaces:
      return text[at - 1] != ' ' || text[at] != ' ';
    default:
      return true;
  }
}

std::vector<std::size_t> matches_of(const NormalizerStep& step, std::string_view text) {
  std::vector<std::size_t> matches;
  if (step.kind != Kind::replace || step.from.empty()) return matches;
  for (std::size_t hit = text.find(step.from); hit != text.npos;
       hit = text.find(step.from, hit + step.from.size()))
    matches.push_back(hit);
  return matches;
}

// The runs, made smaller until the step can be cut at both ends of each.
std::vector<TrustedRuns::Run> cut_runs(const NormalizerStep& step, std::string_view text,
                                       const TrustedRuns& runs) {
  const auto matches = matches_of(step, text);
  std::vector<TrustedRuns::Run> cut;
  for (TrustedRuns::Run run : runs.runs()) {
    while (run.begin < run.end && run.begin > 0 && !can_cut(step, text, run.begin, matches))
      ++run.begin;
    while (run.end > run.begin && run.end < text.size() && !can_cut(step, text, run.end, matches))
      --run.end;
    if (run.begin < run.end) cut.push_back(run);
  }
  return cut;
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

// Applies a step stretch by stretch, so that the borders between them are known afterwards.
std::string apply_between(const NormalizerStep& step, std::string_view text, TrustedRuns& runs) {
  const auto trusted = cut_runs(step, text, runs);
  std::string out;
  TrustedRuns made;
  const auto add = [&](std::string_view stretch, bool is_trusted) {
    const std::string piece = apply_step(step, stretch);
    out += piece;
    made.append(piece.size(), is_trusted);
  };
  std::size_t at = 0;
  for (const TrustedRuns::Run& run : trusted) {
    if (at < run.begin) add(text.substr(at, run.begin - at), false);
    add(text.substr(run.begin, run.end - run.begin), true);
    at = run.end;
  }
  if (at < text.size()) add(text.substr(at), false);
  runs = std::move(made);
  return out;
}

// Steps that look at the ends of the whole text: what they take off or put there.
std::string apply_at_ends(const NormalizerStep& step, std::string_view text, TrustedRuns& runs) {
  std::string out = apply_step(step, text);
  TrustedRuns made;
  if (step.kind == Kind::strip_left) {
    made = runs.part(text.size() - out.size(), text.size());
  } else if (step.kind == Kind::strip_right) {
    made = runs.part(0, out.size());
  } else {  // what is put in front belongs to what it is put in front of
    const bool trusted = !text.empty() && runs.trusted_until(0) > 0;
    made.append(out.size() - text.size(), trusted);
    std::size_t at = 0;
    for (const TrustedRuns::Run& run : runs.runs()) {
      made.append(run.begin - at, false);
      made.append(run.end - run.begin, true);
      at = run.end;
    }
    made.append(text.size() - at, false);
  }
  runs = std::move(made);
  return out;
}

bool looks_at_ends(Kind kind) {
  return kind == Kind::prepend || kind == Kind::prepend_once || kind == Kind::strip_left ||
         kind == Kind::strip_right;
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

std::string_view Normalizer::apply(std::string_view text, std::string& storage,
                                   TrustedRuns& runs) const {
  for (const NormalizerStep& step : steps_) {
    if (changes_nothing(step, text)) continue;
    storage = looks_at_ends(step.kind) ? apply_at_ends(step, text, runs)
                                       : apply_between(step, text, runs);
    text = storage;
  }
  return text;
}

}  // namespace premise
