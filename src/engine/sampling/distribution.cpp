#include "engine/sampling/distribution.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <limits>

#include "engine/sampling/exponential.h"
#include "engine/sampling/special_floats.h"

namespace premise {
namespace {

constexpr std::size_t lanes = sizeof(Floats) / sizeof(float);
constexpr std::size_t group = 4 * lanes;  // four chains of operations hide their latency
// Small enough that float sums within it lose nothing that matters (16 additions a lane).
constexpr std::size_t block = 256;

// visit(first token, pointer to `step` logits); the last ones are filled up with -infinity.
template <std::size_t step, typename Visit>
void for_each(std::span<const float> row, const Visit& visit) {
  std::size_t first = 0;
  for (; row.size() - first >= step; first += step) visit(first, row.data() + first);
  if (first == row.size()) return;
  std::array<float, step> padded;
  padded.fill(-infinity);
  std::copy(row.begin() + first, row.end(), padded.begin());
  visit(first, padded.data());
}

double sum_of_lanes(const std::array<Floats, 4>& sums) {
  double sum = 0.0;
  for (const Floats& four : sums)
    for (std::size_t lane = 0; lane < lanes; ++lane) sum += static_cast<double>(four[lane]);
  return sum;
}

// for_each upon groups, but only those in which `test` (Floats → Masks) holds somewhere.
template <typename Test, typename Visit>
void for_each_group_with(std::span<const float> row, const Test& test, const Visit& visit) {
  for_each<group>(row, [&](std::size_t first, const float* logits) {
    Masks any{};
    for (std::size_t i = 0; i < group; i += lanes) any |= test(load_floats(logits + i));
    if ((any[0] | any[1] | any[2] | any[3]) == 0) return;
    visit(first, logits);
  });
}

void weigh(Candidates& candidates) {
  for (std::size_t i = 0; i < candidates.size(); i += lanes) {
    const std::size_t count = std::min(lanes, candidates.size() - i);
    Floats scaled{};
    for (std::size_t lane = 0; lane < count; ++lane) scaled[lane] = candidates[i + lane].scaled;
    const Floats weights = exp_nonpositive(scaled);
    for (std::size_t lane = 0; lane < count; ++lane) candidates[i + lane].weight = weights[lane];
  }
}

}  // namespace

Peak peak(std::span<const float> logits) {
  Peak best{-infinity, 0};
  std::size_t best_block = 0;
  for_each<block>(logits, [&](std::size_t first, const float* values) {
    std::array<Floats, 4> most;
    most.fill(all_lanes(-infinity));
    for (std::size_t i = 0; i < block; i += group)
#pragma GCC unroll 4
      for (std::size_t j = 0; j < 4; ++j) {
        const Floats x = load_floats(values + i + j * lanes);
        most[j] = x > most[j] ? x : most[j];  // false for NaN
      }
    float in_block = -infinity;
    for (const Floats& four : most)
      for (std::size_t lane = 0; lane < lanes; ++lane) in_block = std::max(in_block, four[lane]);
    if (in_block > best.logit) {
      best.logit = in_block;
      best_block = first;
    }
  });
  if (best.logit == -infinity) return best;
  const auto found = std::find(logits.begin() + best_block, logits.end(), best.logit);
  best.token = static_cast<std::size_t>(found - logits.begin());
  return best;
}

// Models that work have no infinite logit, so the row is looked at again only where its largest
// gives cause.
Peak finite_peak(std::span<float> logits) {
  const Peak first = peak(logits);
  if (first.logit < infinity) return first;
  std::ranges::replace(logits, infinity, -infinity);
  return peak(logits);
}

Distribution Distribution::make(std::span<const float> logits, float peak, float temperature) {
  assert(temperature > 0.0f && peak < infinity && peak > -infinity);
  // The smallest temperatures have no finite inverse; 0 * infinity would be NaN.
  const float inverse = std::min(1.0f / temperature, std::numeric_limits<float>::max());
  return {logits, peak, inverse};
}

double total_weight(const Distribution& d, std::vector<double>* block_weights) {
  if (block_weights) block_weights->clear();
  double total = 0.0;
  for_each<block>(d.logits, [&](std::size_t, const float* values) {
    std::array<Floats, 4> sums{};
    for (std::size_t i = 0; i < block; i += group)
#pragma GCC unroll 4
      for (std::size_t j = 0; j < 4; ++j) {
        const Floats x = load_floats(values + i + j * lanes);
        sums[j] += exp_nonpositive((x - d.peak) * d.inverse_temperature);
      }
    const double sum = sum_of_lanes(sums);
    if (block_weights) block_weights->push_back(sum);
    total += sum;
  });
  return total;
}

Moments moments(const Distribution& d) {
  double total = 0.0, weighted = 0.0;
  for_each<block>(d.logits, [&](std::size_t, const float* values) {
    std::array<Floats, 4> sums{}, weighted_sums{};
    for (std::size_t i = 0; i < block; i += group)
#pragma GCC unroll 4
      for (std::size_t j = 0; j < 4; ++j) {
        const Floats x = load_floats(values + i + j * lanes);
        const Floats scaled = (x - d.peak) * d.inverse_temperature;
        const Floats weight = exp_nonpositive(scaled);
        sums[j] += weight;
        // 0 * -infinity would be NaN.
        weighted_sums[j] += weight * (scaled >= least_exponent ? scaled : Floats{});
      }
    total += sum_of_lanes(sums);
    weighted += sum_of_lanes(weighted_sums);
  });
  return {total, weighted / total};
}

void gather(const Distribution& d, float low, float high, Candidates& candidates) {
  candidates.clear();
  const float least = std::max(low, least_exponent);
  const auto within = [&](Floats x) -> Masks {
    const Floats scaled = (x - d.peak) * d.inverse_temperature;
    return (scaled >= least) & (scaled <= high);
  };
  for_each_group_with(d.logits, within, [&](std::size_t first, const float* logits) {
    std::array<float, group> scaled, weights;
    for (std::size_t i = 0; i < group; i += lanes) {
      const Floats four = (load_floats(logits + i) - d.peak) * d.inverse_temperature;
      const Floats weight = exp_nonpositive(four);
      std::memcpy(&scaled[i], &four, sizeof four);
      std::memcpy(&weights[i], &weight, sizeof weight);
    }
    for (std::size_t i = 0; i < group; ++i)  // what fills up the row is never within
      if (scaled[i] >= least && scaled[i] <= high)
        candidates.push_back({static_cast<TokenId>(first + i), scaled[i], weights[i]});
  });
}

void gather_top(const Distribution& d, std::size_t count, Candidates& candidates) {
  std::vector<ScoredToken> top = largest_logits(d.logits, count);
  std::ranges::sort(top, {}, &ScoredToken::token);
  candidates.clear();
  for (const ScoredToken& scored : top)
    candidates.push_back({scored.token, d.scaled(static_cast<std::size_t>(scored.token)), 0.0f});
  weigh(candidates);
}

// Keeps up to twice `count` tokens, and whenever those are full forgets the lesser half: from then
// on only larger logits than the least of the kept ones need a look. Since tokens rise, an equal
// logit that comes later is the lesser one.
std::vector<ScoredToken> largest_logits(std::span<const float> logits, std::size_t count) {
  count = std::min(count, logits.size());
  if (count == 0) return {};
  const std::size_t capacity = count + std::max<std::size_t>(count, 1024);
  std::vector<ScoredToken> kept;
  kept.reserve(std::min(capacity, logits.size()));
  float threshold = -infinity;
  const auto keep_best = [&] {
    std::ranges::nth_element(kept, kept.begin() + (count - 1), likelier);
    threshold = kept[count - 1].logit;
    kept.resize(count);
  };
  const auto above = [&](Floats x) -> Masks { return x > threshold; };
  for_each_group_with(logits, above, [&](std::size_t first, const float* values) {
    for (std::size_t i = 0; i < group; ++i) {  // what fills up the row is never above
      if (!(values[i] > threshold)) continue;
      kept.push_back({static_cast<TokenId>(first + i), values[i]});
      if (kept.size() == capacity) keep_best();
    }
  });
  if (kept.size() > count) keep_best();
  return kept;
}

TokenId draw_from(const Distribution& d, double uniform, std::vector<double>& block_weights) {
  double left = uniform * total_weight(d, &block_weights);
  std::size_t chosen = 0;  // the block in which the running sum passes the target, and where in it
  double share = 1.0;      // stays so where rounding leaves the target above every sum
  for (std::size_t i = 0; i < block_weights.size(); ++i) {
    if (block_weights[i] <= 0.0) continue;
    chosen = i;
    if (left < block_weights[i]) {
      share = left / block_weights[i];
      break;
    }
    left -= block_weights[i];
  }
  const std::size_t first = chosen * block;
  Candidates candidates;
  gather({d.logits.subspan(first, std::min(block, d.logits.size() - first)), d.peak,
          d.inverse_temperature},
         least_exponent, 0.0f, candidates);
  return static_cast<TokenId>(first) + draw_from(candidates, share);
}

TokenId draw_from(std::span<const Candidate> candidates, double uniform) {
  double total = 0.0;
  for (const Candidate& candidate : candidates) total += static_cast<double>(candidate.weight);
  const double target = uniform * total;
  double sum = 0.0;
  TokenId last = -1;  // with weight: where rounding leaves the target above every sum
  for (const Candidate& candidate : candidates) {
    if (candidate.weight <= 0.0f) continue;
    last = candidate.token;
    sum += static_cast<double>(candidate.weight);
    if (sum > target) break;
  }
  return last;
}

}  // namespace premise
