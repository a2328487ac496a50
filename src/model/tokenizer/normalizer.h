// Unicode normal forms and the small rewritings that a tokenizer.json puts in front of its model.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/tokenizer/trusted_runs.h"

namespace premise {

struct NormalizerStep {
  enum class Kind {
    nfc,
    nfd,
    nfkc,
    nfkd,
    lowercase,
    strip_accents,
    replace,
    prepend,
    prepend_once,  // unless the text starts with it
    strip_left,
    strip_right,
    collapse_spaces,  // runs of two and more spaces become `to`
  };
  Kind kind;
  std::string from{};  // replace
  std::string to{};    // replace, prepend, prepend_once, collapse_spaces
};

/// Immutable and thread-safe. Bytes that are not UTF-8 pass through unchanged. Near-linear in the
/// text, whatever marks it piles up.
class Normalizer {
 public:
  Normalizer() = default;
  explicit Normalizer(std::vector<NormalizerStep> steps) : steps_(std::move(steps)) {}

  bool empty() const { return steps_.empty(); }

  /// The normalized text: a view of `text` where nothing changes, else of `storage`.
  std::string_view apply(std::string_view text, std::string& storage) const;

  /// The same text; `runs` of `text` become those of the normalized one. A character made of both
  /// kinds counts as data.
  std::string_view apply(std::string_view text, std::string& storage, TrustedRuns& runs) const;

 private:
  std::vector<NormalizerStep> steps_;
};

}  // namespace premise
