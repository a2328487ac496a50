// SentencePiece BPE. Source: Kudo and Richardson, "SentencePiece" (EMNLP 2018), and the behaviour
// of its library, which is the reference for the goldens of this file's test.
//
// The text starts as characters. Again and again the neighbours whose concatenation is the piece
// with the best score become one symbol (of equal scores the leftmost), until no neighbours form a
// piece. A priority queue over all neighbours does that in O(n log n) for any text.
//
// Real text is faster in short stretches. Cutting at spaces is what "words" suggest, but it is
// right only where no piece can reach across the cut, and vocabularies do hold pieces like ">▁</"
// (Gemma 3) or runs of "▁" (Llama 2). A merge across the place between byte x and "▁" makes a piece
// that contains x followed by "▁"; so the bytes that occur before an inner "▁" in any piece are
// collected, and the text is cut in front of every "▁" that follows another byte. Stretches then
// never influence each other, the result is provably the same, and a word that returns within one
// text takes the tokens it got the first time.
//
// User-defined pieces are found first, the longest at each place, and never merged. Tokenizer
// splits most of them off before; those of spaces must be found here, where a space and "▁" are the
// same.
//
// Unused pieces take part in merges but are taken apart again at the end, the way they were last
// seen to arise in the *whole* text. Vocabularies that have them (few) are not cut.
#include "model/tokenizer/sentencepiece.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "model/tokenizer/piece_index.h"
#include "model/tokenizer/piece_trie.h"
#include "model/tokenizer/unicode_classes.h"
#include "model/tokenizer/unknown_text.h"

namespace premise {
namespace {

constexpr std::string_view space_symbol = "\xe2\x96\x81";  // "▁", U+2581
constexpr TokenId absent = -1;

// Offsets inside a stretch are 32 bits wide; a longer one (never seen) is cut there.
constexpr std::size_t longest_stretch_bytes = std::size_t{1} << 30;
// Up to this many symbols a scan for the best pair beats a queue.
constexpr std::size_t scanned_symbols_max = 24;
// Texts this long remember the words they have met.
constexpr std::size_t cached_text_bytes_min = 1024;

struct Symbol {
  std::uint32_t begin = 0;
  std::uint32_t bytes = 0;  // 0: merged into its left neighbour
  TokenId id = absent;      // absent for a character that was not merged (yet)
  bool frozen = false;      // a user-defined piece: never merged
  std::int32_t previous = -1;
  std::int32_t next = -1;
};

struct Pair {
  float score;
  std::int32_t left;
  std::int32_t right;
  std::uint32_t bytes;  // of both when they were paired: tells a pair that is out of date
  TokenId id;

  // Order of a max-heap: best score first, then leftmost.
  bool operator<(const Pair& other) const {
    return score < other.score || (score == other.score && left > other.left);
  }
};

std::string spaces_replaced(std::string_view text, std::string_view prefix = {}) {
  std::string replaced(prefix);
  replaced.reserve(prefix.size() + text.size() + text.size() / 2);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t space = std::min(text.find(' ', at), text.size());
    replaced.append(text.substr(at, space - at));
    if (space < text.size()) replaced += space_symbol;
    at = space + 1;
  }
  return replaced;
}

// Tokens of words met earlier in the same text; a word that hashes to a taken place replaces it.
class WordCache {
 public:
  struct Entry {
    std::string_view word;
    std::size_t begin = 0;  // of its tokens in the output
    std::size_t count = 0;
  };

  explicit WordCache(bool enabled) : entries_(enabled ? 4096 : 0) {}

  Entry* entry_of(std::string_view word) {
    if (entries_.empty() || word.size() > 64) return nullptr;
    return &entries_[hash_bytes(word) % entries_.size()];
  }

