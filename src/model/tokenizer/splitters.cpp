// Whole-word patterns. Each function answers "how long is the match at this place?" the way a
// backtracking engine would, but looks at every character a bounded number of times.
#include "model/tokenizer/splitters.h"

#include "model/tokenizer/char_scan.h"
#include "model/tokenizer/isolate.h"

namespace premise {
namespace {

enum class Fold { none, case_insensitive };

/// 's 't 're 've 'm 'll 'd. Without regard to case, "ſ" (U+017F) is an s as well.
template <Fold fold>
std::size_t contraction(std::string_view text, std::size_t at) {
  const auto letter = [&](std::size_t i) {
    const char c = i < text.size() ? text[i] : '\0';
    return fold == Fold::case_insensitive && c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  };
  if (letter(at) != '\'') return 0;
  const char a = letter(at + 1);
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
  if (fold == Fold::case_insensitive && text.substr(at + 1, 2) == "\xC5\xBF") return 3;
  const char b = letter(at + 2);
  return ((a == 'r' || a == 'v') && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

// [^\s\p{L}\p{N}] with an optional space in front, then whatever `tail` accepts.
template <typename Tail>
std::size_t symbols(std::string_view text, std::size_t at, CharClass not_symbol, Tail tail) {
  const std::size_t start = at + (peek(text, at).code == ' ');
  std::size_t end = run_without(text, start, not_symbol);
  if (end == start) return 0;
  while (end < text.size() && tail(text[end])) ++end;
  return end - at;
}

std::size_t digits(std::string_view text, std::size_t at, int most) {
  std::size_t end = at;
  for (int i = 0; i < most; ++i) {
    const Char c = peek(text, end);
    if (!c.is(class_number)) break;
    end += c.bytes;
  }
  return end - at;
}

// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
std::size_t match_gpt2(std::string_view text, std::size_t at) {
  if (const std::size_t length = contraction<Fold::none>(text, at)) return length;
  const std::size_t start = at + (text[at] == ' ');
  const Char c = peek(text, start);
  if (c.is(class_letter)) return run_of(text, start, class_letter) - at;
  if (c.is(class_number)) return run_of(text, start, class_number) - at;
  if (!c.end() && !c.is(class_space)) {
    return run_without(text, start, class_space | class_letter | class_number) - at;
  }
  return match_spaces(text, at, Newlines::plain);
}

struct WordStyle {
  CharClass word;        // [\p{L}]+ or [\p{L}\p{M}]+
  int digits;            // \p{N}{1,digits}
  bool newlines_follow;  // [\r\n]* after symbols
};

// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?<word>+|\p{N}{1,k}| ?[^\s<word>\p{N}]+[\r\n]*
// |\s*[\r\n]+|\s+(?!\S)|\s+
template <WordStyle style>
std::size_t match_word(std::string_view text, std::size_t at) {
  const Char c = peek(text, at);
  if (c.is(style.word)) return run_of(text, at, style.word) - at;
  if (c.code == '\'') {
    if (const std::size_t length = contraction<Fold::case_insensitive>(text, at)) return length;
  }
  if (c.is(class_number)) return digits(text, at, style.digits);
  if (!is_newline(c.code)) {
    const std::size_t end = run_of(text, at + c.bytes, style.word);
    if (end > at + c.bytes) return end - at;
  }
  const auto newline = [](char byte) { return style.newlines_follow && is_newline(byte); };
  const CharClass not_symbol = class_space | class_letter | class_number | style.word;
  if (const std::size_t length = symbols(text, at, not_symbol, newline)) return length;
  return match_spaces(text, at, Newlines::close_a_part);
}

struct CasedStyle {
  int digits;
  bool contractions;
};

constexpr CharClass upper_run = class_upper | class_caseless | class_mark;
constexpr CharClass lower_run = class_lower | class_caseless | class_mark;

// [upper_run]*[lower_run]+ : the end, or `start` when it does not match. When nothing of lower_run
// follows, the first run gives characters back until the last one that is in both classes.
std::size_t match_lower_end(std::string_view text, std::size_t start) {
  std::size_t end = start, last_shared_end = start;
  for (Char c = peek(text, end); c.is(upper_run); c = peek(text, end)) {
    end += c.bytes;
    if (c.is(lower_run)) last_shared_end = end;
  }
  const std::size_t lower_end = run_of(text, end, lower_run);
  return lower_end > end ? lower_end : last_shared_end;
}

// [upper_run]+[lower_run]*
std::size_t match_upper_end(std::string_view text, std::size_t start) {
  const std::size_t end = run_of(text, start, upper_run);
  return end > start ? run_of(text, end, lower_run) : start;
}

// [^\r\n\p{L}\p{N}]?[upper_run]*[lower_run]+(contraction)?|[^\r\n\p{L}\p{N}]?[upper_run]+[lower_run]*
// (contraction)?|\p{N}{1,k}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
template <CasedStyle style>
std::size_t match_cased(std::string_view text, std::size_t at) {
  const Char c = peek(text, at);
  const bool may_lead = !c.is(class_letter | class_number) && !is_newline(c.code);
  for (auto* ending : {match_lower_end, match_upper_end}) {
    for (const std::size_t start : {at + c.bytes, at}) {
      if (start != at && !may_lead) continue;
      const std::size_t end = ending(text, start);
      if (end == start) continue;
      const std::size_t tail =
          style.contractions ? contraction<Fold::case_insensitive>(text, end) : 0;
      return end + tail - at;
    }
  }
  if (c.is(class_number)) return digits(text, at, style.digits);
  const auto tail = [](char byte) { return is_newline(byte) || byte == '/'; };
  if (const std::size_t length =
          symbols(text, at, class_space | class_letter | class_number, tail)) {
    return length;
  }
  return match_spaces(text, at, Newlines::close_a_part);
}

}  // namespace

void split_gpt2(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, match_gpt2);
}

void split_llama3(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, match_word<WordStyle{class_letter, 3, true}>);
}

void split_qwen2(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, match_word<WordStyle{class_letter, 1, true}>);
}

void split_qwen35(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, match_word<WordStyle{class_letter | class_mark, 1, true}>);
}

void split_seed_coder(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, match_word<WordStyle{class_letter, 1, false}>);
}

void split_o200k(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, match_cased<CasedStyle{3, true}>);
}

void split_tekken(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, match_cased<CasedStyle{1, false}>);
}

}  // namespace premise
