#include "serve/api/read_messages.h"

#include <algorithm>
#include <array>

#include "base/printable.h"
#include "model/chat/json_text.h"

namespace premise {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 5> roles = {"system", "developer", "user", "assistant",
                                                   "tool"};

void read_part(Fields fields, Message& message) {
  const std::string* type = fields.string("type");
  if (type == nullptr) return fields.missing("type");
  if (*type != "text") {
    const Text why = *type == "image_url" || *type == "input_audio" || *type == "file"
                         ? text({"this model reads text only", "该模型只能读取文本"})
                         : text({"it is no kind of content", "没有这种内容类型"});
    return fields.fail("type",
                       Text{fmt::format("a part of type '{}': {}", printable(*type), why.en),
                            fmt::format("类型为“{}”的内容：{}", printable(*type), why.zh)},
                       "unsupported_content");
  }
  if (const std::string* text = fields.string("text"))
    message.parts.push_back(TextPart{*text});
  else
    fields.missing("text");
  fields.finish();
}

void read_content(Fields& fields, Message& message) {
  const json* content = fields.find("content");
  if (content == nullptr) return;
  if (content->is_string()) {
    message.parts.push_back(TextPart{content->get<std::string>()});
    return;
  }
  if (!content->is_array())
    return fields.fail("content",
                       text({"'content' must be a string or a list of parts",
                             "“content”必须是字符串或内容片段的列表"}),
                       "invalid_type");
  for (std::size_t i = 0; i < content->size(); ++i) {
    const std::string path = fields.path_of(fmt::format("content[{}]", i));
    if (!(*content)[i].is_object())
      return fields.fail(fmt::format("content[{}]", i),
                         text({"'{}' must be an object", "“{}”必须是对象"}, path), "invalid_type");
    read_part(Fields((*content)[i], path + ".", fields.failure()), message);
  }
}

void read_function(Fields fields, ToolCall& call) {
  if (const std::string* name = fields.string("name"))
    call.name = *name;
  else
    fields.missing("name");
  if (const std::string* arguments = fields.string("arguments"); arguments && !arguments->empty()) {
    auto value = value_from_json(*arguments);
    if (value && value->dict() != nullptr)
      call.arguments = std::move(value).value();
    else
      fields.fail("arguments", text({"'{}' must be a JSON object, written as a string",
                                     "“{}”必须是以字符串形式书写的 JSON 对象"},
                                    fields.path_of("arguments")));
  }
  fields.finish();
}

void read_tool_call(Fields fields, Message& message) {
  ToolCall call;
  const std::string* type = fields.string("type");
  if (type != nullptr && *type != "function")
    fields.fail("type", text({"only calls of functions are known here: 'function'",
                              "这里只支持函数调用：“function”"}));
  if (const std::string* id = fields.string("id")) call.id = *id;
  if (const json* function = fields.object("function"))
    read_function(Fields(*function, fields.path_of("function."), fields.failure()), call);
  else
    fields.missing("function");
  fields.finish();
  message.parts.push_back(std::move(call));
}

void read_message(Fields fields, Conversation& conversation) {
  Message message;
  const std::string* role = fields.string("role");
  if (role == nullptr) return fields.missing("role");
  if (std::ranges::find(roles, *role) == roles.end())
    return fields.fail("role", text({"'{}' must be system, developer, user, assistant or tool",
                                     "“{}”必须是 system、developer、user、assistant 或 tool"},
                                    fields.path_of("role")));
  message.role = *role;
  read_content(fields, message);
  const bool assistant = *role == "assistant";
  if (const std::string* name = fields.string("name")) message.name = *name;
  if (assistant) {
    if (const std::string* thought = fields.string("reasoning_content"))
      message.reasoning = *thought;
    if (const json* calls = fields.list("tool_calls"))
      for (std::size_t i = 0; i < calls->size(); ++i) {
        const std::string path = fields.path_of(fmt::format("tool_calls[{}]", i));
        if (!(*calls)[i].is_object())
          return fields.fail(fmt::format("tool_calls[{}]", i),
                             text({"'{}' must be an object", "“{}”必须是对象"}, path),
                             "invalid_type");
        read_tool_call(Fields((*calls)[i], path + ".", fields.failure()), message);
      }
    fields.ignore({"refusal", "annotations"});  // as they stand in an answer that is sent back
    fields.refuse("audio", text({"this model reads text only", "该模型只能读取文本"}));
    fields.refuse("function_call", text({"send tool_calls instead", "请改用 tool_calls"}));
  }
  if (*role == "tool") {
    if (const std::string* id = fields.string("tool_call_id"))
      message.tool_call_id = *id;
    else
      fields.missing("tool_call_id");
  }
  if (message.parts.empty() && !fields.has("content")) fields.missing("content");
  fields.finish();
  conversation.messages.push_back(std::move(message));
}

}  // namespace

void read_messages(Fields& fields, Conversation& conversation) {
  const json* messages = fields.list("messages");
  if (messages == nullptr) return fields.missing("messages");
  if (messages->empty())
    return fields.fail("messages", text({"'messages' is empty: a conversation has at least one",
                                         "“messages”为空：对话至少要有一条消息"}));
  for (std::size_t i = 0; i < messages->size() && !fields.failure(); ++i) {
    const std::string name = fmt::format("messages[{}]", i);
    if (!(*messages)[i].is_object())
      return fields.fail(name, text({"'{}' must be an object", "“{}”必须是对象"}, name),
                         "invalid_type");
    read_message(Fields((*messages)[i], name + ".", fields.failure()), conversation);
  }
}

}  // namespace premise