 private:
  std::vector<Entry> entries_;
};

TokenKind kind_of(const Vocabulary& vocabulary, std::size_t id) {
  return id < vocabulary.kinds.size() ? vocabulary.kinds[id] : TokenKind::normal;
}

std::vector<bool> not_mergeable(const Vocabulary& vocabulary) {
  std::vector<bool> result(vocabulary.pieces.size());
  for (std::size_t id = 0; id < result.size(); ++id) {
    const TokenKind kind = kind_of(vocabulary, id);
    result[id] =
        vocabulary.pieces[id].empty() || (kind != TokenKind::normal && kind != TokenKind::unused);
  }
  return result;
}

class SentencePiece final : public TokenModel {
 public:
  SentencePiece(const Vocabulary& vocabulary, SpacePrefix space_prefix)
      : vocabulary_(vocabulary),
        space_prefix_(space_prefix),
        pieces_(vocabulary.pieces, not_mergeable(vocabulary)),
        unknown_text_(vocabulary) {
    std::vector<std::pair<std::string, TokenId>> user_defined;
    for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id) add_piece(id, user_defined);
    user_defined_ = PieceTrie(std::move(user_defined));
  }

  void encode(std::string_view text, bool first, std::vector<TokenId>& out) const override;

 private:
  // What one call of encode() works with.
  struct Work {
    std::string_view text;  // of the stretch
    std::size_t out_begin;  // of this fragment's tokens in `out`
    std::vector<TokenId>& out;
    std::vector<Symbol> symbols{};
    std::vector<Pair> pairs{};
    std::unordered_map<TokenId, std::uint32_t> unused_parts{};  // id → bytes of its left part
  };

  void add_piece(std::size_t id, std::vector<std::pair<std::string, TokenId>>& user_defined);
  float score_of(TokenId id) const;
  bool is_unused(TokenId id) const {
    return has_unused_ && kind_of(vocabulary_, static_cast<std::size_t>(id)) == TokenKind::unused;
  }
  std::string with_space_symbols(std::string_view text, bool first) const;
  std::size_t stretch_end(std::string_view text, std::size_t begin) const;
  void encode_stretch(Work& work) const;
  void split_characters(Work& work) const;
  void merge_by_scan(Work& work) const;
  void merge_by_queue(Work& work) const;
  Pair pair_of(Work& work, std::int32_t left, std::int32_t right) const;
  void push_pair(Work& work, std::int32_t left, std::int32_t right) const;
  void emit(std::string_view piece, TokenId id, Work& work) const;

  const Vocabulary& vocabulary_;
  SpacePrefix space_prefix_;
  PieceIndex pieces_;  // those that merges can make
  PieceTrie user_defined_;
  UnknownText unknown_text_;
  std::bitset<256> bytes_before_inner_space_;
  std::size_t longest_piece_bytes_ = 0;
  bool has_unused_ = false;
};

void SentencePiece::add_piece(std::size_t id,
                              std::vector<std::pair<std::string, TokenId>>& user_defined) {
  std::string piece = vocabulary_.pieces[id];
  const TokenKind kind = kind_of(vocabulary_, id);
  if (vocabulary_.is_trusted_only(id)) return;  // Tokenizer alone finds those
  if (kind == TokenKind::user_defined) {
    piece = spaces_replaced(piece);  // GGUF files spell runs of spaces as they are
    user_defined.emplace_back(piece, static_cast<TokenId>(id));
  } else if (kind == TokenKind::normal || kind == TokenKind::unused) {
    longest_piece_bytes_ = std::max(longest_piece_bytes_, piece.size());
    has_unused_ = has_unused_ || kind == TokenKind::unused;
  } else {
    return;
  }
  for (std::size_t at = piece.find(space_symbol, 1); at != std::string::npos;
       at = piece.find(space_symbol, at + 1)) {
    bytes_before_inner_space_.set(static_cast<unsigned char>(piece[at - 1]));
  }
}

// A score that is not a number would have no place in an order: it counts as the worst.
float SentencePiece::score_of(TokenId id) const {
  const auto index = static_cast<std::size_t>(id);
  if (index >= vocabulary_.scores.size()) return 0;
  const float score = vocabulary_.scores[index];
  return std::isnan(score) ? -std::numeric_limits<float>::infinity() : score;
}

