// Speed comes from not merging. Most words of a text are one token, so a word is first looked up
// whole; that is the answer if the merges rebuild the piece from its symbols, which is found out
// once per piece, when it is first met, and remembered. Within a long text, a word that was met
// before is copied from the ids already written: a table of places, made and dropped by the call,
// instead of a shared cache that would have to grow, evict and lock. Other words merge on the
// stack; long ones (a run of 100,000 letters is one word) by a heap, in n log n.
#include "model/tokenizer/bpe.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <iterator>
#include <queue>
#include <utility>

#include <fmt/format.h>

#include "model/tokenizer/merge_table.h"
#include "model/tokenizer/piece_index.h"
#include "model/tokenizer/unicode_classes.h"

namespace premise {
namespace {

constexpr std::size_t stack_symbols = 48;  // above it the quadratic scan loses to the heap

constexpr std::size_t memo_text_bytes = 2048;  // shorter texts repeat too few words

// Words already encoded by this call: where they stand in the text, and their ids in the output.
class WordMemo {
 public:
  WordMemo(std::string_view text, std::vector<TokenId>& out) : text_(text), out_(out) {
    if (text.size() >= memo_text_bytes && text.size() <= UINT32_MAX) places_.resize(slots);
  }

  /// Appends the ids of text[start, end), by `encode` if they are not remembered.
  template <typename Encode>
  void append(std::size_t start, std::size_t end, Encode encode) {
    const std::string_view word = text_.substr(start, end - start);
    if (places_.empty() || word.size() > longest || out_.size() > UINT32_MAX - longest) {
      return encode(word);
    }
    Place& place = places_[hash_bytes(word) % slots];
    if (place.bytes == word.size() && text_.substr(place.start, place.bytes) == word) {
      for (std::size_t i = 0; i < place.ids; ++i) {
        const TokenId id = out_[place.first_id + i];
        out_.push_back(id);
      }
      return;
    }
    const std::size_t before = out_.size();
    encode(word);
    place = {static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(before),
             static_cast<std::uint16_t>(word.size()),
             static_cast<std::uint16_t>(out_.size() - before)};
  }

 private:
  static constexpr std::size_t slots = 8192;  // 96 KiB: stays in the second-level cache
  static constexpr std::size_t longest = 64;
  struct Place {
    std::uint32_t start = 0, first_id = 0;
    std::uint16_t bytes = 0, ids = 0;  // no word has 0 bytes
  };
  std::string_view text_;
  std::vector<TokenId>& out_;
  std::vector<Place> places_;
};

class Bpe final : public TokenModel {
 public:
  Bpe(const Vocabulary& vocabulary, std::span<const std::string> texts,
      std::span<const BpeMerge> merges, const std::vector<bool>& skip, BpeOptions options)
      : index_(texts, skip),
        merges_(merges),
        whole_(texts.size()),
        unknown_(vocabulary.unknown.value_or(-1)),
        options_(std::move(options)) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      byte_ids_[byte] = options_.symbols == BpeOptions::Symbols::bytes
                            ? index_.find({&c, 1})
                            : index_.find(fmt::format("<0x{:02X}>", byte));
    }
  }

  void encode(std::string_view text, bool first, std::vector<TokenId>& out) const override {
    if (text.empty()) return;
    std::string prefixed;
    if (wants_prefix(first) && !text.starts_with(options_.prefix)) {
      prefixed = options_.prefix;
      prefixed += text;
      text = prefixed;
    }
    std::vector<std::size_t> ends;
    options_.pretokenizer.split(text, ends);
    WordMemo memo(text, out);
    std::size_t start = 0;
    for (const std::size_t end : ends) {
      memo.append(start, end, [&](std::string_view word) { encode_word(word, out); });
      start = end;
    }
  }

 private:
  // Do the merges rebuild a piece from its symbols?
  static constexpr std::uint8_t untested = 0, is_token = 1, is_no_token = 2;

