// The sampling parameters as options of a command, and the log of what they may be.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "engine/request/request.h"
#include "model/tokenizer/tokenizer.h"

namespace CLI {
class App;
}

namespace premise {

struct SamplingOptions {
  SamplingParams params;
  std::vector<std::string> logit_bias;    // "ID=BIAS"
  std::vector<std::string> dry_breakers;  // texts; their tokens break repetitions
};

/// Declares --temperature, --seed and the others. `temperature` is the command's default.
void add_sampling_options(CLI::App& app, SamplingOptions& options, Language language);

/// What was typed, checked and with texts turned into tokens.
Result<SamplingParams> sampling_params(const SamplingOptions& options, const Tokenizer& tokenizer);

}  // namespace premise
