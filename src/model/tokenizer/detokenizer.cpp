#include "model/tokenizer/detokenizer.h"

#include <span>

namespace premise {

std::string_view IncrementalDetokenizer::push(TokenId id) {
  text_.clear();
  const std::string_view bytes = tokenizer_->bytes_of(id, options_.show_special);
  if (bytes.empty()) return text_;
  if (started_ || options_.keep_leading_space) {
    stream_.push(bytes, text_);
  } else {
    // The tokenizer knows whether a space goes; decoding the first token alone tells.
    stream_.push(tokenizer_->decode(std::span(&id, 1), options_.show_special), text_);
  }
  started_ = true;
  return text_;
}

std::string_view IncrementalDetokenizer::flush() {
  text_.clear();
  stream_.flush(text_);
  started_ = false;
  return text_;
}

}  // namespace premise
