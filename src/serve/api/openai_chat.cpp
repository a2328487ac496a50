// POST /v1/chat/completions, as OpenAI's reference describes it
// (https://platform.openai.com/docs/api-reference/chat). What is taken, refused and ignored:
// docs/api.md.
#include <fmt/format.h>

#include <iterator>

#include "serve/api/collected.h"
#include "serve/api/common_fields.h"
#include "serve/api/dialect.h"
#include "serve/api/json_writer.h"
#include "serve/api/read_messages.h"

namespace premise {
namespace {

using nlohmann::json;

void read_chat_length(Fields& fields, GenerationRequest& request) {
  const auto older = fields.integer("max_tokens", 1);
  const auto newer = fields.integer("max_completion_tokens", 1);
  if (older && newer && *older != *newer)
    fields.fail("max_tokens", text({"'max_tokens' and 'max_completion_tokens' differ; send one",
                                    "“max_tokens”与“max_completion_tokens”不一致；请只发送一个"}));
  if (const auto most = newer ? newer : older) request.max_tokens = static_cast<std::size_t>(*most);
}

void read_chat_logprobs(Fields& fields, GenerationRequest& request) {
  request.logprobs = fields.boolean("logprobs").value_or(false);
  const auto top = fields.integer("top_logprobs", 0, top_logprobs_most);
  if (top && !request.logprobs)
    fields.fail("top_logprobs", text({"'top_logprobs' needs 'logprobs': true",
                                      "“top_logprobs”需要“logprobs”: true"}));
  request.top_logprobs = static_cast<std::size_t>(top.value_or(0));
}

// Values that ask for nothing special are taken, all others refused: a client that counts on a tool
// or a schema must not get plain text.
void read_offers(Fields& fields) {
  const Text later = text({"this version does not offer it", "当前版本尚未提供"});
  const json* tools = fields.find("tools");
  if (tools != nullptr && (!tools->is_array() || !tools->empty())) fields.refuse("tools", later);
  const json* choice = fields.find("tool_choice");
  if (choice != nullptr && *choice != "none" && *choice != "auto")
    fields.refuse("tool_choice", later);
  const json* format = fields.find("response_format");
  const bool plain = format != nullptr && format->is_object() && format->size() == 1 &&
                     format->contains("type") && (*format)["type"] == "text";
  if (format != nullptr && !plain) fields.refuse("response_format", later);
  const json* modalities = fields.find("modalities");
  if (modalities != nullptr && *modalities != json::array({"text"}))
    fields.refuse("modalities", text({"this model writes text only", "该模型只能输出文本"}));
  for (const char* name : {"audio", "functions", "function_call", "web_search_options",
                           "reasoning_effort", "verbosity"})
    fields.refuse(name, later);
  fields.ignore({"parallel_tool_calls", "prediction"});
}

OrApiError<GenerationCall> decode_chat(const ApiCall& http) {
  auto body = parse_body(http);
  if (auto* error = std::get_if<ApiError>(&body)) return std::move(*error);
  std::optional<ApiError> failure;
  Fields fields(std::get<json>(body), "", failure);
  GenerationCall call;
  Conversation conversation;
  read_messages(fields, conversation);
  read_common(fields, call);
  read_chat_length(fields, call.request);
  read_chat_logprobs(fields, call.request);
  read_offers(fields);
  fields.finish();
  if (failure) return std::move(*failure);
  call.request.prompts.emplace_back(std::move(conversation));
  return call;
}

void append_chat_chance(std::string& out, const TokenChance& chance) {
  out += R"({"token":)";
  append_json_string(out, chance.bytes);
  out += R"(,"logprob":)";
  append_json_number(out, chance.logprob);
  out += R"(,"bytes":[)";
  for (std::size_t i = 0; i < chance.bytes.size(); ++i)
    fmt::format_to(std::back_inserter(out), "{}{}", i == 0 ? "" : ",",
                   static_cast<unsigned>(static_cast<unsigned char>(chance.bytes[i])));
  out += ']';
}

void append_chat_logprobs(std::string& out, bool wanted,
                          const std::vector<GeneratedToken>& tokens) {
  if (!wanted) return void(out += "null");
  out += R"({"content":[)";
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i != 0) out += ',';
    append_chat_chance(out, tokens[i].token);
    out += R"(,"top_logprobs":[)";
    for (std::size_t j = 0; j < tokens[i].top.size(); ++j) {
      if (j != 0) out += ',';
      append_chat_chance(out, tokens[i].top[j]);
      out += '}';
    }
    out += "]}";
  }
  out += R"(],"refusal":null})";
}

