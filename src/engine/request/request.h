// What is asked of an engine and what comes back: plain data, no behaviour.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"

namespace premise {

using TokenId = std::int32_t;
using RequestId = std::uint64_t;

/// How the next token is drawn. The defaults are greedy: temperature 0 takes the likeliest token
/// after the penalties and the bias. Steps are applied in the order of the fields.
struct SamplingParams {
  std::vector<std::pair<TokenId, float>> logit_bias{};  // added to the logits

  // Penalties look back over `penalty_window` tokens of prompt and answer (0: over everything).
  std::size_t penalty_window = 64;
  float repetition_penalty = 1.0f;  // logits of seen tokens are divided (positive) or multiplied
  float frequency_penalty = 0.0f;   // subtracted for every occurrence
  float presence_penalty = 0.0f;    // subtracted once

  // DRY: a token that would prolong a repetition of n tokens loses multiplier * base^(n - allowed).
  float dry_multiplier = 0.0f;  // 0: off
  float dry_base = 1.75f;
  std::size_t dry_allowed_length = 2;
  std::size_t dry_window = 0;           // tokens looked back over; 0: everything
  std::vector<TokenId> dry_breakers{};  // repetitions do not reach across these

  float temperature = 0.0f;  // under Mirostat 0 counts as 1

  // Mirostat 2 replaces the filters below: it keeps the surprise of the text near `mirostat_tau`.
  bool mirostat = false;
  float mirostat_tau = 5.0f;  // target surprise, bits
  float mirostat_eta = 0.1f;  // learning rate

  std::size_t top_k = 0;   // 0: off
  float typical_p = 1.0f;  // 1: off
  float top_p = 1.0f;      // 1: off
  float min_p = 0.0f;      // 0: off

  std::uint64_t seed = 0;  // equal seeds draw equal tokens from equal logits
};

/// Every value in its range, or an Error (ErrorCode::usage) that names the parameter.
Status check(const SamplingParams& params);

struct Request {
  std::vector<TokenId> prompt;  // at least one token
  SamplingParams sampling;
  std::size_t max_tokens = 64;       // tokens to generate at most
  bool logprobs = false;             // wanted with each token
  std::size_t top_logprobs = 0;      // and with so many alternatives
  std::vector<TokenId> stop_tokens;  // generation ends when one of these is drawn

  std::uint64_t owner = 0;  // on whose account its tokens go: owners take turns by tokens served

  /// Requests of equal salt reuse what the cache still holds of a common beginning. Whoever may
  /// send with the same salt can tell by the time to the first token what others have asked, so
  /// that the salt must be unguessable and belong to those who may know. 0, the default: nothing is
  /// reused and nothing is left behind, which is also what measuring needs.
  std::uint64_t prefix_salt = 0;
};

enum class FinishReason : std::uint8_t {
  stop,       // a stop token was drawn
  length,     // max_tokens were generated
  cancelled,  // somebody gave up
  failed,     // the model gave no finite number to draw from
};

struct TokenLogprob {
  TokenId id;
  float logprob;  // natural logarithm, of the model's own distribution (before sampling)
};

/// One generated token, or the end of a request. Every request that was accepted ends in exactly
/// one event with a finish reason. A stop token ends the request and is not reported as a token.
struct TokenEvent {
  RequestId request = 0;
  std::optional<TokenId> token;
  float logprob = 0.0f;           // of `token`
  std::vector<TokenLogprob> top;  // the likeliest, in falling order
  std::optional<FinishReason> finish;
  std::size_t cached_tokens = 0;  // of the prompt, found in the cache; the same in every event
};

}  // namespace premise
