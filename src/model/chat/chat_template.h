// A model's chat template: messages in, the text that the model was trained on out.
//
// The text comes as segments, each of them the template's own or data. Only the template's own may
// hold control tokens; the tokenizer must read data as plain text, whatever it looks like.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/chat/limits.h"
#include "model/chat/message.h"
#include "model/chat/value.h"

namespace premise {

struct SyntaxTree;

struct Segment {
  std::string text;
  bool trusted = false;

  bool operator==(const Segment&) const = default;
};

struct RenderOptions {
  bool add_generation_prompt = true;  // end where the assistant begins to speak
  std::string bos_token{};  // as the vocabulary spells it; empty: undefined in the template
  std::string eos_token{};
  Dict variables{};  // more of them: enable_thinking, documents, …
  TemplateLimits limits{};
  std::optional<std::chrono::system_clock::time_point> now{};  // for strftime_now; else the clock
};

/// Immutable, cheap to copy, thread-safe.
class ChatTemplate {
 public:
  /// Jinja, as transformers runs it. bad_input names the line where the source is wrong.
  static Result<ChatTemplate> parse(std::string_view source);

  /// For base models, which know no chat format: "User: …", "Assistant: …", one a line.
  static ChatTemplate transcript();
  bool is_transcript() const { return transcript_; }
  /// A model that goes on by itself writes the next speaker's name: stop there.
  static std::vector<std::string> transcript_stops() { return {"\nUser:", "\nAssistant:"}; }

  /// Renders with exactly these variables (`messages`, `tools`, …), neighbours of one origin
  /// joined. bad_input: the template fails, or costs more than the limits; its line is named.
  /// usage: the template refuses the conversation by raise_exception.
  Result<std::vector<Segment>> render(
      const Dict& variables, const TemplateLimits& limits = {},
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// How the template wants content; found out when it was parsed, by rendering samples.
  struct Content {
    bool as_parts = false;  // a list of {"type": "text", …} even where it is only text
    bool takes_parts = false;
    bool takes_none = false;  // no content beside tool calls may be None; else ""
  };
  const Content& content() const { return content_; }

 private:
  explicit ChatTemplate(std::shared_ptr<const SyntaxTree> tree) : tree_(std::move(tree)) {}

  std::shared_ptr<const SyntaxTree> tree_;
  Content content_;
  bool transcript_ = false;
};

/// Renders a conversation. `tools` are the JSON schemas of the functions on offer. A message with a
/// picture is an Error (usage) where the template takes text only.
Result<std::vector<Segment>> render_chat(const ChatTemplate& chat_template,
                                         std::span<const Message> messages,
                                         std::span<const Value> tools,
                                         const RenderOptions& options);

}  // namespace premise
