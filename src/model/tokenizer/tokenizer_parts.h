// What a loader puts together and Tokenizer runs. Internal to this room.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/formats/metadata.h"
#include "model/tokenizer/normalizer.h"
#include "model/tokenizer/piece_index.h"
#include "model/tokenizer/special_tokens.h"
#include "model/tokenizer/token_model.h"
#include "model/tokenizer/vocabulary.h"

namespace premise {

/// Lives on the heap and never moves: the model and the index refer to the vocabulary inside.
struct TokenizerParts {
  TokenizerParts() = default;
  TokenizerParts(const TokenizerParts&) = delete;
  TokenizerParts& operator=(const TokenizerParts&) = delete;

  Vocabulary vocabulary;
  std::vector<std::string> texts;  // by id: the bytes it stands for in running text

  // text → tokens found in it as it stands → normalizer → tokens found in normalized text → model
  SpecialTokens raw_specials;
  Normalizer normalizer;
  SpecialTokens normalized_specials;
  std::unique_ptr<TokenModel> model;

  std::vector<TokenId> before, after;  // what add_special puts around the ids
  bool decode_drops_first_space = false;

  std::unique_ptr<PieceIndex> index;  // over vocabulary.pieces
  std::vector<bool> ends_generation;  // by id
};

Result<std::unique_ptr<TokenizerParts>> load_gguf_tokenizer(const Metadata& metadata);
Result<std::unique_ptr<TokenizerParts>> load_json_tokenizer(std::string_view json);

/// Fills in texts of pieces spelled in GPT-2's byte letters; control and user-defined ones are
/// taken as they stand.
void spell_out_bytes(TokenizerParts& parts);

/// The same for SentencePiece's spelling: "▁" is a space (in user-defined pieces, too, since merges
/// may reach them), "<0x0A>" a byte.
void spell_out_sentencepiece(TokenizerParts& parts);

/// Collects end_of_generation: eos, `more`, and control tokens whose name says that a turn or text
/// ends; then index and ends_generation. Called last by every loader.
void finish_tokenizer(TokenizerParts& parts, const std::vector<TokenId>& more = {});

}  // namespace premise
