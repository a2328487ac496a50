// How a model is talked to: a conversation in, the tokens of its prompt out.
//
// Puts together what sibling rooms know: the chat template renders stretches of text that are its
// own or data, the tokenizer lets control tokens come of the former only.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/chat/chat_template.h"
#include "model/formats/metadata.h"
#include "model/tokenizer/tokenizer.h"

namespace premise {

struct ChatPromptOptions {
  bool add_generation_prompt = true;  // end where the assistant begins to speak
  Dict variables{};                   // for the template: enable_thinking, documents, …
  TemplateLimits limits{};
  std::optional<std::chrono::system_clock::time_point> now{};  // what templates take for today
};

/// Immutable and thread-safe. The tokenizer is borrowed and must outlive it.
class ChatFormat {
 public:
  /// The model's own format: tokenizer.chat_template, and tokenizer.chat_template.tool_use for
  /// conversations with tools where the file has both. A model without a template is a base model
  /// and gets the transcript. bad_input: a template is not Jinja; its key and line are named.
  static Result<ChatFormat> from_metadata(const Metadata& metadata, const Tokenizer& tokenizer);

  /// A format by a template in place of the model's own. bad_input: it is not Jinja.
  static Result<ChatFormat> from_template(const std::string& jinja, const Tokenizer& tokenizer);

  /// "User: …", "Assistant: …", one a line: for base models, and to ignore a template.
  static ChatFormat transcript(const Tokenizer& tokenizer);

  /// Nothing in the file says how to talk to the model: tell people so.
  bool is_transcript() const { return plain_.is_transcript(); }

  /// Whether tools on offer reach the model at all.
  bool takes_tools() const { return with_tools_.has_value(); }

  /// The prompt. The template alone decides about BOS, as it does in training; a transcript begins
  /// with BOS where the vocabulary wants it. usage: the template refuses the conversation, or tools
  /// or pictures are given to a format that takes none. bad_input: the template fails.
  Result<std::vector<TokenId>> prompt(std::span<const Message> messages,
                                      std::span<const Value> tools = {},
                                      const ChatPromptOptions& options = {}) const;

  /// The text behind prompt(), as the template wrote it.
  Result<std::vector<Segment>> render(std::span<const Message> messages,
                                      std::span<const Value> tools = {},
                                      const ChatPromptOptions& options = {}) const;

  /// An answer ends at these tokens …
  std::span<const TokenId> stop_tokens() const {
    return tokenizer_->vocabulary().end_of_generation;
  }
  /// … or before one of these strings (a transcript's next speaker; none with a template).
  const std::vector<std::string>& stop_strings() const { return stop_strings_; }

 private:
  ChatFormat(const Tokenizer& tokenizer, ChatTemplate plain);

  const Tokenizer* tokenizer_;
  ChatTemplate plain_;                      // for conversations without tools
  std::optional<ChatTemplate> with_tools_;  // for those with
  std::string bos_, eos_;                   // as the vocabulary spells them
  std::vector<std::string> stop_strings_;
};

}  // namespace premise
