// Filters: which tokens may be drawn at all.
//
// Each keeps a prefix of the tokens in some order: top-k and top-p in falling probability, typical
// in rising distance from the expected surprise. Written with scaled logits (distribution.h) the
// last two are one rule: keep the tokens nearest to a centre until they hold a share p of the
// weight. For top-p the centre is the peak; for typical it is the mean, since
// |surprise - entropy| = |(log Z - s) - (log Z - E s)| = |s - E s|, without any logarithm.
//
// Sources. top-k: Fan et al. 2018. top-p: Holtzman et al. 2020, "The Curious Case of Neural Text
// Degeneration". Typical: Meister et al. 2023, "Locally Typical Sampling". min-p: Nguyen et al.
// 2024, "Turning Up the Heat". At least one token always survives.
#pragma once

#include "engine/request/request.h"
#include "engine/sampling/distribution.h"

namespace premise {

/// Whether the filters of `params` keep every token.
bool filters_keep_all(const SamplingParams& params);

/// What top-k, typical, top-p and min-p, in this order, leave of the distribution. Not to be called
/// when filters_keep_all().
void filter(const SamplingParams& params, const Distribution& distribution, Candidates& candidates);

// The single rules, upon candidates.

/// The nearest to `centre`, the smaller token first of equals, until their weights reach `target`.
void keep_nearest(double centre, double target, Candidates& candidates);

void keep_typical(float p, Candidates& candidates);
void keep_top_p(float p, Candidates& candidates);
void keep_min_p(float p, Candidates& candidates);

}  // namespace premise
