// Keys: the ggml project's docs/gguf.md, and the names its converter gives further templates.
// Which one serves a conversation: transformers, "Chat templates".
//
// Transformers adds nothing to what a template writes, and so does this: a BOS that was not there
// in training is as wrong as a second one, and the template is the only witness.
#include "engine/chat_format.h"

namespace premise {
namespace {

constexpr std::string_view key_template = "tokenizer.chat_template";
constexpr std::string_view key_tool_template = "tokenizer.chat_template.tool_use";

// As the vocabulary spells it; empty where it has none.
std::string piece_of(const Vocabulary& vocabulary, std::optional<TokenId> id) {
  return id ? vocabulary.pieces[static_cast<std::size_t>(*id)] : std::string();
}

struct Source {
  std::string text;
  ChatTemplate parsed;
};

Result<std::optional<Source>> read_template(const Metadata& metadata, std::string_view key) {
  PREMISE_TRY(std::string text, metadata.string_or(key, {}));
  if (text.find_first_not_of(" \t\r\n") == text.npos) return std::optional<Source>{};
  auto parsed = ChatTemplate::parse(text);
  if (!parsed) return at(Text{std::string(key), std::string(key)}, std::move(parsed).error());
  return std::optional<Source>{Source{std::move(text), std::move(parsed).value()}};
}

// A template that never says the word leaves tools out without a word.
bool names_tools(const Source& source) { return source.text.find("tools") != std::string::npos; }

}  // namespace

ChatFormat::ChatFormat(const Tokenizer& tokenizer, ChatTemplate plain)
    : tokenizer_(&tokenizer),
      plain_(std::move(plain)),
      bos_(piece_of(tokenizer.vocabulary(), tokenizer.vocabulary().bos)),
      eos_(piece_of(tokenizer.vocabulary(), tokenizer.vocabulary().eos)) {
  if (plain_.is_transcript()) stop_strings_ = ChatTemplate::transcript_stops();
}

Result<ChatFormat> ChatFormat::from_metadata(const Metadata& metadata, const Tokenizer& tokenizer) {
  PREMISE_TRY(const auto plain, read_template(metadata, key_template));
  PREMISE_TRY(const auto with_tools, read_template(metadata, key_tool_template));
  if (!plain && !with_tools) return transcript(tokenizer);
  ChatFormat format(tokenizer, plain ? plain->parsed : with_tools->parsed);
  if (with_tools) {
    format.with_tools_ = with_tools->parsed;
  } else if (names_tools(*plain)) {
    format.with_tools_ = plain->parsed;
  }
  return format;
}

Result<ChatFormat> ChatFormat::from_template(const std::string& jinja, const Tokenizer& tokenizer) {
  PREMISE_TRY(ChatTemplate parsed, ChatTemplate::parse(jinja));
  const Source source{jinja, std::move(parsed)};
  ChatFormat format(tokenizer, source.parsed);
  if (names_tools(source)) format.with_tools_ = source.parsed;
  return format;
}

ChatFormat ChatFormat::transcript(const Tokenizer& tokenizer) {
  return ChatFormat(tokenizer, ChatTemplate::transcript());
}

Result<std::vector<Segment>> ChatFormat::render(std::span<const Message> messages,
                                                std::span<const Value> tools,
                                                const ChatPromptOptions& options) const {
  if (!tools.empty() && !with_tools_)
    return error(ErrorCode::usage, {"the model's chat template has no place for tools",
                                    "该模型的对话模板不支持工具"});
  RenderOptions rendering;
  rendering.add_generation_prompt = options.add_generation_prompt;
  rendering.bos_token = bos_;
  rendering.eos_token = eos_;
  rendering.variables = options.variables;
  rendering.limits = options.limits;
  rendering.now = options.now;
  return render_chat(tools.empty() ? plain_ : *with_tools_, messages, tools, rendering);
}

Result<std::vector<TokenId>> ChatFormat::prompt(std::span<const Message> messages,
                                                std::span<const Value> tools,
                                                const ChatPromptOptions& options) const {
  PREMISE_TRY(const auto segments, render(messages, tools, options));
  std::vector<TextSpan> spans;
  spans.reserve(segments.size());
  for (const Segment& segment : segments) spans.push_back({segment.text, segment.trusted});
  auto ids = tokenizer_->encode(spans, {.add_special = false});
  const Vocabulary& vocabulary = tokenizer_->vocabulary();
  if (is_transcript() && vocabulary.add_bos && vocabulary.bos)
    ids.insert(ids.begin(), *vocabulary.bos);
  return ids;
}

}  // namespace premise
