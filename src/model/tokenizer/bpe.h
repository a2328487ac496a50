// Byte-pair encoding by ranked merges: a word starts as single symbols, and of all neighbours that
// may merge, the pair of lowest rank (the leftmost of equals) merges first, until none is left.
// Sennrich et al. 2016; over bytes: Radford et al. 2019.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/tokenizer/pretokenizer.h"
#include "model/tokenizer/token_model.h"
#include "model/tokenizer/vocabulary.h"

namespace premise {

struct BpeMerge {
  TokenId left, right, result;
};

struct BpeOptions {
  enum class Symbols {
    bytes,       // a word starts as its bytes (GPT-2 and its kin)
    characters,  // as its characters; one without a piece as <0xXX> bytes (tokenizer.json of
                 // SentencePiece models)
  };
  Symbols symbols = Symbols::bytes;
  PreTokenizer pretokenizer;
  bool ignore_merges = false;  // a whole word that is a piece needs no merges
  std::string prefix{};        // put in front of text that does not start with it, …
  enum class PrefixWhere { nowhere, text_start, every_fragment };
  PrefixWhere prefix_where = PrefixWhere::nowhere;  // … here
  bool byte_fallback = true;                        // for characters: try <0xXX> before `unknown`
  bool fuse_unknown = false;  // for characters: neighbours that are unknown become one
};

/// `texts` holds, by id, the bytes that each token stands for in text (under `characters`: the
/// piece itself); `merges` come in order of rank. Both vocabulary and texts must outlive the model
/// and keep their places. A symbol that has no token becomes `unknown`, or nothing where the
/// vocabulary has no unknown token: so do the reference libraries.
/// Error (bad_input) when a merge names an id outside the vocabulary.
Result<std::unique_ptr<TokenModel>> make_bpe(const Vocabulary& vocabulary,
                                             std::span<const std::string> texts,
                                             std::span<const BpeMerge> merges, BpeOptions options);

}  // namespace premise
