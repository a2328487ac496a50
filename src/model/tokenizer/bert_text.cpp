// The steps are those of Hugging Face's BertNormalizer and BertPreTokenizer, which follow the
// tokenization.py of the BERT repository (Devlin et al., 2018). Which characters are marks,
// controls and capitals comes from tables read out of that library (make_bert_tables.py): it mixes
// several versions of Unicode, and token ids must not depend on the version that a distribution
// ships. utf8proc decomposes, but only the characters that the reference decomposes.
#include "model/tokenizer/bert_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <compare>
#include <span>

#include "model/tokenizer/unicode_classes.h"

namespace premise {
namespace {

struct CodeRange {
  char32_t first, last;
};

// first + k·step becomes to + k·step, up to last.
struct LowercaseRun {
  char32_t first, last;
  int step;
  char32_t to;
};

#include "model/tokenizer/bert_text_data.inc"

// The Unicode blocks that BERT calls Chinese characters, its gaps included.
constexpr CodeRange chinese_codes[] = {{0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xf900, 0xfaff},
                                       {0x20000, 0x2a6df}, {0x2a700, 0x2b81f}, {0x2b920, 0x2ceaf},
                                       {0x2f800, 0x2fa1f}};

// The range of a sorted table that holds `code`, or null.
template <typename Range>
const Range* range_of(std::span<const Range> table, char32_t code) {
  const auto next = std::upper_bound(table.begin(), table.end(), code,
                                     [](char32_t c, const Range& r) { return c < r.first; });
  if (next == table.begin()) return nullptr;
  const Range& range = *(next - 1);
  return code <= range.last ? &range : nullptr;
}

template <typename Range, std::size_t count>
bool holds(const Range (&table)[count], char32_t code) {
  return range_of(std::span<const Range>(table), code) != nullptr;
}

std::u32string read_codes(std::string_view text, const BertTextOptions& options) {
  std::u32string codes;
  codes.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Char c = decode_char(text, at);
    at += c.bytes;
    char32_t code = c.code;
    if (options.clean_text) {
      if (code == 0 || code == 0xfffd || holds(removed_codes, code)) continue;
      if (c.is(class_space)) code = U' ';
    }
    if (options.split_chinese && holds(chinese_codes, code)) {
      codes.append({U' ', code, U' '});
    } else {
      codes += code;
    }
  }
  return codes;
}

int combining_class(char32_t code) {
  const auto* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(code));
  const bool known = holds(nonspacing_marks, code) || property->category == UTF8PROC_CATEGORY_MC;
  return known ? property->combining_class : 0;
}

void append_decomposed(char32_t code, std::u32string& out) {
  utf8proc_int32_t parts[16];
  int boundary = 0;
  const auto count = holds(decomposable_codes, code)
                         ? utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), parts, 16,
                                                   UTF8PROC_DECOMPOSE, &boundary)
                         : 0;
  if (count <= 0 || count > 16) {
    out += code;
    return;
  }
  for (utf8proc_ssize_t i = 0; i < count; ++i) out += static_cast<char32_t>(parts[i]);
}

// Canonical order: each run of marks by combining class, equal ones as they stood. utf8proc's own
// ordering would be quadratic in a text that is one long run.
void order_marks(std::u32string& codes) {
  struct Mark {
    int combining_class;
    std::size_t place;
    char32_t code;
    auto operator<=>(const Mark&) const = default;
  };
  std::vector<Mark> run;
  for (std::size_t at = 0; at <= codes.size(); ++at) {
    const bool inside = at < codes.size() && codes[at] >= 0x300;
    const int here = inside ? combining_class(codes[at]) : 0;
    if (here != 0) {
      run.push_back({here, at, codes[at]});
      continue;
    }
    std::sort(run.begin(), run.end());
    for (std::size_t i = 0; i < run.size(); ++i) codes[at - run.size() + i] = run[i].code;
    run.clear();
  }
}

// Canonical decomposition without non-spacing marks.
std::u32string without_accents(const std::u32string& codes) {
  std::u32string out;
  out.reserve(codes.size());
  for (const char32_t code : codes) {
    if (code < 0x80) {
      out += code;
    } else {
      append_decomposed(code, out);
    }
  }
  order_marks(out);
  std::erase_if(out, [](char32_t code) { return code >= 0x300 && holds(nonspacing_marks, code); });
  return out;
}

std::u32string in_lower_case(const std::u32string& codes) {
  std::u32string out;
  out.reserve(codes.size());
  for (const char32_t code : codes) {
    if (code == 0x130) {  // the one capital whose lower case is two characters
      out += U"i\u0307";
      continue;
    }
    const LowercaseRun* run = range_of(std::span<const LowercaseRun>(lowercase_runs), code);
    const bool capital = run != nullptr && (code - run->first) % run->step == 0;
    out += capital ? run->to + (code - run->first) : code;
  }
  return out;
}

}  // namespace

std::vector<std::u32string> bert_words(std::string_view text, const BertTextOptions& options) {
  std::u32string codes = read_codes(text, options);
  if (options.strip_accents) codes = without_accents(codes);
  if (options.lowercase) codes = in_lower_case(codes);

  const UnicodeClasses& classes = UnicodeClasses::instance();
  std::vector<std::u32string> words;
  bool inside_word = false;
  for (const char32_t code : codes) {
    const CharClass flags = classes.of(code);
    const bool mark = (flags & class_punctuation_step) != 0;
    if ((flags & class_space) != 0) {
      inside_word = false;
      continue;
    }
    if (mark || !inside_word) words.emplace_back();
    words.back() += code;
    inside_word = !mark;
  }
  return words;
}

}  // namespace premise
