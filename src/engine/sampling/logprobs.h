// Log-probabilities of a row of logits.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/request/request.h"

namespace premise {

/// ln(sum(exp(logits))), without overflow; summed in double.
double log_sum_exp(std::span<const float> logits);

/// The `count` likeliest tokens in falling order; of equal ones the smaller id first.
std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, std::size_t count);

}  // namespace premise