std::string SentencePiece::with_space_symbols(std::string_view text, bool first) const {
  const bool stands_already = space_prefix_.unless_space_follows &&
                              (text.starts_with(' ') || text.starts_with(space_symbol));
  const bool prefix =
      vocabulary_.add_space_prefix && !stands_already && (first || space_prefix_.every_fragment);
  return spaces_replaced(text, prefix ? space_symbol : std::string_view{});
}

// The next place behind `begin` that no piece reaches across, or the end of the text.
std::size_t SentencePiece::stretch_end(std::string_view text, std::size_t begin) const {
  const std::size_t limit = std::min(text.size(), begin + longest_stretch_bytes);
  if (has_unused_) return limit;
  for (std::size_t at = text.find(space_symbol, begin + 1); at < limit;
       at = text.find(space_symbol, at + space_symbol.size())) {
    if (!bytes_before_inner_space_.test(static_cast<unsigned char>(text[at - 1]))) return at;
  }
  return limit;
}

void SentencePiece::encode(std::string_view text, bool first, std::vector<TokenId>& out) const {
  if (text.empty()) return;
  const std::string escaped = with_space_symbols(text, first);
  WordCache cache(escaped.size() >= cached_text_bytes_min);
  Work work{{}, out.size(), out};
  for (std::size_t begin = 0; begin < escaped.size();) {
    const std::size_t end = stretch_end(escaped, begin);
    work.text = std::string_view(escaped).substr(begin, end - begin);
    begin = end;

    WordCache::Entry* entry = cache.entry_of(work.text);
    const std::size_t tokens_begin = out.size();
    if (entry != nullptr && entry->word == work.text) {
      for (std::size_t i = 0; i < entry->count; ++i) out.push_back(out[entry->begin + i]);
      continue;
    }
    encode_stretch(work);
    // At an `unknown` the tokens depend on what stands before the word, since runs are fused.
    const std::size_t count = out.size() - tokens_begin;
    const bool fused =
        count == 0 || out[tokens_begin] == unknown_text_.unknown() ||
        (tokens_begin > work.out_begin && out[tokens_begin - 1] == unknown_text_.unknown());
    if (entry != nullptr && !fused) *entry = {work.text, tokens_begin, count};
  }
}

void SentencePiece::encode_stretch(Work& work) const {
  split_characters(work);
  if (work.symbols.size() <= scanned_symbols_max && !has_unused_) {
    merge_by_scan(work);
  } else {
    merge_by_queue(work);
  }
  for (const Symbol& symbol : work.symbols) {
    if (symbol.bytes == 0) continue;
    const std::string_view piece = work.text.substr(symbol.begin, symbol.bytes);
    emit(piece, symbol.id == absent ? pieces_.find(piece) : symbol.id, work);
  }
}

void SentencePiece::split_characters(Work& work) const {
  work.symbols.clear();
  for (std::size_t at = 0; at < work.text.size();) {
    Symbol symbol;
    symbol.begin = static_cast<std::uint32_t>(at);
    symbol.previous = static_cast<std::int32_t>(work.symbols.size()) - 1;
    symbol.next = symbol.previous + 2;
    if (const auto match = user_defined_.longest_match(work.text, at); match.bytes > 0) {
      symbol.bytes = static_cast<std::uint32_t>(match.bytes);
      symbol.id = match.id;
      symbol.frozen = true;
    } else {
      const bool ascii = static_cast<unsigned char>(work.text[at]) < 0x80;
      symbol.bytes = ascii ? 1 : decode_char(work.text, at).bytes;
    }
    at += symbol.bytes;
    work.symbols.push_back(symbol);
  }
  work.symbols.back().next = -1;
}

// The piece that two neighbours form; id is absent where they form none.
Pair SentencePiece::pair_of(Work& work, std::int32_t left, std::int32_t right) const {
  const Symbol& a = work.symbols[static_cast<std::size_t>(left)];
  const Symbol& b = work.symbols[static_cast<std::size_t>(right)];
  const std::uint32_t bytes = a.bytes + b.bytes;
  Pair pair{0, left, right, bytes, absent};
  if (bytes > longest_piece_bytes_ || a.frozen || b.frozen) return pair;
  pair.id = pieces_.find(work.text.substr(a.begin, bytes));
  if (pair.id != absent) pair.score = score_of(pair.id);
  return pair;
}

