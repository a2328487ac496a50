#include "model/chat/probe_template.h"

namespace premise {
namespace {

constexpr std::string_view mark = "<premise-probe-7f3a>";

Dict message(std::string_view role, Value content) {
  Dict made;
  made.set("role", Value::text(std::string(role)));
  made.set("content", std::move(content));
  return made;
}

std::optional<std::string> rendered(const ChatTemplate& chat_template,
                                    std::vector<Value> messages) {
  Dict variables;
  variables.set("messages", Value::list(std::move(messages)));
  variables.set("tools", None{});
  variables.set("add_generation_prompt", true);
  variables.set("bos_token", Value::text("<s>"));
  variables.set("eos_token", Value::text("</s>"));
  TemplateLimits limits;
  limits.steps = 200'000;
  limits.memory_bytes = 8u << 20;
  const auto segments = chat_template.render(variables, limits);
  if (!segments) return std::nullopt;
  std::string joined;
  for (const Segment& segment : *segments) joined += segment.text;
  return joined;
}

Value part() {
  Dict made;
  made.set("type", Value::text("text"));
  made.set("text", Value::data(std::string(mark)));
  return made;
}

Value tool_call() {
  Dict arguments;
  arguments.set("city", Value::data("Paris"));
  Dict function;
  function.set("name", Value::data("weather"));
  function.set("arguments", std::move(arguments));
  Dict call;
  call.set("id", Value::data("call00001"));
  call.set("type", Value::text("function"));
  call.set("function", std::move(function));
  return Value::list({std::move(call)});
}

// The mark alone: not within a list that was printed as Python writes it.
bool shows_mark(const std::optional<std::string>& text) {
  if (!text) return false;
  const auto at = text->find(mark);
  if (at == text->npos) return false;
  return text->find("'type'") == text->npos && text->find("\"type\"") == text->npos;
}

}  // namespace

ChatTemplate::Content probe_content(const ChatTemplate& chat_template) {
  ChatTemplate::Content content;
  const bool text =
      shows_mark(rendered(chat_template, {message("user", Value::data(std::string(mark)))}));
  content.takes_parts =
      shows_mark(rendered(chat_template, {message("user", Value::list({part()}))}));
  content.as_parts = content.takes_parts && !text;
  Dict call = message("assistant", None{});
  call.set("tool_calls", tool_call());
  const auto called = rendered(chat_template, {message("user", Value::data("?")), call});
  content.takes_none = called && called->find("None") == called->npos;
  return content;
}

}  // namespace premise
