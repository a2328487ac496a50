#include "serve/cache/result_key.h"

#include <bit>
#include <cstdint>
#include <type_traits>

#include "base/hash.h"

namespace premise {
namespace {

// Changes whenever what is written below does, or what a kept answer looks like.
constexpr std::string_view key_version = "premise result 1";

bool is_greedy(const SamplingParams& sampling) {
  return sampling.temperature == 0.0f && !sampling.mirostat;
}

/// Numbers as eight bytes, little-endian; texts and lists after their length.
class KeyWriter {
 public:
  explicit KeyWriter(Hasher& hasher) : hasher_(hasher) {}

  template <typename Number>
    requires std::is_integral_v<Number>
  void put(Number number) {
    auto bits = static_cast<std::uint64_t>(number);
    char bytes[8];
    for (char& byte : bytes) {
      byte = static_cast<char>(bits & 0xFF);
      bits >>= 8;
    }
    hasher_.update(std::string_view(bytes, sizeof bytes));
  }
  void put(float number) { put(std::bit_cast<std::uint32_t>(number)); }
  void put(std::string_view text) {
    put(text.size());
    hasher_.update(text);
  }
  template <typename T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <typename A, typename B>
  void put(const std::pair<A, B>& value) {
    put(value.first);
    put(value.second);
  }
  template <typename T>
  void put(const std::vector<T>& list) {
    put(list.size());
    for (const T& each : list) put(each);
  }
  void put(const std::string& text) { put(std::string_view(text)); }
  void put(const PreparedPrompt& prompt) {
    const auto& [tokens, max_tokens, text] = prompt;
    put_all(tokens, max_tokens, text);
  }
  void put(const SamplingParams& sampling);
  void put(const GenerationRequest& request);

  template <typename... Values>
  void put_all(const Values&... values) {
    (put(values), ...);
  }

 private:
  Hasher& hasher_;
};

void KeyWriter::put(const SamplingParams& sampling) {
  const auto& [logit_bias, penalty_window, repetition_penalty, frequency_penalty, presence_penalty,
               dry_multiplier, dry_base, dry_allowed_length, dry_window, dry_breakers, temperature,
               mirostat, mirostat_tau, mirostat_eta, top_k, typical_p, top_p, min_p, seed] =
      sampling;
  static_cast<void>(seed);  // the request's own takes its place
  put_all(logit_bias, penalty_window, repetition_penalty, frequency_penalty, presence_penalty,
          dry_multiplier, dry_base, dry_allowed_length, dry_window, dry_breakers, temperature,
          mirostat, mirostat_tau, mirostat_eta, top_k, typical_p, top_p, min_p);
}

void KeyWriter::put(const GenerationRequest& request) {
  const auto& [prompts, choices, sampling, seed, max_tokens, stop, logprobs, top_logprobs,
               ignore_eos, echo, owner, prefix_scope] = request;
  static_cast<void>(prompts);       // none: they have become tokens
  static_cast<void>(owner);         // whose turn it is
  static_cast<void>(prefix_scope);  // who shares prefixes; who shares answers is the source's
  put_all(choices, sampling, max_tokens, stop, logprobs, top_logprobs, ignore_eos, echo);
  // A greedy request draws nothing, and prepare() has given it a seed that nobody asked for.
  put(is_greedy(sampling) ? std::nullopt : seed);
}

}  // namespace

bool cacheable(const GenerationRequest& request) {
  return is_greedy(request.sampling) || request.seed.has_value();
}

Result<ResultKey> result_key(const ResultSource& source, const PreparedRequest& prepared) {
  const auto& [request, prompts, stop_tokens, keep_leading_space] = prepared;
  if (source.scope.empty() || !request.prompts.empty())
    return error(ErrorCode::no, {"this answer belongs to nobody who could share it, or its prompt "
                                 "was not read",
                                 "该回答没有可共享的范围，或其提示未被读取"});
  PREMISE_TRY(Hasher hasher, Hasher::create(HashKind::sha256));
  KeyWriter writer(hasher);
  writer.put_all(key_version, source.model, source.scope, request, prompts, stop_tokens,
                 keep_leading_space);
  return ResultKey{hasher.hex(), prepared.choices()};
}

}  // namespace premise