// For short stretches: pairs[i] is what symbols i and i + 1 form, both arrays stay dense.
void SentencePiece::merge_by_scan(Work& work) const {
  auto& symbols = work.symbols;
  auto& pairs = work.pairs;
  pairs.clear();
  for (std::int32_t i = 0; i + 1 < static_cast<std::int32_t>(symbols.size()); ++i) {
    pairs.push_back(pair_of(work, i, i + 1));
  }
  for (;;) {
    std::size_t best = pairs.size();
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (pairs[i].id == absent) continue;
      if (best == pairs.size() || pairs[i].score > pairs[best].score) best = i;
    }
    if (best == pairs.size()) return;
    symbols[best].bytes = pairs[best].bytes;
    symbols[best].id = pairs[best].id;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    pairs.erase(pairs.begin() + static_cast<std::ptrdiff_t>(best));
    const auto at = static_cast<std::int32_t>(best);
    if (best > 0) pairs[best - 1] = pair_of(work, at - 1, at);
    if (best < pairs.size()) pairs[best] = pair_of(work, at, at + 1);
  }
}

void SentencePiece::push_pair(Work& work, std::int32_t left, std::int32_t right) const {
  if (left < 0 || right < 0) return;
  const Pair pair = pair_of(work, left, right);
  if (pair.id == absent) return;
  work.pairs.push_back(pair);
  if (is_unused(pair.id)) {
    work.unused_parts[pair.id] = work.symbols[static_cast<std::size_t>(left)].bytes;
  }
}

void SentencePiece::merge_by_queue(Work& work) const {
  auto& symbols = work.symbols;
  auto& pairs = work.pairs;
  pairs.clear();
  for (std::size_t i = 1; i < symbols.size(); ++i) {
    push_pair(work, static_cast<std::int32_t>(i) - 1, static_cast<std::int32_t>(i));
  }
  std::make_heap(pairs.begin(), pairs.end());
  while (!pairs.empty()) {
    std::pop_heap(pairs.begin(), pairs.end());
    const Pair pair = pairs.back();
    pairs.pop_back();
    Symbol& left = symbols[static_cast<std::size_t>(pair.left)];
    Symbol& right = symbols[static_cast<std::size_t>(pair.right)];
    // Symbols only grow, so an unchanged sum means that both are as they were.
    if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != pair.bytes) continue;
    left.bytes = pair.bytes;
    left.id = pair.id;
    left.next = right.next;
    right.bytes = 0;
    if (left.next >= 0) symbols[static_cast<std::size_t>(left.next)].previous = pair.left;
    for (const auto& [a, b] : {std::pair{left.previous, pair.left}, {pair.left, left.next}}) {
      const std::size_t before = pairs.size();
      push_pair(work, a, b);
      if (pairs.size() != before) std::push_heap(pairs.begin(), pairs.end());
    }
  }
}

// Unused pieces are taken apart on an explicit stack: a hostile vocabulary may nest them deeply.
void SentencePiece::emit(std::string_view piece, TokenId id, Work& work) const {
  std::vector<std::string_view> rest;
  for (;;) {
    if (id == absent) {
      unknown_text_.append(piece, work.out_begin, work.out);
    } else if (const auto parts =
                   is_unused(id) ? work.unused_parts.find(id) : work.unused_parts.end();
               parts != work.unused_parts.end()) {
      rest.push_back(piece.substr(parts->second));
      rest.push_back(piece.substr(0, parts->second));
    } else {
      work.out.push_back(id);
    }
    if (rest.empty()) return;
    piece = rest.back();
    rest.pop_back();
    id = pieces_.find(piece);
  }
}

}  // namespace

std::unique_ptr<TokenModel> make_sentencepiece(const Vocabulary& vocabulary,
                                               SpacePrefix space_prefix) {
  return std::make_unique<SentencePiece>(vocabulary, space_prefix);
}

}  // namespace premise
