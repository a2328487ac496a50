// Any bytes as a list of words and a text: the list is refused with a word in both languages, or
// what the stream finds, however it is cut, is what a plain search over the whole text finds.
// Input: the list, a byte 0, a byte that says how to cut, the text.
// Seeds: fuzz/corpus/filter_words. Run: filter_words_fuzz fuzz/corpus/filter_words
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "serve/filter/filter_testing.h"
#include "serve/filter/stream_filter.h"

namespace {

using premise::FilterAction;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string streamed(premise::StreamFilter& filter, std::string_view text, std::size_t piece) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    out += filter.feed(text.substr(0, piece));
  out += filter.finish();
  require(filter.held_bytes() == 0);
  return out;
}

/// The words as the reader of files takes them from lines.
std::set<std::u32string> plain_words(std::string_view lines) {
  std::set<std::u32string> words;
  if (lines.starts_with("\xEF\xBB\xBF")) lines.remove_prefix(3);
  while (!lines.empty()) {
    std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const std::size_t first = line.find_first_not_of(" \t\r\v\f");
    if (first == line.npos || line[first] == '#') continue;
    const std::size_t last = line.find_last_not_of(" \t\r\v\f");
    words.insert(premise::plain_word(line.substr(first, last - first + 1)));
  }
  return words;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = bytes.find('\0');
  if (end == bytes.npos || end + 1 >= size || size > 4096) return 0;
  const std::string_view lines = bytes.substr(0, end);
  const std::size_t piece = 1 + data[end + 1] % 16;
  const std::string_view text = bytes.substr(end + 2);

  const premise::WordText file{"list", std::string(lines)};
  auto parsed = premise::WordList::parse({&file, 1});
  if (!parsed.ok()) {
    require(!parsed.error().what.en.empty() && !parsed.error().what.zh.empty());
    return 0;
  }
  const auto list = std::make_shared<premise::WordList>(std::move(*parsed));
  const auto words = plain_words(lines);
  require(list->size() == words.size());

  const auto expected = premise::plain_matches(words, text);
  require(list->matches(text) == expected);
  require(list->matches_any(text) == !expected.empty());
  const std::string masked = list->masked(text);

  for (const std::size_t cut : {piece, std::size_t{1}}) {
    premise::StreamFilter mask(list, FilterAction::mask);
    require(streamed(mask, text, cut) == masked);
    require(mask.matches() == expected.size());
    premise::StreamFilter reject(list, FilterAction::reject);
    const std::string begun = streamed(reject, text, cut);
    require(text.starts_with(begun));
    require(reject.stopped() == !expected.empty());
    require(begun.size() <= (expected.empty() ? text.size() : expected.front().begin));
    premise::StreamFilter log(list, FilterAction::log);
    require(streamed(log, text, cut) == text);
    require(log.matches() == expected.size());
  }
  return 0;
}
