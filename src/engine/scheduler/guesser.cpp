#include "engine/scheduler/guesser.h"

#include <algorithm>

namespace premise {
namespace {

constexpr std::size_t longest_guess = 15;
constexpr std::size_t longest_pause_log = 5;  // 32 steps

std::uint64_t hash_of(std::span<const TokenId> tokens) {
  std::uint64_t hash = 0x9e3779b97f4a7c15u;
  for (const TokenId token : tokens) {
    hash = (hash ^ static_cast<std::uint32_t>(token)) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  }
  return hash;
}

}  // namespace

// The last `order` tokens are entered only when something follows them, so that a text's end never
// finds itself.
void Guesser::read(std::span<const TokenId> text) {
  for (std::size_t next = std::max(known_, order); next < text.size(); ++next)
    behind_[hash_of(text.subspan(next - order, order))] = next;
  known_ = text.size();
}

std::vector<TokenId> Guesser::guess(std::span<const TokenId> text, std::size_t most) {
  read(text);
  if (pause_ > 0) {
    --pause_;
    return {};
  }
  most = std::min(most, length_);
  if (most == 0 || text.size() <= order) return {};
  const auto end = text.last(order);
  const auto found = behind_.find(hash_of(end));
  if (found == behind_.end()) return {};
  const std::size_t from = found->second;
  if (!std::ranges::equal(text.subspan(from - order, order), end)) return {};
  std::vector<TokenId> guessed;
  // Past the end of the text the guess goes on with itself: a text that repeats itself from there.
  for (std::size_t at = from; guessed.size() < most; ++at)
    guessed.push_back(at < text.size() ? text[at] : guessed[at - text.size()]);
  return guessed;
}

void Guesser::learn(std::size_t offered, std::size_t accepted) {
  if (offered == 0) return;
  if (accepted == 0) {
    pause_ = (std::size_t{1} << std::min(failures_++, longest_pause_log)) - 1;
    length_ = 1;
    return;
  }
  failures_ = 0;
  length_ = accepted == offered ? std::min(std::max(length_, 2 * offered), longest_guess)
                                : std::max<std::size_t>(accepted, 1);
}

}  // namespace premise
