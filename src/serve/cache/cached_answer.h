// An answer that was given once, kept to be given again; and how it is written down.
//
// What is kept is the model's own answer as the endpoint told it: before any word filter, which
// runs anew whenever the answer is given, since its lists change; and before any dialect, so that a
// stream and a whole reply share one entry. Pieces of a stream are not kept apart: a choice is one
// text.
//
// The bytes are a format of our own, versioned, little-endian, counts as LEB128: they are read a
// thousand times more often than a person looks at them, and a tree of JSON would be read from what
// anybody with access to the Redis may have written. Reading believes nothing: every count is
// checked against the bytes that are left, and every byte must have been meant.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serve/endpoint/endpoint.h"

namespace premise {

struct CachedChoice {
  std::string text;
  std::vector<GeneratedToken> tokens;  // where logprobs are wanted
  ChoiceEnding ending = ChoiceEnding::stop;
};

struct CachedAnswer {
  std::vector<CachedChoice> choices;
  TokenUsage usage;  // of the request that computed it; cached_tokens is not kept
};

/// Of an answer, written down: longer ones are not kept.
inline constexpr std::size_t cached_answer_bytes_max = std::size_t{1} << 20;

std::string encode_answer(const CachedAnswer& answer);

/// An Error (bad_input) for anything that encode_answer() did not write, or more than
/// cached_answer_bytes_max of it.
Result<CachedAnswer> decode_answer(std::string_view bytes);

}  // namespace premise
