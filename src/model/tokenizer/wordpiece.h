// BERT's WordPiece: text is cleaned and split into words, and each word is cut greedily into the
// longest pieces of the vocabulary.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "model/tokenizer/token_model.h"
#include "model/tokenizer/vocabulary.h"

namespace premise {

struct WordPieceOptions {
  bool lowercase = true;
  bool strip_accents = true;
  bool split_chinese = true;  // every CJK ideograph is a word of its own
  bool clean_text = true;     // drop control characters, turn every whitespace into a space
  std::string continuation_prefix = "##";
  bool gguf_phantom_space = false;  // pieces are "▁hello" / "ello" instead of "hello" / "##ello"
  int max_word_characters = 100;    // longer words are unknown
};

/// Error (bad_input) when the vocabulary has no unknown token (Vocabulary::unknown, or a piece of
/// that kind), or when max_word_characters is not positive. Control tokens are never made from
/// text. `vocabulary` must outlive the model and stay unchanged.
Result<std::unique_ptr<TokenModel>> make_wordpiece(const Vocabulary& vocabulary,
                                                   WordPieceOptions options);

}  // namespace premise
