// Which tokens of a vocabulary must never come from what a user writes.
//
// Control tokens, of course. But published files mark many chat markers as merely user-defined:
// <think>, <tool_call>, <｜User｜> in tokenizer.json files, <start_of_turn> in some GGUF files; and
// user-defined are also the runs of spaces and the HTML tags that ordinary text must be encoded
// with. Kinds do not tell these apart, so spelling does (docs/decisions/0006): what is not known to
// be harmless is a marker.
#pragma once

#include <string_view>

#include "model/tokenizer/vocabulary.h"

namespace premise {

/// Whether a user-defined piece may be found in data: white space ("▁" counts as a space), signs
/// without a name, words, tags of HTML's text.
bool is_open_to_data(std::string_view piece);

/// Fills in Vocabulary::trusted_only from kinds, pieces and the ids of BOS, EOS and their like.
void mark_trusted_only(Vocabulary& vocabulary);

}  // namespace premise
