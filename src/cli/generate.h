// One answer from an engine: text as it comes, and what it took.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/interrupt.h"
#include "base/result.h"
#include "engine/engine.h"
#include "model/tokenizer/tokenizer.h"

namespace premise {

struct GenerationTimings {
  std::size_t prompt_tokens = 0;
  std::size_t generated_tokens = 0;
  double prompt_seconds = 0.0;      // until the first token was drawn
  double generation_seconds = 0.0;  // from there to the last

  double prompt_tokens_per_second() const;
  /// Of the tokens after the first.
  double tokens_per_second() const;
};

struct GeneratedAnswer {
  std::string text;             // whole characters; broken UTF-8 replaced
  std::vector<TokenId> tokens;  // without the stop token
  FinishReason reason = FinishReason::length;
  GenerationTimings timings;
};

/// "length", "stop", "cancelled"
std::string_view name_of(FinishReason reason);

/// Runs one request to its end on an idle engine. `sink` gets pieces of text as they are sure:
/// never half a character, and nothing of a stop string, at which the text ends. An interrupt ends
/// the answer with reason `cancelled`; so does a sink that returns false.
Result<GeneratedAnswer> generate(Engine& engine, const Tokenizer& tokenizer, Request request,
                                 const std::vector<std::string>& stop_strings, Interrupt& interrupt,
                                 const std::function<bool(std::string_view)>& sink);

}  // namespace premise
