#include "serve/filter/code_class.h"

#include <utf8proc.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace premise {
namespace {

struct CodeRange {
  char32_t first, last;
};

template <std::size_t N>
bool lies_in(const CodeRange (&ranges)[N], char32_t code) {
  return std::ranges::any_of(
      ranges, [code](const CodeRange& range) { return range.first <= code && code <= range.last; });
}

// Chinese characters, after folding: radicals and compatibility forms have become these.
constexpr CodeRange han_ranges[] = {{0x2E80, 0x2FDF},  {0x3005, 0x3005}, {0x3007, 0x3007},
                                    {0x3400, 0x4DBF},  {0x4E00, 0x9FFF}, {0xF900, 0xFAFF},
                                    {0x20000, 0x3FFFF}};

// Scripts that do not write their words apart, or that write endings on to them as Korean does: a
// listed word is looked for anywhere. Thai to Myanmar, Hangul, Khmer, Tai, kana, bopomofo, Yi.
constexpr CodeRange borderless_ranges[] = {
    {0x0E00, 0x109F}, {0x1100, 0x11FF},   {0x1780, 0x17FF},  {0x1950, 0x19FF}, {0x1A20, 0x1AAF},
    {0x2E80, 0xA4CF}, {0xA960, 0xA97F},   {0xA9E0, 0xA9FF},  {0xAA60, 0xAADF}, {0xD7B0, 0xD7FF},
    {0xF900, 0xFAFF}, {0x1AFF0, 0x1B16F}, {0x20000, 0x3FFFF}};

// Scripts whose own marks are vowels, tones or points. Jamo lie between them, but take no marks.
constexpr CodeRange marked_scripts[] = {{0x0590, 0x1CFF}, {0xA800, 0xABFF}, {0x10A00, 0x11FFF}};
constexpr CodeRange jamo_ranges[] = {{0x1100, 0x11FF}, {0xA960, 0xA97F}, {0xD7B0, 0xD7FF}};
constexpr CodeRange inner_jamo_ranges[] = {{0x1160, 0x11FF}, {0xD7B0, 0xD7FF}};

// Marks that go with any script; only those that make a letter count.
constexpr CodeRange general_marks[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x1AB0, 0x1AFF},
                                       {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0x3099, 0x309A},
                                       {0xFE00, 0xFE2F}};

// Punctuation that is put between characters, but hardly ends a clause. Symbols, dashes, spaces and
// underscores are told by their category.
constexpr std::u32string_view separating_punctuation = U"*./\\#%&@'·•‧・†‡※";

bool is_line_break(char32_t code) {
  return (code >= 0x0A && code <= 0x0C) || code == 0x85 || code == 0x2028 || code == 0x2029;
}

std::uint16_t compute_class(char32_t code) {
  if (code == ' ' || code == '\n') return code_separator | code_white;
  if (separating_punctuation.find(code) != separating_punctuation.npos) return code_separator;
  if (lies_in(han_ranges, code)) return code_letter | code_han;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return code_mark;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
    case UTF8PROC_CATEGORY_CO:  // private use, and what is newer than the data: mostly symbols
    case UTF8PROC_CATEGORY_CN:
      return code_separator;
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      break;
    default:
      return 0;
  }
  unsigned found = code_letter;
  if (!lies_in(borderless_ranges, code)) found |= code_bordered;
  if (lies_in(jamo_ranges, code)) found |= code_jamo;
  if (lies_in(inner_jamo_ranges, code)) found |= code_jamo_inner;
  return static_cast<std::uint16_t>(found);
}

bool is_ignored(char32_t code) {
  if (is_line_break(code) || code == '\t' || code == '\r' || code == 0x2800) return false;
  if (code >= 0xFFF9 && code <= 0xFFFB) return true;  // annotation marks
  const utf8proc_property_t* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(code));
  return property->ignorable || property->category == UTF8PROC_CATEGORY_CC;
}

FoldedCodes compute_fold(char32_t code) {
  FoldedCodes folded;
  if (is_ignored(code)) return folded;
  constexpr auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                                          UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
  std::array<utf8proc_int32_t, 32> codes;
  int last_boundary_class = 0;
  auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), codes.data(),
                                       static_cast<utf8proc_ssize_t>(codes.size()), options,
                                       &last_boundary_class);
  if (count < 0 || count > static_cast<utf8proc_ssize_t>(codes.size())) {  // not in Unicode's data
    codes[0] = static_cast<utf8proc_int32_t>(code);
    count = 1;
  }
  auto begin = codes.begin();
  auto end = begin + count;
  if (count >= 3 && *begin == '(' && *(end - 1) == ')') ++begin, --end;
  for (; begin != end; ++begin) {
    char32_t made = static_cast<char32_t>(*begin);
    if (is_line_break(made))
      made = '\n';
    else if (made == '\t' || made == '\r' || made == 0x2800 ||
             utf8proc_category(*begin) == UTF8PROC_CATEGORY_ZS)
      made = ' ';
    folded.codes[folded.count++] = made;
  }
  return folded;
}

// Classes of the basic plane, where nearly all text lies, and whether a code point folds to itself.
struct BasicPlane {
  static constexpr char32_t size = 0x10000;
  static constexpr std::uint16_t unchanged = 1u << 15;
  std::vector<std::uint16_t> entries = std::vector<std::uint16_t>(size);

  BasicPlane() {
    for (char32_t code = 0; code < size; ++code) {
      entries[code] = compute_class(code);
      const FoldedCodes folded = compute_fold(code);
      if (folded.count == 1 && folded.codes[0] == code) entries[code] |= unchanged;
    }
  }
};
const BasicPlane& basic_plane() {
  static const BasicPlane plane;
  return plane;
}

// Every (letter, mark) of which Unicode knows a composed letter, sorted.
std::vector<std::uint64_t> compute_composed_pairs() {
  std::vector<std::uint64_t> pairs;
  for (char32_t code = 0xC0; code < 0xFB50; ++code) {
    std::array<utf8proc_int32_t, 32> canonical;
    int boundary = 0;
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code),
                                               canonical.data(), 32, UTF8PROC_DECOMPOSE, &boundary);
    if (count < 2 || (code >= 0xAC00 && code < 0xD7B0)) continue;
    const FoldedCodes folded = compute_fold(code);
    for (std::size_t i = 1; i < folded.count; ++i)
      pairs.push_back((std::uint64_t{folded.codes[0]} << 32) | folded.codes[i]);
  }
  std::ranges::sort(pairs);
  pairs.erase(std::ranges::unique(pairs).begin(), pairs.end());
  return pairs;
}

}  // namespace

std::uint16_t class_of(char32_t code) {
  if (code >= BasicPlane::size) return compute_class(code);
  return basic_plane().entries[code] & static_cast<std::uint16_t>(~BasicPlane::unchanged);
}

int combining_class(char32_t code) {
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(code))->combining_class;
}

bool mark_counts(char32_t letter, char32_t mark) {
  static const std::vector<std::uint64_t> pairs = compute_composed_pairs();
  if ((class_of(letter) & code_letter) == 0) return false;
  if (std::ranges::binary_search(pairs, (std::uint64_t{letter} << 32) | mark)) return true;
  return lies_in(marked_scripts, letter) && !lies_in(general_marks, mark) &&
         (class_of(letter) & code_jamo) == 0;
}

FoldedCodes fold_code(char32_t code) {
  if (code >= BasicPlane::size || (basic_plane().entries[code] & BasicPlane::unchanged) == 0)
    return compute_fold(code);
  FoldedCodes same;
  same.codes[0] = code;
  same.count = 1;
  return same;
}

}  // namespace premise
