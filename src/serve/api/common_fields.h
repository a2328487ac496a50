// Fields that OpenAI's chat and completions have in common, with Premise's extensions.
#pragma once

#include "serve/api/dialect.h"
#include "serve/api/fields.h"

namespace premise {

inline constexpr std::int64_t choices_most = 128;     // n; OpenAI's own limit
inline constexpr std::size_t stop_strings_most = 16;  // OpenAI takes 4
inline constexpr std::size_t stop_string_bytes_most = 1024;
inline constexpr std::int64_t top_logprobs_most = 20;  // OpenAI's own limit

/// model, n, seed, stop, temperature, top_p, the penalties, logit_bias, stream, stream_options and
/// the extensions ignore_eos, top_k, min_p, repetition_penalty, cache; ignores what changes
/// nothing.
void read_common(Fields& fields, GenerationCall& call);

}  // namespace premise
