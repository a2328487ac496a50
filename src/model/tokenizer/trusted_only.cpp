#include "model/tokenizer/trusted_only.h"

#include <algorithm>
#include <iterator>

#include "model/tokenizer/char_scan.h"
#include "model/tokenizer/special_characters.h"

namespace premise {
namespace {

// Elements that mark text up; sorted. Those that could as well be the name of a channel or a tool
// (output, search, source, data, summary, …) are left out on purpose.
constexpr std::string_view markup_elements[] = {
    "a",      "b",      "big",    "blockquote", "body",   "br",  "caption", "center",
    "cite",   "code",   "col",    "dd",         "del",    "div", "dl",      "dt",
    "em",     "footer", "h1",     "h2",         "h3",     "h4",  "h5",      "h6",
    "header", "hr",     "html",   "i",          "iframe", "img", "ins",     "kbd",
    "li",     "nav",    "ol",     "p",          "pre",    "q",   "s",       "samp",
    "small",  "span",   "strike", "strong",     "sub",    "sup", "table",   "tbody",
    "td",     "tfoot",  "th",     "thead",      "tr",     "tt",  "u",       "ul",
};

bool is_markup_tag(std::string_view piece) {
  if (piece.size() < 3 || !piece.starts_with('<') || !piece.ends_with('>')) return false;
  piece.remove_prefix(piece[1] == '/' ? 2 : 1);
  piece.remove_suffix(1);
  return std::binary_search(std::begin(markup_elements), std::end(markup_elements), piece);
}

}  // namespace

bool is_open_to_data(std::string_view piece) {
  constexpr CharClass word = class_letter | class_number;
  constexpr CharClass sign = class_punctuation | class_symbol;
  bool begins_with_word = false, ends_with_word = false, has_word = false, has_sign = false;
  for (std::size_t at = 0; at < piece.size();) {
    const Char c = peek(piece, at);
    const bool space = c.is(class_space) || piece.substr(at, c.bytes) == space_symbol;
    at += c.bytes;
    if (space || c.is(class_mark)) continue;
    if (!c.valid || !c.is(word | sign)) return false;  // control characters, private use
    if (!has_word && !has_sign) begins_with_word = c.is(word);
    ends_with_word = c.is(word);
    has_word = has_word || c.is(word);
    has_sign = has_sign || c.is(sign);
  }
  if (!has_word || !has_sign) return true;
  return (begins_with_word && ends_with_word) || is_markup_tag(piece);
}

void mark_trusted_only(Vocabulary& vocabulary) {
  vocabulary.trusted_only.assign(vocabulary.pieces.size(), false);
  for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id) {
    const TokenKind kind = vocabulary.kinds[id];
    vocabulary.trusted_only[id] =
        kind == TokenKind::control ||
        (kind == TokenKind::user_defined && !is_open_to_data(vocabulary.pieces[id]));
  }
  for (const auto& id : {vocabulary.bos, vocabulary.eos, vocabulary.separator, vocabulary.padding,
                         vocabulary.cls, vocabulary.mask}) {
    if (!id || static_cast<std::size_t>(*id) >= vocabulary.kinds.size()) continue;
    const auto at = static_cast<std::size_t>(*id);
    if (vocabulary.kinds[at] == TokenKind::user_defined) vocabulary.trusted_only[at] = true;
  }
}

}  // namespace premise
