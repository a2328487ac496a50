// Premise's samplers against transformers' logits processors, as recorded by
// tests/golden/make_sampling_goldens.py.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "engine/sampling/filters.h"
#include "engine/sampling/penalties.h"

namespace premise {
namespace {

struct Golden {
  std::string name;
  SamplingParams params;
  std::vector<float> logits;
  std::vector<TokenId> seen, tokens;
  std::vector<double> probabilities;
};

template <typename T>
std::vector<T> read_list(std::istream& in, const std::string& name) {
  std::string word;
  std::size_t count = 0;
  in >> word >> count;
  EXPECT_EQ(word, name);
  std::vector<T> values(count);
  for (T& value : values) in >> value;
  return values;
}

void set(SamplingParams& params, const std::string& name, float value) {
  const std::map<std::string, float*> fields = {{"temperature", &params.temperature},
                                                {"typical_p", &params.typical_p},
                                                {"top_p", &params.top_p},
                                                {"min_p", &params.min_p},
                                                {"repetition_penalty", &params.repetition_penalty}};
  if (name == "top_k") {
    params.top_k = static_cast<std::size_t>(value);
  } else {
    *fields.at(name) = value;
  }
}

std::vector<Golden> goldens() {
  std::ifstream in(PREMISE_SOURCE_DIR "/tests/golden/sampling/filters.txt");
  EXPECT_TRUE(in.good());
  std::vector<std::vector<float>> rows;
  std::vector<Golden> cases;
  while (in >> std::ws && in.peek() == 'r') rows.push_back(read_list<float>(in, "row"));
  std::string word;
  while (in >> word && word == "case") {
    std::size_t row = 0, settings = 0;
    in >> row >> settings;
    Golden golden{"row " + std::to_string(row), {.temperature = 1.0f}, rows.at(row), {}, {}, {}};
    for (; settings > 0; --settings) {
      std::string name, value;
      in >> name >> value;
      golden.name += " " + name + "=" + value;
      set(golden.params, name, std::stof(value));
    }
    golden.seen = read_list<TokenId>(in, "seen");
    golden.tokens = read_list<TokenId>(in, "tokens");
    golden.probabilities = read_list<double>(in, "probabilities");
    cases.push_back(std::move(golden));
  }
  EXPECT_TRUE(in.eof());
  return cases;
}

Candidates survivors(const Golden& golden) {
  std::vector<float> logits = golden.logits;
  Penalties penalties(golden.params);
  for (const TokenId token : golden.seen) penalties.remember(token);
  penalties.apply(logits);
  const auto row = Distribution::make(logits, peak(logits).logit, golden.params.temperature);
  Candidates candidates;
  if (filters_keep_all(golden.params)) {
    gather(row, -std::numeric_limits<float>::infinity(), 0.0f, candidates);
  } else {
    filter(golden.params, row, candidates);
  }
  return candidates;
}

TEST(Samplers, leave_the_tokens_and_probabilities_that_transformers_leaves) {
  const std::vector<Golden> all = goldens();
  ASSERT_EQ(all.size(), 100u);
  for (const Golden& golden : all) {
    const Candidates candidates = survivors(golden);
    double total = 0.0;
    std::vector<TokenId> tokens;
    for (const Candidate& candidate : candidates) {
      tokens.push_back(candidate.token);
      total += static_cast<double>(candidate.weight);
    }
    ASSERT_EQ(tokens, golden.tokens) << golden.name;
    for (std::size_t i = 0; i < candidates.size(); ++i)
      EXPECT_NEAR(candidates[i].weight / total, golden.probabilities[i],
                  1e-6 * golden.probabilities[i] + 1e-12)
          << golden.name << ", token " << tokens[i];
  }
}

}  // namespace
}  // namespace premise
