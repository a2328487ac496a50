// Tokens in one by one, text out as soon as it is certain.
#pragma once

#include <string>
#include <string_view>

#include "model/tokenizer/tokenizer.h"
#include "model/tokenizer/utf8_stream.h"

namespace premise {

struct DetokenizerOptions {
  bool show_special = false;  // spell control tokens out
  /// True for the continuation of a prompt: the space before its first word belongs to it. False
  /// for text that stands alone: the first token loses its space where Tokenizer::decode drops it.
  bool keep_leading_space = true;
};

/// The pieces joined are Tokenizer::decode of all tokens (with its leading space where that is
/// kept), bytes that are not UTF-8 replaced as Utf8Stream says. A piece never ends inside a
/// character. One detokenizer serves one sequence and one thread; the tokenizer must outlive it.
class IncrementalDetokenizer {
 public:
  explicit IncrementalDetokenizer(const Tokenizer& tokenizer, DetokenizerOptions options = {})
      : tokenizer_(&tokenizer), options_(options) {}

  /// The text that this token completes, often none. Valid until the next call.
  std::string_view push(TokenId id);

  /// The end of the sequence: what an unfinished character becomes (U+FFFD), or nothing. The next
  /// push begins another sequence.
  std::string_view flush();

 private:
  const Tokenizer* tokenizer_;
  DetokenizerOptions options_;
  Utf8Stream stream_;
  std::string text_;
  bool started_ = false;  // a token with text has been seen
};

}  // namespace premise
