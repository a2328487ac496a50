// Unigram segmentation. Source: Kudo, "Subword Regularization" (ACL 2018), and the behaviour of the
// sentencepiece library, which is the reference for the goldens of this file's test.
//
// The score of a segmentation is a sum over its pieces, so the best one up to a place needs only
// the best ones up to earlier places (Viterbi): one pass over the text, at each character all
// pieces that begin there (a trie), and a walk back from the end. Sums are floats, as in the
// reference, since doubles break ties differently ("iiii" as "iii" + "i" or "i" + "iii").
#include "model/tokenizer/unigram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "model/tokenizer/charsmap.h"
#include "model/tokenizer/piece_trie.h"
#include "model/tokenizer/special_characters.h"
#include "model/tokenizer/unicode_classes.h"
#include "model/tokenizer/unknown_text.h"

namespace premise {
namespace {

constexpr float unknown_penalty = 10;

// The best segmentation of the text up to one place: its last piece, and where that begins.
struct Best {
  static constexpr std::size_t unreached = std::numeric_limits<std::size_t>::max();
  std::size_t begin = unreached;
  float score = 0;
  TokenId id = PieceTrie::absent;  // absent: an unknown character
};

class Unigram final : public TokenModel {
 public:
  Unigram(const Vocabulary& vocabulary, UnigramOptions options, CharsMap charsmap)
      : vocabulary_(vocabulary),
        options_(std::move(options)),
        charsmap_(std::move(charsmap)),
        unknown_text_(vocabulary) {
    std::vector<std::pair<std::string, TokenId>> pieces;
    float best = -std::numeric_limits<float>::max();
    float worst = std::numeric_limits<float>::max();
    for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id) {
      const TokenKind kind = kind_of(id);
      if (kind != TokenKind::normal && kind != TokenKind::user_defined) continue;
      if (vocabulary.is_trusted_only(id)) continue;  // Tokenizer alone finds those
      pieces.emplace_back(vocabulary.pieces[id], static_cast<TokenId>(id));
      if (kind != TokenKind::normal) continue;
      best = std::max(best, vocabulary.scores[id]);
      worst = std::min(worst, vocabulary.scores[id]);
    }
    best_score_ = best;
    unknown_score_ = worst - unknown_penalty;
    trie_ = PieceTrie(std::move(pieces));
  }

  void encode(std::string_view text, bool, std::vector<TokenId>& out) const override {
    if (text.empty()) return;
    const std::string normalized = normalize(text);
    const std::vector<Best> best = best_paths(normalized);
    std::vector<std::size_t> ends;
    for (std::size_t end = normalized.size(); end > 0; end = best[end].begin) ends.push_back(end);
    const std::size_t out_begin = out.size();
    for (auto end = ends.rbegin(); end != ends.rend(); ++end) {
      const Best& last = best[*end];
      if (last.id != PieceTrie::absent) {
        out.push_back(last.id);
      } else {
        const std::string_view whole = normalized;
        unknown_text_.append(whole.substr(last.begin, *end - last.begin), out_begin, out);
      }
    }
  }

 private:
  TokenKind kind_of(std::size_t id) const {
    return id < vocabulary_.kinds.size() ? vocabulary_.kinds[id] : TokenKind::normal;
  }
  float score_of(TokenId id, std::size_t bytes) const;
  CharsMap::Replacement normalized_prefix(std::string_view text) const;
  std::string normalize(std::string_view text) const;
  void add_normalized(std::string_view replacement, std::string& out) const;
  std::vector<Best> best_paths(std::string_view text) const;

