#include "engine/sampling/filters.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "engine/sampling/exponential.h"

namespace premise {
namespace {

struct Ranked {
  float distance;
  TokenId token;
  float weight;

  bool operator<(const Ranked& other) const {
    return distance != other.distance ? distance < other.distance : token < other.token;
  }
};

double weight_of(std::span<const Candidate> candidates) {
  double sum = 0.0;
  for (const Candidate& candidate : candidates) sum += static_cast<double>(candidate.weight);
  return sum;
}

double mean_of(std::span<const Candidate> candidates) {
  double sum = 0.0;
  for (const Candidate& c : candidates)
    if (c.weight > 0.0f) sum += static_cast<double>(c.weight) * static_cast<double>(c.scaled);
  return sum / weight_of(candidates);
}

Ranked middle_of_three(Ranked a, Ranked b, Ranked c) {
  if (b < a) std::swap(a, b);
  if (c < b) std::swap(b, c);
  return b < a ? a : b;
}

struct Front {
  std::size_t count;
  double weight;
};

// Brings what is not beyond the pivot to the front. Without a branch on the data: which side an
// item falls on is as good as random, and every second guess would be wrong.
Front bring_forward(std::span<Ranked> items, const Ranked& pivot) {
  Front front{0, 0.0};
  for (Ranked& item : items) {
    const Ranked here = item;
    const bool near = (here.distance < pivot.distance) |
                      ((here.distance == pivot.distance) & (here.token <= pivot.token));
    item = items[front.count];
    items[front.count] = here;
    front.count += static_cast<std::size_t>(near);
    front.weight += near ? static_cast<double>(here.weight) : 0.0;
  }
  return front;
}

// The last of the least prefix, in order, whose weights reach `target`: quickselect by weight.
// Whatever the input, at most `rounds_max` passes are made before the rest is simply sorted.
Ranked last_within(std::span<Ranked> items, double target) {
  constexpr std::size_t few = 64;
  constexpr int rounds_max = 48;
  for (int round = 0; items.size() > few && round < rounds_max; ++round) {
    const Ranked pivot = middle_of_three(items.front(), items[items.size() / 2], items.back());
    const auto [near, sum] = bring_forward(items, pivot);
    if (sum >= target) {
      items = items.first(near);
    } else {
      target -= sum;
      items = items.subspan(near);
    }
  }
  std::sort(items.begin(), items.end());
  double sum = 0.0;
  for (const Ranked& item : items) {
    sum += static_cast<double>(item.weight);
    if (sum >= target) return item;
  }
  return items.back();
}

// The same as keep_nearest upon every token: gathers rings around the centre, wider and wider,
// until one holds the weight wanted. On a model's usual rows the first holds some dozen tokens.
void gather_nearest(const Distribution& d, double centre, double target, Candidates& candidates) {
  const double everything = std::max(-centre, centre - static_cast<double>(least_exponent));
  for (double radius = 2.0;; radius *= 2.0) {
    // The ring is gathered a little too wide and measured exactly: rounding must not leave a token
    // outside that is nearer than one inside.
    const double wide = radius + 0.001;
    gather(d, static_cast<float>(centre - wide), static_cast<float>(centre + wide), candidates);
    double held = 0.0;
    for (const Candidate& c : candidates)
      if (std::abs(static_cast<double>(c.scaled) - centre) <= radius)
        held += static_cast<double>(c.weight);
    if (radius >= everything || (held > 0.0 && held >= target)) break;
  }
  keep_nearest(centre, target, candidates);
}

}  // namespace

void keep_nearest(double centre, double target, Candidates& candidates) {
  if (candidates.size() <= 1) return;
  std::vector<Ranked> ranked;
  ranked.reserve(candidates.size());
  const auto rank = [&](const Candidate& c) {
    const double distance = std::abs(static_cast<double>(c.scaled) - centre);
    return Ranked{static_cast<float>(distance), c.token, c.weight};
  };
  for (const Candidate& candidate : candidates) ranked.push_back(rank(candidate));
  const Ranked last = last_within(ranked, target);
  std::erase_if(candidates, [&](const Candidate& c) { return last < rank(c); });
}

void keep_typical(float p, Candidates& candidates) {
  keep_nearest(mean_of(candidates), static_cast<double>(p) * weight_of(candidates), candidates);
}

void keep_top_p(float p, Candidates& candidates) {
  keep_nearest(0.0, static_cast<double>(p) * weight_of(candidates), candidates);
}

void keep_min_p(float p, Candidates& candidates) {
  float most = 0.0f;
  for (const Candidate& candidate : candidates) most = std::max(most, candidate.weight);
  std::erase_if(candidates, [&](const Candidate& c) { return c.weight < p * most; });
}

bool filters_keep_all(const SamplingParams& params) {
  return params.top_k == 0 && params.typical_p >= 1.0f && params.top_p >= 1.0f &&
         params.min_p <= 0.0f;
}

void filter(const SamplingParams& params, const Distribution& d, Candidates& candidates) {
  // The first rule in force reads the row; those after it read what it left.
  const bool typical = params.typical_p < 1.0f, top_p = params.top_p < 1.0f;
  if (params.top_k > 0) {
    gather_top(d, params.top_k, candidates);
    if (typical) keep_typical(params.typical_p, candidates);
    if (top_p) keep_top_p(params.top_p, candidates);
  } else if (typical) {
    const Moments all = moments(d);
    const double target = static_cast<double>(params.typical_p) * all.total_weight;
    gather_nearest(d, all.mean_scaled, target, candidates);
    if (top_p) keep_top_p(params.top_p, candidates);
  } else if (top_p) {
    const double target = static_cast<double>(params.top_p) * total_weight(d, nullptr);
    gather_nearest(d, 0.0, target, candidates);
  } else {
    // A little too wide, so that the weights decide and not the rounding of the logarithm.
    const double least = std::log(static_cast<double>(params.min_p)) - 0.001;
    gather(d, static_cast<float>(least), 0.0f, candidates);
  }
  if (params.min_p > 0.0f) keep_min_p(params.min_p, candidates);
}

}  // namespace premise
