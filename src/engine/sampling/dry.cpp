#include "engine/sampling/dry.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace premise {
namespace {

// z[k] for k in [1, text.size()), over the text read backwards, none larger than `limit`.
void z_array(std::span<const TokenId> text, std::size_t limit, std::vector<std::size_t>& z) {
  const std::size_t count = text.size();
  const auto at = [&](std::size_t i) { return text[count - 1 - i]; };
  z.assign(count, 0);
  // [left, right) is the stretch found so far that reaches farthest; it equals [0, right - left).
  std::size_t left = 0, right = 0;
  for (std::size_t k = 1; k < count; ++k) {
    std::size_t length = k < right ? std::min(z[k - left], right - k) : 0;
    while (length < limit && k + length < count && at(length) == at(k + length)) ++length;
    z[k] = length;
    if (k + length > right) {
      left = k;
      right = k + length;
    }
  }
}

}  // namespace

Dry::Dry(const SamplingParams& params)
    : multiplier_(static_cast<double>(params.dry_multiplier)),
      base_(static_cast<double>(params.dry_base)),
      allowed_(params.dry_allowed_length),
      window_(params.dry_window),
      breakers_(params.dry_breakers) {
  std::ranges::sort(breakers_);
}

void Dry::remember(TokenId token) {
  if (multiplier_ <= 0.0) return;
  text_.push_back(token);
  // What left the window is dropped now and then, not at every token.
  constexpr std::size_t slack = 1024;
  if (window_ > 0 && text_.size() > window_ && text_.size() - window_ > window_ + slack)
    text_.erase(text_.begin(), text_.end() - static_cast<std::ptrdiff_t>(window_));
}

bool Dry::is_breaker(TokenId token) const { return std::ranges::binary_search(breakers_, token); }

// Tokens at the end of the text without a breaker among them.
std::size_t Dry::unbroken_end(std::span<const TokenId> text) const {
  if (breakers_.empty()) return text.size();
  std::size_t length = 0;
  while (length < text.size() && !is_breaker(text[text.size() - 1 - length])) ++length;
  return length;
}

// The longest repetition for every token that would prolong one.
void Dry::find_repetitions(std::span<const TokenId> text) {
  repetitions_.clear();
  const std::size_t least = std::max<std::size_t>(allowed_, 1);
  const std::size_t limit = unbroken_end(text);
  if (limit < least) return;
  z_array(text, limit, z_);
  for (std::size_t k = 1; k < text.size(); ++k) {
    const TokenId followed = text[text.size() - k];
    if (z_[k] >= least && !is_breaker(followed)) repetitions_.push_back({followed, z_[k]});
  }
  std::ranges::sort(repetitions_, [](const Repetition& a, const Repetition& b) {
    return a.token != b.token ? a.token < b.token : a.length > b.length;
  });
  const auto again = std::ranges::unique(repetitions_, {}, &Repetition::token);
  repetitions_.erase(again.begin(), again.end());
}

float Dry::penalty(std::size_t length) const {
  constexpr double most = static_cast<double>(std::numeric_limits<float>::max()) / 4.0;
  const double raw = multiplier_ * std::pow(base_, static_cast<double>(length - allowed_));
  return static_cast<float>(std::min(raw, most));  // also for an infinite power
}

void Dry::apply(std::span<float> logits) {
  const std::size_t kept = window_ == 0 ? text_.size() : std::min(window_, text_.size());
  find_repetitions(std::span(text_).last(kept));
  for (const Repetition& repetition : repetitions_) {
    const auto index = static_cast<std::size_t>(repetition.token);  // huge for a negative token
    if (index < logits.size()) logits[index] -= penalty(repetition.length);
  }
}

}  // namespace premise
