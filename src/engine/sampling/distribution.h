// A row of logits read as a distribution: passes over the whole vocabulary.
//
// Every pass reads the row in blocks and stays within the vector registers; nothing is sorted and
// nothing as long as the vocabulary is written. Tokens that matter are copied out as candidates,
// which are few, and filters work on those. All sums have a fixed order, so that equal logits give
// equal results everywhere.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/request/request.h"

namespace premise {

struct Peak {
  float logit;
  std::size_t token;  // of equal ones the smallest
};

/// The largest logit. NaN counts as minus infinity; where nothing is larger, {-infinity, 0}.
Peak peak(std::span<const float> logits);

/// The same where plus infinity counts as minus infinity too, and becomes it: an overflowed logit
/// is no preference.
Peak finite_peak(std::span<float> logits);

/// A logit x is seen as scaled = (x - peak) / temperature <= 0; its weight is e^scaled, which is
/// the probability up to a factor and 1 for the likeliest. NaN and -infinity weigh 0.
struct Distribution {
  std::span<const float> logits;  // none above peak
  float peak;                     // finite
  float inverse_temperature;      // > 0, finite

  static Distribution make(std::span<const float> logits, float peak, float temperature);
  float scaled(std::size_t token) const { return (logits[token] - peak) * inverse_temperature; }
};

struct Candidate {
  TokenId token;
  float scaled;
  float weight;
};
using Candidates = std::vector<Candidate>;  // in rising order of tokens

/// Sum of all weights; `block_weights` (may be null) receives the sums of successive blocks.
double total_weight(const Distribution& distribution, std::vector<double>* block_weights);

struct Moments {
  double total_weight;
  double mean_scaled;  // its expected value
};
Moments moments(const Distribution& distribution);

/// Every token with low <= scaled <= high whose weight is not 0.
void gather(const Distribution& distribution, float low, float high, Candidates& candidates);

/// The `count` likeliest tokens that are above minus infinity; of equal ones the smaller.
void gather_top(const Distribution& distribution, std::size_t count, Candidates& candidates);

/// Draws from the whole row; `uniform` in [0, 1). `block_weights` is scratch space.
TokenId draw_from(const Distribution& distribution, double uniform,
                  std::vector<double>& block_weights);

/// Draws from candidates, at least one of which has weight.
TokenId draw_from(std::span<const Candidate> candidates, double uniform);

struct ScoredToken {
  TokenId token;
  float logit;
};

/// The `count` largest logits above minus infinity, the smaller token first of equal ones, in no
/// particular order. Linear in the row.
std::vector<ScoredToken> largest_logits(std::span<const float> logits, std::size_t count);

inline bool likelier(const ScoredToken& a, const ScoredToken& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

}  // namespace premise
