// Log-probabilities of a row of logits.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/request/request.h"

namespace premise {

/// ln(sum(exp(logits))), without overflow; within 2e-7. NaN counts as minus infinity; of nothing it
/// is -infinity, and +infinity where a logit is.
double log_sum_exp(std::span<const float> logits);

/// The `count` likeliest tokens in falling order; of equal ones the smaller id first.
/// Tokens that cannot occur (NaN, minus infinity) are left out; a row that is no distribution
/// (log_sum_exp is infinite) has none.
std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, std::size_t count);

/// The same where the caller knows `normalizer`, the log_sum_exp of these logits.
std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, double normalizer,
                                       std::size_t count);

}  // namespace premise