  bool wants_prefix(bool first) const {
    using Where = BpeOptions::PrefixWhere;
    return options_.prefix_where == Where::every_fragment ||
           (first && options_.prefix_where == Where::text_start);
  }

  void encode_word(std::string_view word, std::vector<TokenId>& out) const {
    const TokenId id = index_.find(word);
    if (id < 0) return merge_word(word, out);
    std::atomic<std::uint8_t>& whole = whole_[static_cast<std::size_t>(id)];
    std::uint8_t state = options_.ignore_merges ? is_token : whole.load(std::memory_order_relaxed);
    if (state == untested) {
      const std::size_t before = out.size();
      merge_word(word, out);
      state = out.size() == before + 1 && out.back() == id ? is_token : is_no_token;
      whole.store(state, std::memory_order_relaxed);  // every thread would store the same
    } else if (state == is_token) {
      out.push_back(id);
    } else {
      merge_word(word, out);
    }
  }

  void merge_word(std::string_view word, std::vector<TokenId>& out) const {
    if (word.size() <= stack_symbols) {
      std::array<TokenId, stack_symbols> symbols;
      const std::size_t count = first_symbols(word, symbols.data());
      return merge_short(symbols.data(), count, out);
    }
    std::vector<TokenId> symbols(word.size());
    symbols.resize(first_symbols(word, symbols.data()));
    merge_long(symbols, out);
  }

  // Writes at most word.size() symbols; returns their count.
  std::size_t first_symbols(std::string_view word, TokenId* symbols) const {
    std::size_t count = 0;
    if (options_.symbols == BpeOptions::Symbols::bytes) {
      for (const char c : word) {
        const TokenId id = byte_ids_[static_cast<unsigned char>(c)];
        if (id >= 0 || unknown_ >= 0) symbols[count++] = id >= 0 ? id : unknown_;
      }
      return count;
    }
    bool after_unknown = false;
    for (std::size_t at = 0; at < word.size();) {
      const Char c = decode_char(word, at);
      const std::string_view character = word.substr(at, c.bytes);
      at += c.bytes;
      const TokenId id = index_.find(character);
      if (id >= 0) {
        symbols[count++] = id;
      } else if (options_.byte_fallback && has_bytes(character)) {
        for (const char byte : character) {
          symbols[count++] = byte_ids_[static_cast<unsigned char>(byte)];
        }
      } else {
        if (unknown_ >= 0 && !(after_unknown && options_.fuse_unknown)) symbols[count++] = unknown_;
        after_unknown = true;
        continue;
      }
      after_unknown = false;
    }
    return count;
  }

  bool has_bytes(std::string_view character) const {
    for (const char byte : character) {
      if (byte_ids_[static_cast<unsigned char>(byte)] < 0) return false;
    }
    return true;
  }

  // Scans for the lowest rank, merges, closes the gap: for a dozen symbols nothing is faster.
  void merge_short(TokenId* symbols, std::size_t count, std::vector<TokenId>& out) const {
    std::array<MergeTable::Found, stack_symbols> merge;  // merge[i]: symbols i and i+1
    for (std::size_t i = 0; i + 1 < count; ++i) merge[i] = merges_.find(symbols[i], symbols[i + 1]);
    while (count > 1) {
      std::size_t best = 0;
      for (std::size_t i = 1; i + 1 < count; ++i) {
        if (merge[i].rank < merge[best].rank) best = i;
      }
      if (merge[best].rank == MergeTable::no_rank) break;
      symbols[best] = merge[best].result;
      --count;
      for (std::size_t i = best + 1; i < count; ++i) {
        symbols[i] = symbols[i + 1];
        merge[i - 1] = merge[i];
      }
      if (best + 1 < count) merge[best] = merges_.find(symbols[best], symbols[best + 1]);
      if (best > 0) merge[best - 1] = merges_.find(symbols[best - 1], symbols[best]);
    }
    out.insert(out.end(), symbols, symbols + count);
  }

  void merge_long(const std::vector<TokenId>& symbols, std::vector<TokenId>& out) const;

