// Text to token ids and back, for one model's vocabulary.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/formats/metadata.h"
#include "model/tokenizer/token_model.h"
#include "model/tokenizer/vocabulary.h"

namespace premise {

struct TokenizerParts;

struct EncodeOptions {
  bool add_special = true;    // BOS / EOS / [CLS] … [SEP], as the model wants them
  bool parse_special = true;  // recognise control tokens written in the text
};

/// A stretch of a text, and whether the program itself wrote it (a chat template) or it is data.
struct TextSpan {
  std::string_view text;
  bool trusted = false;
};

/// Immutable and thread-safe.
class Tokenizer {
 public:
  /// From the tokenizer.* keys of a GGUF file. An unknown model or pre-tokenizer is an Error that
  /// names it, never a guess.
  static Result<Tokenizer> from_gguf(const Metadata& metadata);

  /// From the bytes of a Hugging Face tokenizer.json (checked, bounded).
  static Result<Tokenizer> from_json(std::string_view json);

  /// The same for a tokenizer.json on disk; its path is named in the Error.
  static Result<Tokenizer> from_json_file(const std::filesystem::path& path);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Any bytes in, ids out; never fails. User-defined tokens are recognised in any text.
  std::vector<TokenId> encode(std::string_view text, EncodeOptions options = {}) const;

  /// The spans joined, encoded as one text: words, merges and runs of spaces go across the borders
  /// between them. But control tokens, and user-defined ones that may be marks of a chat
  /// (Vocabulary::trusted_only), come of trusted bytes only, wherever the borders lie; without
  /// `parse_special`, of none.
  std::vector<TokenId> encode(std::span<const TextSpan> spans, EncodeOptions options = {}) const;

  /// The bytes that an id stands for in running text ("▁the" → " the", "<0x0A>" → "\n"). Control
  /// tokens stand for nothing unless `show_special`. Empty for an id outside the vocabulary.
  std::string_view bytes_of(TokenId id, bool show_special = false) const;

  /// Text of ids. Where the model's decoder does so, the space it put before the text is removed.
  std::string decode(std::span<const TokenId> ids, bool show_special = false) const;

  const Vocabulary& vocabulary() const;
  std::size_t size() const { return vocabulary().pieces.size(); }
  bool ends_generation(TokenId id) const;

  /// The id whose piece is exactly `piece`, or nothing.
  std::optional<TokenId> find(std::string_view piece) const;

 private:
  explicit Tokenizer(std::unique_ptr<TokenizerParts> parts);
  std::unique_ptr<TokenizerParts> parts_;
};

}  // namespace premise
