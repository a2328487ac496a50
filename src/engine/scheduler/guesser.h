// Guesses how a text goes on, from the text alone: where its last three tokens stood before, what
// followed there. Tables, code, quotations and everything that is asked to be changed a little come
// out of the model nearly as they went in, and a decode step reads all weights for one token as
// well as for four. A guess is checked by the model (StepEntry::guesses), so that it can cost time
// but change no answer.
//
// Prompt lookup (Saxena, 2023) and LLMA (Yang et al., 2023, arXiv:2304.04487) describe the idea. A
// draft model guesses better and wants memory and a second engine; that is another step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/request/request.h"

namespace premise {

/// Of one sequence. One thread at a time.
class Guesser {
 public:
  /// At most `most` tokens that may follow `text`, perhaps none. `text` is that of the last call
  /// with more at its end: each token is looked at once.
  std::vector<TokenId> guess(std::span<const TokenId> text, std::size_t most);

  /// How many of `offered` guessed tokens the model drew itself. Guesses that come true grow, those
  /// that do not shrink, and then pause for longer and longer: a text without repetitions shall not
  /// pay for what it does not get.
  void learn(std::size_t offered, std::size_t accepted);

 private:
  static constexpr std::size_t order = 3;  // tokens that must have stood together before
  void read(std::span<const TokenId> text);

  // The position behind the latest occurrence of `order` tokens, by a hash of them; hits are
  // compared with the text.
  std::unordered_map<std::uint64_t, std::size_t> behind_;
  std::size_t known_ = 0;     // tokens of the text that have been read
  std::size_t length_ = 3;    // of the next guess
  std::size_t failures_ = 0;  // guesses in a row of which nothing came true
  std::size_t pause_ = 0;     // calls that will guess nothing
};

}  // namespace premise
