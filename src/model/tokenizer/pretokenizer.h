// Which splitters cut a text into words, and in which order. A pre-tokenizer is known by the name
// that GGUF files give it (tokenizer.ggml.pre) or by the exact regular expressions of a
// tokenizer.json; anything else is refused.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/tokenizer/splitters.h"

namespace premise {

/// Each step splits the parts that the step before it left. Immutable and thread-safe.
class PreTokenizer {
 public:
  PreTokenizer() = default;  // no step: the text is one part
  explicit PreTokenizer(std::span<const Splitter> steps) : steps_(steps.begin(), steps.end()) {}

  void add(Splitter step) { steps_.push_back(step); }

  /// Replaces `ends` by the ends of the parts of `text`, ascending. Empty for an empty text.
  void split(std::string_view text, std::vector<std::size_t>& ends) const;

 private:
  std::vector<Splitter> steps_;
};

/// A name of tokenizer.ggml.pre, and what goes with it where the file does not say.
struct NamedPreTokenizer {
  std::string_view name;
  std::span<const Splitter> steps;
  bool ignore_merges = false;  // a word that is a piece is that piece, whatever the merges say
  bool add_bos = false;
  bool nfc = false;  // the published tokenizer normalizes text first, which GGUF has no key for
};
const NamedPreTokenizer* find_pretokenizer(std::string_view gguf_name);

/// A pattern of a tokenizer.json's "Split" step.
struct KnownPattern {
  std::string_view regex;
  Splitter splitter;
  bool covers_all;  // every character is inside some match
};
const KnownPattern* find_pattern(std::string_view regex);

}  // namespace premise
