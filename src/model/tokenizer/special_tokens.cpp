// The sorted array of tokens serves as the trie: the tokens that share a prefix are neighbours, and
// each further byte narrows the range by binary search. Most positions are dismissed by one look at
// the byte, since few bytes begin a special token. An Aho–Corasick automaton would not save the
// second look either: after a match it starts again behind it.
#include "model/tokenizer/special_tokens.h"

#include <algorithm>

#include "model/tokenizer/char_scan.h"

namespace premise {
namespace {

bool is_word_character(const Char& c) {
  return c.is(class_letter | class_mark | class_number) || c.code == '_';
}

// The character that ends at `end`.
Char character_before(std::string_view text, std::size_t end) {
  for (std::size_t back = 1; back <= 4 && back <= end; ++back) {
    const Char c = peek(text, end - back);
    if (c.valid && c.bytes == back) return c;
  }
  return {};
}

}  // namespace

SpecialTokens::SpecialTokens(std::vector<SpecialToken> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_, [](const SpecialToken& token) { return token.text.empty(); });
  std::sort(tokens_.begin(), tokens_.end(), [](const SpecialToken& a, const SpecialToken& b) {
    return a.text != b.text ? a.text < b.text : a.id < b.id;
  });
  std::size_t next = 0;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    first_[byte] = next;
    while (next < tokens_.size() && static_cast<unsigned char>(tokens_[next].text[0]) == byte) {
      ++next;
    }
  }
  first_[256] = next;
}

const SpecialToken* SpecialTokens::longest_at(std::string_view text, std::size_t at,
                                              bool control) const {
  const auto first_byte = static_cast<unsigned char>(text[at]);
  auto low = tokens_.begin() + static_cast<std::ptrdiff_t>(first_[first_byte]);
  auto high = tokens_.begin() + static_cast<std::ptrdiff_t>(first_[first_byte + 1u]);
  const SpecialToken* longest = nullptr;
  for (std::size_t depth = 1; low != high; ++depth) {
    // Those that end here come first in the range.
    for (; low != high && low->text.size() == depth; ++low) {
      if ((!longest || longest->text.size() < depth) && (control || !low->control)) longest = &*low;
    }
    if (at + depth >= text.size()) break;
    const auto byte = static_cast<unsigned char>(text[at + depth]);
    low = std::partition_point(low, high, [&](const SpecialToken& token) {
      return static_cast<unsigned char>(token.text[depth]) < byte;
    });
    high = std::partition_point(low, high, [&](const SpecialToken& token) {
      return static_cast<unsigned char>(token.text[depth]) <= byte;
    });
  }
  return longest;
}

std::optional<SpecialMatch> SpecialTokens::find(std::string_view text, std::size_t from,
                                                bool control) const {
  if (tokens_.empty()) return std::nullopt;
  for (std::size_t at = from; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (first_[byte] == first_[byte + 1u]) continue;
    const SpecialToken* token = longest_at(text, at, control);
    if (!token) continue;
    SpecialMatch match{at, at + token->text.size(), token->id};
    if (token->single_word && (is_word_character(character_before(text, match.begin)) ||
                               is_word_character(peek(text, match.end)))) {
      at = match.end - 1;
      continue;
    }
    if (token->takes_left) {
      for (Char c = character_before(text.substr(from), match.begin - from); c.is(class_space);
           c = character_before(text.substr(from), match.begin - from)) {
        match.begin -= c.bytes;
      }
    }
    if (token->takes_right) match.end = run_of(text, match.end, class_space);
    return match;
  }
  return std::nullopt;
}

}  // namespace premise