  const Vocabulary& vocabulary_;
  UnigramOptions options_;
  CharsMap charsmap_;
  UnknownText unknown_text_;
  PieceTrie trie_;
  float best_score_ = 0;
  float unknown_score_ = 0;
};

// User-defined pieces get a bonus that lets them win over everything they compete with.
float Unigram::score_of(TokenId id, std::size_t bytes) const {
  const auto index = static_cast<std::size_t>(id);
  if (kind_of(index) != TokenKind::user_defined) return vocabulary_.scores[index];
  return static_cast<float>(bytes) * best_score_ - 0.1f;
}

CharsMap::Replacement Unigram::normalized_prefix(std::string_view text) const {
  if (const auto rule = charsmap_.longest(text)) return *rule;
  const Char next = decode_char(text, 0);
  if (!next.valid) return {replacement_character, next.bytes};
  return {text.substr(0, next.bytes), next.bytes};
}

void Unigram::add_normalized(std::string_view replacement, std::string& out) const {
  for (const char c : replacement) {
    if (c == ' ' && options_.escape_whitespaces) {
      out += space_symbol;
    } else {
      out += c;
    }
  }
}

std::string Unigram::normalize(std::string_view text) const {
  std::string out;
  const bool trims = options_.remove_extra_whitespaces;
  while (trims && !text.empty()) {
    const CharsMap::Replacement next = normalized_prefix(text);
    if (next.text != " ") break;
    text.remove_prefix(next.bytes);
  }
  if (text.empty()) return out;
  out.reserve(text.size() + text.size() / 2);
  if (options_.add_space_prefix) add_normalized(" ", out);
  bool behind_space = trims;
  while (!text.empty()) {
    CharsMap::Replacement next = normalized_prefix(text);
    text.remove_prefix(next.bytes);
    while (behind_space && next.text.starts_with(' ')) next.text.remove_prefix(1);
    if (next.text.empty()) continue;
    add_normalized(next.text, out);
    behind_space = trims && next.text.ends_with(' ');
  }
  const std::string_view space = options_.escape_whitespaces ? space_symbol : " ";
  while (trims && out.ends_with(space)) out.resize(out.size() - space.size());
  return out;
}

std::vector<Best> Unigram::best_paths(std::string_view text) const {
  std::vector<Best> best(text.size() + 1);
  const auto offer = [&best](std::size_t end, std::size_t begin, float score, TokenId id) {
    Best& there = best[end];
    if (there.begin == Best::unreached || score > there.score) there = {begin, score, id};
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t character_bytes = decode_char(text, begin).bytes;
    const float score_here = best[begin].score;
    bool has_character = false;
    PieceTrie::Node node = PieceTrie::root;
    for (std::size_t at = begin; at < text.size(); ++at) {
      node = trie_.step(node, text[at]);
      if (node == PieceTrie::nowhere) break;
      const TokenId id = trie_.piece_at(node);
      if (id == PieceTrie::absent) continue;
      const std::size_t bytes = at + 1 - begin;
      offer(at + 1, begin, score_of(id, bytes) + score_here, id);
      if (bytes == character_bytes) has_character = true;
    }
    if (!has_character) {
      offer(begin + character_bytes, begin, unknown_score_ + score_here, PieceTrie::absent);
    }
    begin += character_bytes;
  }
  return best;
}

}  // namespace

Result<std::unique_ptr<TokenModel>> make_unigram(const Vocabulary& vocabulary,
                                                 UnigramOptions options) {
  if (vocabulary.scores.size() != vocabulary.pieces.size()) {
    return error(ErrorCode::bad_input,
                 {"Unigram vocabulary: {} pieces but {} scores",
                  "Unigram 词表：有 {} 个词元，却有 {} 个分数"},
                 vocabulary.pieces.size(), vocabulary.scores.size());
  }
  for (std::size_t id = 0; id < vocabulary.scores.size(); ++id) {
    const bool scored = id >= vocabulary.kinds.size() || vocabulary.kinds[id] == TokenKind::normal;
    if (!scored || std::isfinite(vocabulary.scores[id])) continue;
    return error(ErrorCode::bad_input,
                 {"Unigram vocabulary: the score of piece {} is not a finite number",
                  "Unigram 词表：第 {} 个词元的分数不是有限数"},
                 id);
  }
  PREMISE_TRY(CharsMap charsmap, CharsMap::parse(options.precompiled_charsmap));
  options.precompiled_charsmap.clear();
  return std::unique_ptr<TokenModel>(
      std::make_unique<Unigram>(vocabulary, std::move(options), std::move(charsmap)));
}

}  // namespace premise
