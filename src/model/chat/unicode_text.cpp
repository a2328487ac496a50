#include "model/chat/unicode_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

namespace premise {
namespace {

struct SpecialCasing {
  char32_t code;
  std::string_view upper, title;
};

constexpr SpecialCasing special_casings[] = {
#include "model/chat/special_casing_data.inc"
};

const SpecialCasing* special_casing(char32_t code) {
  const auto* at =
      std::lower_bound(std::begin(special_casings), std::end(special_casings), code,
                       [](const SpecialCasing& row, char32_t c) { return row.code < c; });
  return at != std::end(special_casings) && at->code == code ? at : nullptr;
}

void append_code(char32_t code, std::string& out) {
  utf8proc_uint8_t bytes[4];
  const auto count = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
}

enum class Case { upper, lower, title };

// The character [at, at + bytes) in another case; bytes that are no character stay.
void append_mapped(std::string_view text, std::size_t at, std::size_t bytes, Case to,
                   std::string& out) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) {
    const bool lower = to == Case::lower;
    const bool changes = lower ? lead >= 'A' && lead <= 'Z' : lead >= 'a' && lead <= 'z';
    out += static_cast<char>(changes ? lead ^ 0x20 : lead);
    return;
  }
  const char32_t code = character_at(text, at);
  if (bytes == 1) {
    out += text[at];
    return;
  }
  const auto plain = static_cast<utf8proc_int32_t>(code);
  if (to == Case::lower) {
    if (code == 0x130) {
      out += "i\xCC\x87";
    } else {
      append_code(static_cast<char32_t>(utf8proc_tolower(plain)), out);
    }
    return;
  }
  if (const auto* special = special_casing(code)) {
    out += to == Case::upper ? special->upper : special->title;
    return;
  }
  append_code(
      static_cast<char32_t>(to == Case::upper ? utf8proc_toupper(plain) : utf8proc_totitle(plain)),
      out);
}

bool is_cased(char32_t code) {
  if (is_upper(code) || is_lower(code)) return true;
  return utf8proc_category(static_cast<utf8proc_int32_t>(code)) == UTF8PROC_CATEGORY_LT;
}

bool is_case_ignorable(char32_t code) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return code == '\'' || code == '.' || code == ':' || code == 0xB7 || code == 0x2018 ||
             code == 0x2019 || code == 0x2024 || code == 0x2027;
  }
}

// Σ at the end of a word is ς: letters before it, none behind (Unicode 3.13, Final_Sigma).
bool is_final_sigma(std::string_view text, std::size_t at) {
  bool before = false;
  for (std::size_t i = at; i > 0;) {
    do --i;
    while (i > 0 && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80);
    const char32_t code = character_at(text, i);
    if (is_case_ignorable(code)) continue;
    before = is_cased(code);
    break;
  }
  if (!before) return false;
  for (std::size_t i = at + 2; i < text.size(); i += character_bytes(text, i)) {
    const char32_t code = character_at(text, i);
    if (!is_case_ignorable(code)) return !is_cased(code);
  }
  return true;
}

template <typename CaseOf>
MarkedString mapped(const MarkedString& text, CaseOf case_of) {
  const std::string_view bytes = text.bytes();
  MarkedString out;
  out.reserve(bytes.size());
  std::size_t begin = 0;
  std::string piece;
  text.visit_runs(0, bytes.size(), [&](std::string_view run, bool trusted) {
    piece.clear();
    const std::size_t end = begin + run.size();
    // A mark may change inside a character only where somebody cut bytes that are not UTF-8.
    for (std::size_t at = begin; at < end;) {
      const std::size_t length = std::min(character_bytes(bytes, at), end - at);
      const Case to = case_of(bytes, at);
      if (to == Case::lower && bytes.substr(at, 2) == "\xCE\xA3") {
        piece += is_final_sigma(bytes, at) ? "\xCF\x82" : "\xCF\x83";
      } else {
        append_mapped(bytes, at, length, to, piece);
      }
      at += length;
    }
    begin = end;
    out.append(piece, trusted);
  });
  return out;
}

}  // namespace

std::size_t character_bytes(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return 1;
  utf8proc_int32_t code = 0;
  const auto left = static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size() - at, 4));
  const auto count =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at, left, &code);
  return count > 0 ? static_cast<std::size_t>(count) : 1;
}

char32_t character_at(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return lead;
  utf8proc_int32_t code = 0;
  const auto left = static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size() - at, 4));
  const auto count =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at, left, &code);
  return count > 0 ? static_cast<char32_t>(code) : U'\uFFFD';
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += character_bytes(text, at)) ++count;
  return count;
}

std::size_t offset_of_character(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += character_bytes(text, at);
  return at;
}

bool is_space(char32_t code) {
  if (code < 0x80) return (code >= 9 && code <= 13) || (code >= 0x1C && code <= 0x20);
  return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
         code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_printable(char32_t code) {
  if (code < 0x7F) return code >= 0x20;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return false;
    default:
      return true;
  }
}

bool is_upper(char32_t code) {
  if (code < 0x80) return code >= 'A' && code <= 'Z';
  return utf8proc_category(static_cast<utf8proc_int32_t>(code)) == UTF8PROC_CATEGORY_LU;
}

bool is_lower(char32_t code) {
  if (code < 0x80) return code >= 'a' && code <= 'z';
  return utf8proc_category(static_cast<utf8proc_int32_t>(code)) == UTF8PROC_CATEGORY_LL ||
         code == 0xAA || code == 0xBA;
}

bool is_alphabetic(char32_t code) {
  if (code < 0x80) return is_upper(code) || is_lower(code);
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool is_decimal(char32_t code) {
  if (code < 0x80) return code >= '0' && code <= '9';
  return utf8proc_category(static_cast<utf8proc_int32_t>(code)) == UTF8PROC_CATEGORY_ND;
}

TextRange strip_spaces(std::string_view text, bool left, bool right) {
  TextRange span{0, text.size()};
  while (left && span.begin < span.end && is_space(character_at(text, span.begin)))
    span.begin += character_bytes(text, span.begin);
  while (right && span.end > span.begin) {
    std::size_t at = span.end - 1;
    while (at > span.begin && span.end - at < 4 &&
           (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80)
      --at;
    if (!is_space(character_at(text.substr(0, span.end), at))) break;
    span.end = at;
  }
  return span;
}

MarkedString upper_case(const MarkedString& text) {
  return mapped(text, [](std::string_view, std::size_t) { return Case::upper; });
}

MarkedString lower_case(const MarkedString& text) {
  return mapped(text, [](std::string_view, std::size_t) { return Case::lower; });
}

MarkedString capitalized(const MarkedString& text) {
  return mapped(
      text, [](std::string_view, std::size_t at) { return at == 0 ? Case::title : Case::lower; });
}

MarkedString title_case(const MarkedString& text) {
  bool after_letter = false;
  return mapped(text, [&after_letter](std::string_view bytes, std::size_t at) {
    const Case to = after_letter ? Case::lower : Case::title;
    after_letter = is_cased(character_at(bytes, at));
    return to;
  });
}

}  // namespace premise