class ChatReplyEncoder final : public ReplyEncoder {
 public:
  ChatReplyEncoder(const GenerationCall& call, ReplyHead head)
      : head_(std::move(head)),
        stream_(call.stream),
        include_usage_(call.include_usage),
        logprobs_(call.request.logprobs),
        choices_(call.request.choices) {}

  bool streams() const override { return stream_; }

  // OpenAI's first chunk of every choice names the role.
  Reply head() override {
    std::string body;
    for (std::size_t i = 0; i < choices_; ++i)
      append_chunk(body, i, R"({"role":"assistant","content":"","refusal":null})", nullptr, "null");
    return stream_head(std::move(body));
  }

  std::string take(const EndpointEvent& event) override {
    if (!stream_) {
      collected_.take(event);
      return {};
    }
    std::string out;
    if (const auto* text = std::get_if<TextEvent>(&event)) {
      std::string delta = R"({"content":)";
      append_json_string(delta, text->text);
      append_chunk(out, text->choice, delta += '}', logprobs_ ? &text->tokens : nullptr, "null");
    } else if (const auto* end = std::get_if<ChoiceEnd>(&event)) {
      append_chunk(out, end->choice, "{}", nullptr,
                   fmt::format("\"{}\"", finish_reason(end->ending)));
    } else {
      end_stream(out, std::get<Ended>(event));
    }
    return out;
  }

  Reply whole() override {
    const Ended ended = collected_.ended.value_or(Ended{Ended::How::failed, {}, {}});
    if (ended.how != Ended::How::complete) return error_reply(ending_error(ended), head_.language);
    collected_.choices.resize(choices_);
    std::string out = opening("chat.completion");
    for (std::size_t i = 0; i < choices_; ++i) {
      const CollectedChoice& choice = collected_.choices[i];
      fmt::format_to(std::back_inserter(out),
                     R"({}{{"index":{},"message":{{"role":"assistant",)"
                     R"("content":)",
                     i == 0 ? "" : ",", i);
      append_json_string(out, choice.text);
      out += R"(,"refusal":null},"logprobs":)";
      append_chat_logprobs(out, logprobs_, choice.tokens);
      fmt::format_to(std::back_inserter(out), R"(,"finish_reason":"{}"}})",
                     finish_reason(choice.ending.value_or(ChoiceEnding::stop)));
    }
    out += R"(],"usage":)";
    append_usage(out, ended.usage);
    return {200, "application/json", out += '}', {}};
  }

 private:
  std::string opening(std::string_view object) const {
    std::string out = R"({"id":)";
    append_json_string(out, "chatcmpl-" + head_.request_id);
    fmt::format_to(std::back_inserter(out), R"(,"object":"{}","created":{},"model":)", object,
                   head_.created);
    append_json_string(out, head_.model);
    return out += R"(,"choices":[)";
  }

  void append_chunk(std::string& out, std::size_t index, std::string_view delta,
                    const std::vector<GeneratedToken>* tokens, std::string_view finish) const {
    std::string chunk = opening("chat.completion.chunk");
    fmt::format_to(std::back_inserter(chunk), R"({{"index":{},"delta":{},"logprobs":)", index,
                   delta);
    append_chat_logprobs(chunk, tokens != nullptr,
                         tokens ? *tokens : std::vector<GeneratedToken>{});
    fmt::format_to(std::back_inserter(chunk), R"(,"finish_reason":{}}}]{}}})", finish,
                   include_usage_ ? R"(,"usage":null)" : "");
    append_event(out, chunk);
  }

  void end_stream(std::string& out, const Ended& ended) const {
    if (ended.how != Ended::How::complete) return append_error_event(out, ended, head_.language);
    if (include_usage_) {
      std::string chunk = opening("chat.completion.chunk") + R"(],"usage":)";
      append_usage(chunk, ended.usage);
      append_event(out, chunk += '}');
    }
    append_event(out, "[DONE]");
  }

  ReplyHead head_;
  bool stream_, include_usage_, logprobs_;
  std::size_t choices_;
  CollectedAnswer collected_;
};

std::unique_ptr<ReplyEncoder> encode_chat(const GenerationCall& call, const ReplyHead& head) {
  return std::make_unique<ChatReplyEncoder>(call, head);
}

}  // namespace

extern const Dialect openai_chat;
const Dialect openai_chat{.name = "openai_chat",
                          .method = "POST",
                          .path = "/v1/chat/completions",
                          .decode = decode_chat,
                          .encode = encode_chat};

}  // namespace premise
