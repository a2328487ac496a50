// Greedy longest match (Schuster and Nakajima, "Japanese and Korean Voice Search", 2012). A word
// that cannot be cut into pieces to its end is one `unknown`, however much of it matched.
//
// GGUF files spell the vocabulary differently: where a word begins they write "▁" and drop the
// continuation prefix elsewhere. Both spellings are looked up as they are, so that ids stay those
// of the file and nothing is copied.
#include "model/tokenizer/wordpiece.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "model/tokenizer/bert_text.h"
#include "model/tokenizer/piece_index.h"
#include "model/tokenizer/special_characters.h"
#include "model/tokenizer/unicode_classes.h"
#include "model/tokenizer/unknown_text.h"

namespace premise {
namespace {

std::vector<bool> never_in_text(const Vocabulary& vocabulary) {
  std::vector<bool> result(vocabulary.pieces.size());
  const std::size_t count = std::min(result.size(), vocabulary.kinds.size());
  for (std::size_t id = 0; id < count; ++id) {
    const TokenKind kind = vocabulary.kinds[id];
    result[id] =
        kind == TokenKind::control || kind == TokenKind::unknown || vocabulary.is_trusted_only(id);
  }
  return result;
}

class WordPiece final : public TokenModel {
 public:
  WordPiece(const Vocabulary& vocabulary, WordPieceOptions options, TokenId unknown)
      : pieces_(vocabulary.pieces, never_in_text(vocabulary)), unknown_(unknown) {
    text_options_ = {options.clean_text, options.split_chinese, options.strip_accents,
                     options.lowercase};
    phantom_space_ = options.gguf_phantom_space;
    word_prefix_ = phantom_space_ ? std::string(space_symbol) : std::string();
    continuation_prefix_ = phantom_space_ ? std::string() : std::move(options.continuation_prefix);
    word_characters_max_ = static_cast<std::size_t>(options.max_word_characters);
    for (const std::string& piece : vocabulary.pieces) {
      longest_piece_bytes_ = std::max(longest_piece_bytes_, piece.size());
    }
  }

  void encode(std::string_view text, bool, std::vector<TokenId>& out) const override {
    std::string bytes;
    for (const std::u32string& word : bert_words(text, text_options_)) {
      const std::size_t begin = out.size();
      bytes.clear();
      for (const char32_t code : word) append_utf8(code, bytes);
      if (word.size() <= word_characters_max_ && encode_word(bytes, out)) continue;
      out.resize(begin);
      out.push_back(unknown_);
    }
  }

 private:
  bool encode_word(std::string_view word, std::vector<TokenId>& out) const;

  PieceIndex pieces_;
  TokenId unknown_;
  BertTextOptions text_options_;
  bool phantom_space_ = false;
  std::string word_prefix_;          // how the vocabulary spells the first piece of a word …
  std::string continuation_prefix_;  // … and the others
  std::size_t word_characters_max_ = 0;
  std::size_t longest_piece_bytes_ = 0;
};

// False where some part of the word has no piece; `out` then holds the pieces before it.
bool WordPiece::encode_word(std::string_view word, std::vector<TokenId>& out) const {
  std::string spelled;
  for (std::size_t begin = 0; begin < word.size();) {
    const std::string& prefix = begin == 0 ? word_prefix_ : continuation_prefix_;
    // A "▁" of the text itself must not be taken for the beginning of a word.
    if (phantom_space_ && begin > 0 && word.substr(begin).starts_with(space_symbol)) return false;
    spelled.assign(prefix).append(word.substr(begin, longest_piece_bytes_));
    std::size_t bytes = spelled.size() - prefix.size();
    TokenId id = -1;
    while (bytes > 0) {
      const bool whole_characters =
          begin + bytes == word.size() ||
          (static_cast<unsigned char>(word[begin + bytes]) & 0xc0) != 0x80;
      const std::string_view candidate(spelled.data(), prefix.size() + bytes);
      if (whole_characters && (id = pieces_.find(candidate)) >= 0) break;
      --bytes;
    }
    if (id < 0) return false;
    out.push_back(id);
    begin += bytes;
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<TokenModel>> make_wordpiece(const Vocabulary& vocabulary,
                                                   WordPieceOptions options) {
  const TokenId unknown = UnknownText(vocabulary).unknown();
  if (unknown == UnknownText::none) {
    return error(ErrorCode::bad_input,
                 {"WordPiece vocabulary: it names no unknown token among its {} pieces",
                  "WordPiece 词表：{} 个词元中没有指明未知词元"},
                 vocabulary.pieces.size());
  }
  if (options.max_word_characters <= 0) {
    return error(ErrorCode::bad_input,
                 {"WordPiece: a word may have {} characters at most, which leaves none",
                  "WordPiece：单词长度上限为 {} 个字符，容不下任何单词"},
                 options.max_word_characters);
  }
  return std::unique_ptr<TokenModel>(
      std::make_unique<WordPiece>(vocabulary, std::move(options), unknown));
}

}  // namespace premise
