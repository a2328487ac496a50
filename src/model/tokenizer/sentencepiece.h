// SentencePiece's BPE: merges chosen by piece score, as Gemma 1–3, Llama 2, Mistral 7B and Phi-3
// use it. Spaces become "▁"; characters without a piece become their bytes' tokens <0xXX>.
#pragma once

#include <memory>

#include "model/tokenizer/token_model.h"
#include "model/tokenizer/vocabulary.h"

namespace premise {

/// Where the space of Vocabulary::add_space_prefix goes. The references disagree after a special
/// token, since SentencePiece itself knows none inside a text:
///   - llama.cpp on GGUF files, and Hugging Face's Llama 2, Mistral and Phi-3 ("Prepend" in
///     tokenizer.json): in front of every stretch of text, so that "<s>hi" is <s> "▁hi" (default);
///   - Hugging Face with "prepend_scheme": "first": only in front of the whole text, and only
///     where no space stands there already.
struct SpacePrefix {
  bool every_fragment = true;
  bool unless_space_follows = false;
};

/// Never fails: a vocabulary without scores or byte tokens still encodes (to `unknown` where it
/// must, once a run; characters are dropped only when it has neither). Bytes that are not UTF-8
/// become byte tokens as they are. Control, unknown and byte pieces are never found in text.
/// `vocabulary` must outlive the model and stay unchanged.
std::unique_ptr<TokenModel> make_sentencepiece(const Vocabulary& vocabulary,
                                               SpacePrefix space_prefix = {});

}  // namespace premise
