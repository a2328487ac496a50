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

bool is_guarded(const SpecialToken& token) { return token.control || token.trusted_only; }

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

// The longest token at this place of which allowed(token) is true.
template <typename Allowed>
const SpecialToken* SpecialTokens::longest_at(std::string_view text, std::size_t at,
                                              Allowed allowed) const {
  const auto first_byte = static_cast<unsigned char>(text[at]);
  auto low = tokens_.begin() + static_cast<std::ptrdiff_t>(first_[first_byte]);
  auto high = tokens_.begin() + static_cast<std::ptrdiff_t>(first_[first_byte + 1u]);
  const SpecialToken* longest = nullptr;
  for (std::size_t depth = 1; low != high; ++depth) {
    // Those that end here come first in the range.
    for (; low != high && low->text.size() == depth; ++low) {
      if ((!longest || longest->text.size() < depth) && allowed(*low)) longest = &*low;
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

// The first match of the tokens that token_at(place) names.
template <typename At>
std::optional<SpecialMatch> SpecialTokens::find_first(std::string_view text, std::size_t from,
                                                      At token_at) const {
  if (tokens_.empty()) return std::nullopt;
  for (std::size_t at = from; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (first_[byte] == first_[byte + 1u]) continue;
    const SpecialToken* token = token_at(at);
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

std::optional<SpecialMatch> SpecialTokens::find(std::string_view text, std::size_t from,
                                                bool control) const {
  return find_first(text, from, [&](std::size_t at) {
    return longest_at(text, at,
                      [=](const SpecialToken& token) { return control || !token.control; });
  });
}

std::optional<SpecialMatch> SpecialTokens::find(std::string_view text, std::size_t from,
                                                const TrustedRuns& runs) const {
  const auto guarded_at = [&](std::size_t at) {
    const std::size_t trusted = runs.trusted_until(at) - at;
    return longest_at(text, at, [=](const SpecialToken& token) {
      return is_guarded(token) && token.text.size() <= trusted;
    });
  };
  return find_first(text, from, [&](std::size_t at) {
    const std::size_t trusted = runs.trusted_until(at) - at;
    for (std::size_t limit = text.size() - at;;) {
      const SpecialToken* token = longest_at(text, at, [=](const SpecialToken& candidate) {
        return candidate.text.size() <= (is_guarded(candidate) ? trusted : limit);
      });
      if (!token || is_guarded(*token) || !runs.is_mixed(at, at + token->text.size())) return token;
      // Over a border: shorter, where it would take a piece of a guarded token.
      std::size_t length = 1;
      while (length < token->text.size() && !guarded_at(at + length)) ++length;
      if (length == token->text.size()) return token;
      limit = length;
    }
  });
}

}  // namespace premise