  PieceIndex index_;
  MergeTable merges_;
  mutable std::vector<std::atomic<std::uint8_t>> whole_;  // untested, is_token, is_no_token; by id
  std::array<TokenId, 256> byte_ids_{};
  TokenId unknown_;
  BpeOptions options_;
};

// Symbols form a doubly linked list over their places; the heap holds candidates, of which some are
// out of date: such a one no longer carries the rank that its place has now.
void Bpe::merge_long(const std::vector<TokenId>& symbols, std::vector<TokenId>& out) const {
  struct Node {
    TokenId id;
    MergeTable::Found merge;  // with the next node
    std::size_t previous, next;
  };
  using Candidate = std::pair<std::uint32_t, std::size_t>;  // rank, place
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::vector<Node> nodes(symbols.size());
  std::vector<Candidate> first;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool last = i + 1 == nodes.size();
    nodes[i] = {symbols[i], last ? MergeTable::Found{} : merges_.find(symbols[i], symbols[i + 1]),
                i == 0 ? none : i - 1, last ? none : i + 1};
    if (nodes[i].merge.rank != MergeTable::no_rank) first.emplace_back(nodes[i].merge.rank, i);
  }
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap(std::greater<>{},
                                                                              std::move(first));
  const auto renew = [&](std::size_t place) {
    Node& node = nodes[place];
    node.merge =
        node.next == none ? MergeTable::Found{} : merges_.find(node.id, nodes[node.next].id);
    if (node.merge.rank != MergeTable::no_rank) heap.emplace(node.merge.rank, place);
  };
  while (!heap.empty()) {
    const auto [rank, place] = heap.top();
    heap.pop();
    Node& node = nodes[place];
    if (node.merge.rank != rank) continue;
    Node& gone = nodes[node.next];
    node.id = node.merge.result;
    gone.merge = {};
    node.next = gone.next;
    if (node.next != none) nodes[node.next].previous = place;
    renew(place);
    if (node.previous != none) renew(node.previous);
  }
  for (std::size_t place = 0; place != none && place < nodes.size(); place = nodes[place].next) {
    out.push_back(nodes[place].id);
  }
}

}  // namespace

Result<std::unique_ptr<TokenModel>> make_bpe(const Vocabulary& vocabulary,
                                             std::span<const std::string> texts,
                                             std::span<const BpeMerge> merges, BpeOptions options) {
  const auto known = [&](TokenId id) {
    return id >= 0 && static_cast<std::size_t>(id) < texts.size();
  };
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const BpeMerge& merge = merges[rank];
    if (known(merge.left) && known(merge.right) && known(merge.result)) continue;
    return error(ErrorCode::bad_input,
                 {"merge {} names a token outside the vocabulary of {}",
                  "第 {} 条合并规则引用了词表（共 {} 个词元）之外的词元"},
                 rank, texts.size());
  }
  // Marks are never built from text, even if their piece looks like some: not as a whole word, …
  std::vector<bool> skip(texts.size(), false);
  const auto is_mark = [&](std::size_t id) {
    return vocabulary.is_trusted_only(id) || vocabulary.kinds[id] == TokenKind::control ||
           (vocabulary.kinds[id] == TokenKind::unknown && texts[id].size() > 4);
  };
  for (std::size_t id = 0; id < texts.size() && id < vocabulary.kinds.size(); ++id) {
    skip[id] = texts[id].empty() || is_mark(id);
  }
  // … and not by merges, should a file have such.
  std::vector<BpeMerge> kept;
  const auto makes_mark = [&](const BpeMerge& merge) {
    return skip[static_cast<std::size_t>(merge.result)];
  };
  if (std::any_of(merges.begin(), merges.end(), makes_mark)) {
    std::remove_copy_if(merges.begin(), merges.end(), std::back_inserter(kept), makes_mark);
    merges = kept;
  }
  return std::unique_ptr<TokenModel>(
      std::make_unique<Bpe>(vocabulary, texts, merges, skip, std::move(options)));
}

}  // namespace premise
