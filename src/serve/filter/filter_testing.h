// The word filter once more, for tests and the fuzzer: whole texts in passes one after the other
// and a search that tries every place, with nothing in common with the streaming one but the table
// of single code points. It says what text_folder.h and match_stream.h say, in another way.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/filter/code_class.h"
#include "serve/filter/match_stream.h"
#include "serve/filter/text_folder.h"
#include "serve/filter/word_list.h"

namespace premise {

struct PlainItem {
  char32_t code = 0;
  std::size_t begin = 0, end = 0;
  bool first_of_character = false;
  bool border = false;
  bool is(unsigned properties) const { return (class_of(code) & properties) != 0; }
};

/// One entry a character; bytes that are no UTF-8 are U+FFFD.
inline std::vector<PlainItem> plain_decode(std::string_view text) {
  std::vector<PlainItem> items;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const std::size_t left = text.size() - at;
    std::size_t bytes = byte(0) < 0x80 ? 1 : byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
    char32_t code = bytes == 1 ? byte(0) : byte(0) & (0x7Fu >> bytes);
    bool good = byte(0) < 0x80 || (byte(0) >= 0xC2 && byte(0) <= 0xF4 && bytes <= left);
    for (std::size_t i = 1; good && i < bytes; ++i) {
      good = (byte(i) & 0xC0) == 0x80;
      code = (code << 6) | (byte(i) & 0x3Fu);
    }
    const char32_t least = bytes == 4 ? 0x10000 : bytes == 3 ? 0x800 : bytes == 2 ? 0x80 : 0;
    good = good && code >= least && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    if (!good) code = 0xFFFD, bytes = 1;
    items.push_back({code, at, at + bytes});
    at += bytes;
  }
  return items;
}

inline std::vector<PlainItem> plain_fold_each(const std::vector<PlainItem>& characters) {
  std::vector<PlainItem> items;
  for (const PlainItem& character : characters) {
    const FoldedCodes folded = fold_code(character.code);
    for (std::size_t i = 0; i < folded.count; ++i)
      items.push_back({folded.codes[i], character.begin, character.end});
  }
  return items;
}

inline std::vector<PlainItem> plain_settle_marks(const std::vector<PlainItem>& items) {
  std::vector<PlainItem> out;
  for (std::size_t at = 0; at < items.size();) {
    std::size_t end = at + 1;
    while (end < items.size() && items[end].is(code_mark)) ++end;
    if (items[at].is(code_mark)) {  // nothing before it
      at = end;
      continue;
    }
    std::map<std::pair<int, std::size_t>, PlainItem> marks;  // in canonical order
    std::set<char32_t> seen;
    for (std::size_t i = at + 1; i < end; ++i)
      if (mark_counts(items[at].code, items[i].code) && seen.size() < TextFolder::marks_max &&
          seen.insert(items[i].code).second)
        marks[{combining_class(items[i].code), i}] = items[i];
    out.push_back(items[at]);
    for (const auto& [order, mark] : marks) out.push_back(mark);
    at = end;
  }
  return out;
}

/// Separators that Chinese passes over are taken out, white space is joined.
inline std::vector<PlainItem> plain_settle_separators(const std::vector<PlainItem>& items) {
  std::vector<PlainItem> out;
  for (std::size_t at = 0; at < items.size();) {
    std::size_t end = at;
    while (end < items.size() && items[end].is(code_separator)) ++end;
    if (end == at) {
      out.push_back(items[at++]);
      continue;
    }
    std::size_t letter = at;  // before the run, past its marks
    while (letter > 0 && items[letter - 1].is(code_mark)) --letter;
    const auto breaks = std::count_if(items.begin() + static_cast<std::ptrdiff_t>(at),
                                      items.begin() + static_cast<std::ptrdiff_t>(end),
                                      [](const PlainItem& item) { return item.code == '\n'; });
    const bool dropped = letter > 0 && end < items.size() && items[letter - 1].is(code_letter) &&
                         items[end].is(code_letter) &&
                         (items[letter - 1].is(code_han) || items[end].is(code_han)) &&
                         end - at <= TextFolder::separators_max && breaks <= 1;
    std::size_t white = 0;
    for (; at < end; ++at) {
      PlainItem item = items[at];
      white = item.is(code_white) ? white + 1 : 0;
      if (white > 0) item.code = ' ';
      // A place is kept for what is dropped until beginnings of characters are known.
      if (white == 0 || white % TextFolder::white_run_max == 1) {
        if (dropped) item.code = 0xFFFFFFFF;
        out.push_back(item);
      }
    }
  }
  return out;
}

inline std::vector<PlainItem> plain_fold(std::string_view text) {
  auto items = plain_settle_separators(plain_settle_marks(plain_fold_each(plain_decode(text))));
  std::set<std::size_t> begun;  // characters that have made an item other than a mark
  for (PlainItem& item : items)
    item.first_of_character = !item.is(code_mark) && begun.insert(item.begin).second;
  std::erase_if(items, [](const PlainItem& item) { return item.code == 0xFFFFFFFF; });
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::size_t before = i;  // the letter that the marks before belong to
    while (before > 0 && items[before - 1].is(code_mark)) --before;
    PlainItem& item = items[i];
    const bool word_goes_on =
        before > 0 && items[before - 1].is(code_bordered) && item.is(code_bordered);
    const bool syllable_goes_on =
        before > 0 && items[before - 1].is(code_jamo) && item.is(code_jamo_inner);
    item.border = item.first_of_character && !word_goes_on && !syllable_goes_on;
  }
  return items;
}

inline std::u32string plain_word(std::string_view word) {
  std::vector<PlainItem> items = plain_fold(word);
  std::u32string codes;
  for (const PlainItem& item : items) codes += item.code;
  const auto has = [&](std::size_t i, unsigned what) { return (class_of(codes[i]) & what) != 0; };
  std::size_t begin = 0, end = codes.size();
  while (begin < end && has(begin, code_separator)) ++begin;
  if (begin == end || !has(begin, code_han)) begin = 0;
  while (end > begin && has(end - 1, code_separator)) --end;
  if (end == begin || !has(end - 1, code_han)) end = codes.size();
  codes = codes.substr(begin, end - begin);
  while (!codes.empty() && codes.front() == ' ') codes.erase(0, 1);
  while (!codes.empty() && codes.back() == ' ') codes.pop_back();
  return codes;
}

/// `words` as plain_word() makes them.
inline std::vector<ByteRange> plain_matches(const std::set<std::u32string>& words,
                                            std::string_view text) {
  const std::vector<PlainItem> items = plain_fold(text);
  std::vector<ByteRange> found;
  for (std::size_t begin = 0; begin < items.size();) {
    std::u32string read;
    std::size_t longest = begin;
    if (items[begin].border)
      for (std::size_t end = begin; end < items.size();) {
        read += items[end++].code;
        if ((end == items.size() || items[end].border) && words.contains(read)) longest = end;
        if (read.size() > WordList::word_codes_max) break;
      }
    if (longest == begin) {
      ++begin;
      continue;
    }
    ByteRange range{items[begin].begin, 0};
    for (; begin < longest; ++begin) range.end = std::max(range.end, items[begin].end);
    found.push_back(range);
  }
  return found;
}

}  // namespace premise
