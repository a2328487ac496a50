// Logits of tiny models, and how far they lie apart: for tests of the engine.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/host.h"
#include "model/architectures/tiny_model_testing.h"
#include "model/plan/architecture.h"
#include "numerics/kernels/usable_isa.h"

namespace premise::testing {

using Logits = std::vector<std::vector<float>>;  // [positions][vocabulary]

/// Empty where this machine computes with `isa`, else the reason why not.
inline std::string why_not(std::string_view isa) {
  const auto chosen = usable_isa(isa);
  return chosen.ok() ? "" : chosen.error().what.en;
}

/// Logits after every token of `tokens`.
inline Result<Logits> score(const TensorSource& source, std::string_view isa, int threads,
                            const EngineOptions& options, std::span<const TokenId> tokens) {
  PREMISE_TRY(const auto host, Host::create({threads, isa}));
  PREMISE_TRY(const auto engine, Engine::create(source, *host, options));
  Logits logits;
  PREMISE_CHECK(engine->score(tokens, 0, [&](std::size_t, std::span<float> row) -> Status {
    logits.emplace_back(row.begin(), row.end());
    return {};
  }));
  return logits;
}

inline double standard_deviation(const Logits& logits) {
  double sum = 0.0, squares = 0.0, count = 0.0;
  for (const auto& row : logits) {
    for (const double value : row) {
      sum += value;
      squares += value * value;
      ++count;
    }
  }
  const double mean = sum / count;
  return std::sqrt(squares / count - mean * mean);
}

/// max |found - expected| / std(expected); infinite where one is not a number.
inline double deviation(const Logits& found, const Logits& expected) {
  double most = found.size() == expected.size() ? 0.0 : INFINITY;
  for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
    if (found[i].size() != expected[i].size()) return INFINITY;
    for (std::size_t j = 0; j < found[i].size(); ++j) {
      const double difference = std::abs(double{found[i][j]} - double{expected[i][j]});
      most = std::isfinite(difference) ? std::max(most, difference) : INFINITY;
    }
  }
  return most / standard_deviation(expected);
}

inline std::pair<double, double> sum_and_norm(std::span<const float> row) {
  double sum = 0.0, squares = 0.0;
  for (const double value : row) {
    sum += value;
    squares += value * value;
  }
  return {sum, std::sqrt(squares)};
}

}  // namespace premise::testing
