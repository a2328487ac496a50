// SentencePiece's Unigram model: the segmentation whose pieces have the highest sum of scores, as
// XLM-R, BGE-M3 and T5 use it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "model/tokenizer/token_model.h"
#include "model/tokenizer/vocabulary.h"

namespace premise {

struct UnigramOptions {
  std::string precompiled_charsmap;      // SentencePiece's normalization table; empty: none
  bool add_space_prefix = true;          // "▁" in front of every stretch of text
  bool remove_extra_whitespaces = true;  // strip both ends, runs of spaces become one
  bool escape_whitespaces = true;        // " " becomes "▁"
};

/// Error (bad_input) when the charsmap is damaged, or scores and pieces differ in number. Bytes
/// that are not UTF-8 become U+FFFD, as in SentencePiece. The prefix does not depend on whether the
/// stretch opens the text: llama.cpp and Hugging Face ("prepend_scheme": "always") agree on that.
/// Control, unknown and byte pieces are never found in text.
/// `vocabulary` must outlive the model and stay unchanged.
Result<std::unique_ptr<TokenModel>> make_unigram(const Vocabulary& vocabulary,
                                                 UnigramOptions options);

}  // namespace premise
