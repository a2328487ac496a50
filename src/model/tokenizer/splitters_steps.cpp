// Steps that pipelines are made of: DeepSeek, StarCoder, Falcon, Bloom and the "default" of GGUF.
#include <algorithm>
#include <iterator>

#include "model/tokenizer/char_scan.h"
#include "model/tokenizer/isolate.h"
#include "model/tokenizer/splitters.h"

namespace premise {
namespace {

struct CodeRange {
  char32_t first, last;
};

template <std::size_t n>
bool within(const CodeRange (&ranges)[n], char32_t code) {
  const auto* next = std::upper_bound(std::begin(ranges), std::end(ranges), code,
                                      [](char32_t c, const CodeRange& r) { return c < r.first; });
  return next != std::begin(ranges) && code <= std::prev(next)->last;
}

// The letters that DeepSeek LLM's pattern lists: Latin, Greek, Cyrillic and other cased scripts.
constexpr CodeRange cased_letters[] = {
    {0x41, 0x5A},       {0x61, 0x7A},       {0xB5, 0xB5},       {0xC0, 0xD6},
    {0xD8, 0xF6},       {0xF8, 0x1BA},      {0x1BC, 0x1BF},     {0x1C4, 0x293},
    {0x295, 0x2AF},     {0x370, 0x373},     {0x376, 0x376},     {0x377, 0x377},
    {0x37B, 0x37D},     {0x37F, 0x37F},     {0x386, 0x386},     {0x388, 0x38A},
    {0x38C, 0x38C},     {0x38E, 0x3A1},     {0x3A3, 0x3F5},     {0x3F7, 0x481},
    {0x48A, 0x52F},     {0x531, 0x556},     {0x10A0, 0x10C5},   {0x13A0, 0x13F5},
    {0x13F8, 0x13FD},   {0x1C90, 0x1CBA},   {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},
    {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},   {0x1E00, 0x1F15},   {0x1F18, 0x1F1D},
    {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},   {0x1F50, 0x1F57},   {0x1F59, 0x1F59},
    {0x1F5B, 0x1F5B},   {0x1F5D, 0x1F5D},   {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},
    {0x1FB6, 0x1FBC},   {0x1FBE, 0x1FBE},   {0x1FC2, 0x1FC4},   {0x1FC6, 0x1FCC},
    {0x1FD0, 0x1FD3},   {0x1FD6, 0x1FDB},   {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},
    {0x1FF6, 0x1FFC},   {0x2102, 0x2102},   {0x2107, 0x2107},   {0x210A, 0x2113},
    {0x2115, 0x2115},   {0x2119, 0x211D},   {0x2124, 0x2124},   {0x2126, 0x2126},
    {0x2128, 0x2128},   {0x212A, 0x212D},   {0x212F, 0x2134},   {0x2139, 0x2139},
    {0x213C, 0x213F},   {0x2145, 0x2149},   {0x214E, 0x214E},   {0x2183, 0x2183},
    {0x2184, 0x2184},   {0x2C00, 0x2C7B},   {0x2C7E, 0x2CE4},   {0x2CEB, 0x2CEE},
    {0x2CF2, 0x2CF2},   {0x2CF3, 0x2CF3},   {0xA640, 0xA66D},   {0xA680, 0xA69B},
    {0xA722, 0xA76F},   {0xA771, 0xA787},   {0xA78B, 0xA78E},   {0xAB70, 0xABBF},
    {0xFB00, 0xFB06},   {0xFB13, 0xFB17},   {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},
    {0x10400, 0x1044F}, {0x104B0, 0x104D3}, {0x104D8, 0x104FB}, {0x10C80, 0x10CB2},
    {0x10CC0, 0x10CF2}, {0x118A0, 0x118DF}, {0x1E900, 0x1E943},
};
// !-/ :-~ ！-／ ：-～ ‘-‟ 　-。 (the ASCII part spans all letters: words with Latin letters are
// gone before this step runs).
constexpr CodeRange wide_marks[] = {
    {0x21, 0x2F},     {0x3A, 0x7E},     {0x2018, 0x201F},
    {0x3000, 0x3002}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF5E},
};
constexpr CodeRange cjk_wide[] = {{0x800, 0x9FA5}, {0xAC00, 0xD7FF}};
constexpr CodeRange cjk_kana[] = {{0x3040, 0x30FF}, {0x4E00, 0x9FA5}};
// ( ) | . , ! ? ، । … 、 。 ۔ ， : what Bloom's pattern keeps out of words, besides whitespace.
constexpr CodeRange bloom_marks[] = {
    {0x21, 0x21},   {0x28, 0x29},     {0x2C, 0x2C},     {0x2E, 0x2E},
    {0x3F, 0x3F},   {0x7C, 0x7C},     {0x60C, 0x60C},   {0x6D4, 0x6D4},
    {0x964, 0x964}, {0x2026, 0x2026}, {0x3001, 0x3002}, {0xFF0C, 0xFF0C},
};

template <typename Member>
std::size_t run_while(std::string_view text, std::size_t at, Member member) {
  for (Char c = peek(text, at); !c.end() && member(c); c = peek(text, at)) at += c.bytes;
  return at;
}

// \s?<member>+ ; a space that is itself a member may be the whole match.
template <typename Member>
std::size_t match_spaced(std::string_view text, std::size_t at, Member member) {
  const Char c = peek(text, at);
  if (c.is(class_space)) {
    const std::size_t start = at + c.bytes;
    const std::size_t end = run_while(text, start, member);
    if (end > start) return end - at;
  }
  return run_while(text, at, member) - at;
}

bool ascii_letter(const Char& c) { return c.code < 0x80 && c.is(class_letter); }

// [ASCII mark][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+
// |\s+(?!\S)|\s+
std::size_t match_deepseek3(std::string_view text, std::size_t at) {
  constexpr CharClass word = class_letter | class_mark;
  constexpr CharClass marks = class_punctuation | class_symbol;
  const Char c = peek(text, at);
  if (c.code < 0x80 && c.is(marks)) {
    const std::size_t end = run_while(text, at + 1, ascii_letter);
    if (end > at + 1) return end - at;
  }
  if (c.is(word)) return run_of(text, at, word) - at;
  if (!c.is(marks) && !is_newline(c.code)) {
    const std::size_t end = run_of(text, at + c.bytes, word);
    if (end > at + c.bytes) return end - at;
  }
  const std::size_t start = at + (c.code == ' ');
  std::size_t end = run_of(text, start, marks);
  if (end > start) {
    while (end < text.size() && is_newline(text[end])) ++end;
    return end - at;
  }
  return match_spaces(text, at, Newlines::close_a_part);
}

std::size_t match_number(std::string_view text, std::size_t at) {
  const Char c = peek(text, at);
  return c.is(class_number) ? c.bytes : 0;
}

std::size_t match_numbers_by_3(std::string_view text, std::size_t at) {
  std::size_t end = at;
  for (int i = 0; i < 3; ++i) end += match_number(text, end);
  return end - at;
}

std::size_t match_three_digits(std::string_view text, std::size_t at) {
  if (text.size() - at < 3) return 0;
  const auto digit = [&](std::size_t i) { return text[at + i] >= '0' && text[at + i] <= '9'; };
  return digit(0) && digit(1) && digit(2) ? 3 : 0;
}

// ` ?[^(\s|.,!?…。，、।۔،)]+`
std::size_t match_bloom(std::string_view text, std::size_t at) {
  const std::size_t start = at + (text[at] == ' ');
  const std::size_t end = run_while(text, start, [](const Char& c) {
    return !c.is(class_space) && !within(bloom_marks, c.code);
  });
  return end > start ? end - at : 0;
}

}  // namespace

