#include "serve/filter/word_list.h"

#include "serve/endpoint/endpoint.h"

#include <utf8proc.h>

#include <algorithm>
#include <optional>

#include "base/printable.h"

namespace premise {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view blanks = " \t\r\v\f";
constexpr std::size_t chunk_bytes = 4096;  // what is folded at a time

std::string_view trimmed(std::string_view line) {
  const std::size_t first = line.find_first_not_of(blanks);
  if (first == line.npos) return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

/// Offset of the first byte that begins no UTF-8 character.
std::optional<std::size_t> find_bad_byte(std::string_view line) {
  for (std::size_t at = 0; at < line.size();) {
    utf8proc_int32_t code = 0;
    const auto used = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(line.data()) + at,
                                       static_cast<utf8proc_ssize_t>(line.size() - at), &code);
    if (used <= 0) return at;
    at += static_cast<std::size_t>(used);
  }
  return std::nullopt;
}

std::u32string fold_word(std::string_view word) {
  TextFolder folder;
  std::vector<FoldedItem> items;
  folder.feed(word, items);
  folder.finish(items);
  std::u32string codes;
  for (const FoldedItem& item : items) codes.push_back(item.code);
  const auto separates = [](char32_t code) { return (class_of(code) & code_separator) != 0; };
  const auto chinese = [](char32_t code) { return (class_of(code) & code_han) != 0; };
  const auto first = std::ranges::find_if_not(codes, separates);
  if (first != codes.end() && chinese(*first)) codes.erase(codes.begin(), first);
  const auto last = std::find_if_not(codes.rbegin(), codes.rend(), separates);
  if (last != codes.rend() && chinese(*last)) codes.erase(last.base(), codes.end());
  while (!codes.empty() && codes.front() == U' ') codes.erase(0, 1);
  while (!codes.empty() && codes.back() == U' ') codes.pop_back();
  return codes;
}

// Words lie one behind the other; views of them are made when the text no longer grows.
class WordCollector {
 public:
  Status add_file(const WordText& file) {
    std::string_view rest = file.text;
    if (rest.starts_with(byte_order_mark)) rest.remove_prefix(byte_order_mark.size());
    for (std::size_t line = 1; !rest.empty(); ++line) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      PREMISE_CHECK(add_line(rest.substr(0, end), file.name, line));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
  }

  std::vector<std::u32string_view> words() const {
    std::vector<std::u32string_view> made;
    made.reserve(ends_.size());
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
      made.push_back(std::u32string_view(codes_).substr(begin, end - begin));
      begin = end;
    }
    return made;
  }

 private:
  Status add_line(std::string_view line, const std::string& file, std::size_t number) {
    if (const auto bad = find_bad_byte(line))
      return error(ErrorCode::bad_input,
                   {"{}, line {}: byte {} is not UTF-8", "{} 第 {} 行：第 {} 个字节不是 UTF-8"},
                   printable(file), number, *bad + 1)
          .with_hint(text({"convert the file, for example with: iconv -f GB18030 -t UTF-8",
                           "请先转换该文件，例如：iconv -f GB18030 -t UTF-8"}));
    const std::string_view word = trimmed(line);
    if (word.empty() || word.front() == '#') return {};
    const std::u32string folded = fold_word(word);
    if (folded.empty())
      return error(ErrorCode::bad_input,
                   {"{}, line {}: nothing but characters that the filter ignores",
                    "{} 第 {} 行：只有过滤器会忽略的字符"},
                   printable(file), number);
    if (folded.size() > WordList::word_codes_max)
      return error(ErrorCode::bad_input,
                   {"{}, line {}: a word of {} characters; at most {} are possible",
                    "{} 第 {} 行：词长 {} 个字符，最多 {} 个"},
                   printable(file), number, folded.size(), WordList::word_codes_max);
    if (ends_.size() == WordList::words_max ||
        codes_.size() + folded.size() > WordList::all_codes_max)
      return error(ErrorCode::bad_input,
                   {"{}, line {}: more than {} words or {} characters in all lists together",
                    "{} 第 {} 行：所有词表合计超过 {} 个词或 {} 个字符"},
                   printable(file), number, WordList::words_max, WordList::all_codes_max);
    codes_ += folded;
    ends_.push_back(codes_.size());
    return {};
  }

  std::u32string codes_;
  std::vector<std::size_t> ends_;
};

/// Calls `visit` with the matches as they are told; ends early where it says false.
template <typename Visit>
void visit_matches(const WordAutomaton& words, std::string_view text, Visit visit) {
  if (words.words() == 0) return;
  MatchStream stream(words);
  while (!text.empty()) {
    const std::string_view chunk = text.substr(0, chunk_bytes);
    stream.feed(chunk);
    text.remove_prefix(chunk.size());
    if (!visit(stream.take_matches())) return;
  }
  stream.finish();
  visit(stream.take_matches());
}

}  // namespace

Result<WordList> WordList::parse(std::span<const WordText> files) {
  WordCollector collector;
  std::size_t bytes = 0;
  for (const WordText& file : files) {
    bytes += file.text.size();
    if (bytes > text_bytes_max)
      return error(ErrorCode::bad_input,
                   {"{}: word lists are over {} bytes together", "{}：词表合计超过 {} 字节"},
                   printable(file.name), text_bytes_max);
    PREMISE_CHECK(collector.add_file(file));
  }
  WordList list;
  list.automaton_ = WordAutomaton(collector.words());
  return list;
}

std::vector<ByteRange> WordList::matches(std::string_view text) const {
  std::vector<ByteRange> all;
  visit_matches(automaton_, text, [&all](const std::vector<ByteRange>& some) {
    all.insert(all.end(), some.begin(), some.end());
    return true;
  });
  return all;
}

bool WordList::matches_any(std::string_view text) const {
  bool any = false;
  visit_matches(automaton_, text, [&any](const std::vector<ByteRange>& some) {
    any = any || !some.empty();
    return !any;
  });
  return any;
}

std::string WordList::masked(std::string_view text) const {
  std::string out;
  std::size_t copied = 0;
  for (const ByteRange& match : matches(text)) {
    out += text.substr(copied, match.begin - copied);
    out += mask_of(text.substr(match.begin, match.end - match.begin));
    copied = match.end;
  }
  return out += text.substr(copied);
}

std::string mask_of(std::string_view text) {
  return std::string(std::max<std::size_t>(text_characters(text), 1), '*');
}

}  // namespace premise
