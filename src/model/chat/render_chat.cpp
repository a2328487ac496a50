// Messages into the variables that templates of published models read. Source: transformers'
// documentation, "Chat templates" and "Tool use".
#include <algorithm>
#include <array>

#include "base/printable.h"
#include "model/chat/chat_template.h"

namespace premise {
namespace {

// Templates build control tokens out of roles ('<|' + message.role + '|>'), so that the roles which
// the program itself knows count as its own text. Any other comes from outside.
Value role_of(const Message& message) {
  constexpr std::array<std::string_view, 5> known = {"system", "user", "assistant", "tool",
                                                     "developer"};
  const bool trusted = std::find(known.begin(), known.end(), message.role) != known.end();
  return trusted ? Value::text(message.role) : Value::data(message.role);
}

Value call_of(const ToolCall& call) {
  Dict function;
  function.set("name", Value::data(call.name));
  function.set("arguments", call.arguments.is_none() ? Value(Dict()) : call.arguments);
  Dict made;
  if (!call.id.empty()) made.set("id", Value::data(call.id));
  made.set("type", Value::text("function"));
  made.set("function", std::move(function));
  return made;
}

Value typed_part(std::string_view type, const std::string& content) {
  Dict made;
  made.set("type", Value::text(std::string(type)));
  made.set(type, Value::data(content));
  return made;
}

struct Content {
  std::vector<Value> parts;
  std::vector<Value> calls;
  std::string text;
  std::size_t texts = 0;
  bool pictures = false;
};

Content sort_parts(const Message& message) {
  Content content;
  for (const MessagePart& part : message.parts) {
    if (const auto* text = std::get_if<TextPart>(&part)) {
      if (content.texts++ > 0) content.text += '\n';
      content.text += text->text;
      content.parts.push_back(typed_part("text", text->text));
    } else if (const auto* image = std::get_if<ImagePart>(&part)) {
      content.pictures = true;
      content.parts.push_back(typed_part("image", image->source));
    } else {
      content.calls.push_back(call_of(std::get<ToolCall>(part)));
    }
  }
  return content;
}

Result<Value> variables_of(const Message& message, const ChatTemplate::Content& wanted) {
  Content content = sort_parts(message);
  if (content.pictures && !wanted.takes_parts)
    return error(ErrorCode::usage, {"the model's chat template takes text only, no pictures",
                                    "该模型的对话模板只接受文本，不接受图片"});
  Dict made;
  made.set("role", role_of(message));
  if (content.pictures || (wanted.as_parts && content.texts > 0)) {
    made.set("content", Value::list(std::move(content.parts)));
  } else if (content.texts == 0 && !content.calls.empty() && wanted.takes_none) {
    made.set("content", None{});
  } else {
    made.set("content", Value::data(std::move(content.text)));
  }
  if (!message.reasoning.empty()) {
    made.set("reasoning_content", Value::data(message.reasoning));
    made.set("thinking", Value::data(message.reasoning));
  }
  if (!content.calls.empty()) made.set("tool_calls", Value::list(std::move(content.calls)));
  if (!message.name.empty()) made.set("name", Value::data(message.name));
  if (!message.tool_call_id.empty()) made.set("tool_call_id", Value::data(message.tool_call_id));
  return Value(std::move(made));
}

}  // namespace

Result<std::vector<Segment>> render_chat(const ChatTemplate& chat_template,
                                         std::span<const Message> messages,
                                         std::span<const Value> tools,
                                         const RenderOptions& options) {
  std::vector<Value> list;
  list.reserve(messages.size());
  for (const Message& message : messages) {
    PREMISE_TRY(Value made, variables_of(message, chat_template.content()));
    list.push_back(std::move(made));
  }
  Dict variables;
  variables.set("messages", Value::list(std::move(list)));
  variables.set("tools", tools.empty() ? Value(None{}) : Value::list({tools.begin(), tools.end()}));
  variables.set("documents", None{});
  variables.set("add_generation_prompt", options.add_generation_prompt);
  if (!options.bos_token.empty()) variables.set("bos_token", Value::text(options.bos_token));
  if (!options.eos_token.empty()) variables.set("eos_token", Value::text(options.eos_token));
  for (const auto& [name, value] : options.variables.entries()) variables.insert(name, value);
  return chat_template.render(variables, options.limits,
                              options.now.value_or(std::chrono::system_clock::now()));
}

}  // namespace premise