void split_deepseek3_words(std::string_view piece, std::size_t origin,
                           std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, match_deepseek3);
}

void split_newline(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, [](std::string_view text, std::size_t at) {
    return static_cast<std::size_t>(is_newline(text[at]));
  });
}

void split_spaced_latin(std::string_view piece, std::size_t origin,
                        std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, [](std::string_view text, std::size_t at) {
    return match_spaced(text, at, [](const Char& c) { return within(cased_letters, c.code); });
  });
}

void split_spaced_marks(std::string_view piece, std::size_t origin,
                        std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, [](std::string_view text, std::size_t at) {
    return match_spaced(text, at, [](const Char& c) { return within(wide_marks, c.code); });
  });
}

void split_spaced_letters(std::string_view piece, std::size_t origin,
                          std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, [](std::string_view text, std::size_t at) {
    return match_spaced(text, at, [](const Char& c) { return c.is(class_letter); });
  });
}

void split_spaced_punctuation(std::string_view piece, std::size_t origin,
                              std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, [](std::string_view text, std::size_t at) {
    return match_spaced(text, at, [](const Char& c) { return c.is(class_punctuation); });
  });
}

void split_trailing_space(std::string_view piece, std::size_t origin,
                          std::vector<std::size_t>& ends) {
  std::size_t content = 0;  // the end of the last character that is no whitespace
  for (std::size_t at = 0; at < piece.size();) {
    const Char c = peek(piece, at);
    at += c.bytes;
    if (!c.is(class_space)) content = at;
  }
  if (content > 0) ends.push_back(origin + content);
  if (content < piece.size()) ends.push_back(origin + piece.size());
}

