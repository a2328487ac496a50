// A conversation as plain data: what API dialects decode into and chat templates are given.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "model/chat/value.h"

namespace premise {

struct TextPart {
  std::string text;
};
/// A picture; templates only mark its place, the engine puts its embedding there.
struct ImagePart {
  std::string source;
};
struct ToolCall {
  std::string id;
  std::string name;
  Value arguments;  // a dictionary (value_from_json), as templates expect; null: none
};
using MessagePart = std::variant<TextPart, ImagePart, ToolCall>;

struct Message {
  std::string role;  // system, user, assistant, tool, developer; any other is shown as data
  std::vector<MessagePart> parts;
  std::string reasoning{};     // what a model thought before it answered; empty: nothing
  std::string name{};          // of the tool that answers, or of a participant
  std::string tool_call_id{};  // which call a tool's message answers

  static Message text(std::string role, std::string content) {
    return {std::move(role), {TextPart{std::move(content)}}};
  }
};

}  // namespace premise