void split_cjk_wide(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, [](std::string_view text, std::size_t at) {
    return run_while(text, at, [](const Char& c) { return within(cjk_wide, c.code); }) - at;
  });
}

void split_cjk_kana(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, [](std::string_view text, std::size_t at) {
    return run_while(text, at, [](const Char& c) { return within(cjk_kana, c.code); }) - at;
  });
}

void split_numbers(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, [](std::string_view text, std::size_t at) {
    return run_of(text, at, class_number) - at;
  });
}

void split_number(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, match_number);
}

void split_numbers_by_3(std::string_view piece, std::size_t origin,
                        std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, match_numbers_by_3);
}

void split_three_digits(std::string_view piece, std::size_t origin,
                        std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, match_three_digits);
}

void split_punctuation_runs(std::string_view piece, std::size_t origin,
                            std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, [](std::string_view text, std::size_t at) {
    return run_of(text, at, class_punctuation_step) - at;
  });
}

void split_punctuation_default(std::string_view piece, std::size_t origin,
                               std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, [](std::string_view text, std::size_t at) {
    return run_while(text, at,
                     [](const Char& c) { return c.is(class_punctuation_step) && c.code != '`'; }) -
           at;
  });
}

void split_metaspace(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  constexpr std::string_view space = "▁";
  for (std::size_t at = piece.find(space, 1); at != piece.npos; at = piece.find(space, at + 1)) {
    ends.push_back(origin + at);
  }
  if (!piece.empty()) ends.push_back(origin + piece.size());
}

void split_spelled_numbers(std::string_view piece, std::size_t origin,
                           std::vector<std::size_t>& ends) {
  constexpr std::string_view numbers = "0123456789\xB2\xB3\xB9\xBC\xBD\xBE";
  std::size_t at = 0;
  while (at < piece.size()) {
    const bool number = numbers.find(piece[at]) != numbers.npos;
    const std::size_t end =
        number ? piece.find_first_not_of(numbers, at) : piece.find_first_of(numbers, at);
    at = end == piece.npos ? piece.size() : end;
    ends.push_back(origin + at);
  }
}

void split_bloom(std::string_view piece, std::size_t origin, std::vector<std::size_t>& ends) {
  isolate(piece, origin, ends, match_bloom);
}

}  // namespace premise
