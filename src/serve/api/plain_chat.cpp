// POST /chat: {"input_text": "…"} → {"reply": "…"}. For a shell script, a form, a spreadsheet: one
// question, one answer, no stream and no history.
#include "serve/api/collected.h"
#include "serve/api/dialect.h"
#include "serve/api/fields.h"
#include "serve/api/json_writer.h"

namespace premise {
namespace {

OrApiError<GenerationCall> decode_plain(const ApiCall& http) {
  auto body = parse_body(http);
  if (auto* error = std::get_if<ApiError>(&body)) return std::move(*error);
  std::optional<ApiError> failure;
  Fields fields(std::get<nlohmann::json>(body), "", failure);
  GenerationCall call;
  Conversation conversation;
  if (const std::string* system = fields.string("system"))
    conversation.messages.push_back(Message::text("system", *system));
  if (const std::string* input = fields.string("input_text"))
    conversation.messages.push_back(Message::text("user", *input));
  else
    fields.missing("input_text");
  if (const std::string* model = fields.string("model")) call.model = *model;
  if (const auto most = fields.integer("max_tokens", 1))
    call.request.max_tokens = static_cast<std::size_t>(*most);
  call.request.sampling.temperature =
      static_cast<float>(fields.number("temperature", 0.0, 2.0).value_or(1.0));
  if (const auto seed = fields.integer("seed", INT64_MIN))
    call.request.seed = static_cast<std::uint64_t>(*seed);
  fields.finish();
  if (failure) return std::move(*failure);
  call.request.prompts.emplace_back(std::move(conversation));
  return call;
}

class PlainReplyEncoder final : public ReplyEncoder {
 public:
  explicit PlainReplyEncoder(const ReplyHead& head) : language_(head.language) {}

  bool streams() const override { return false; }
  Reply head() override { return whole(); }
  std::string take(const EndpointEvent& event) override {
    collected_.take(event);
    return {};
  }
  Reply whole() override {
    const Ended ended = collected_.ended.value_or(Ended{Ended::How::failed, {}, {}});
    if (ended.how != Ended::How::complete) return error_reply(ending_error(ended), language_);
    collected_.choices.resize(1);
    std::string out = R"({"reply":)";
    append_json_string(out, collected_.choices[0].text);
    return {200, "application/json", out += '}', {}};
  }

 private:
  Language language_;
  CollectedAnswer collected_;
};

std::unique_ptr<ReplyEncoder> encode_plain(const GenerationCall& /*call*/, const ReplyHead& head) {
  return std::make_unique<PlainReplyEncoder>(head);
}

}  // namespace

extern const Dialect plain_chat;
const Dialect plain_chat{.name = "plain_chat",
                         .method = "POST",
                         .path = "/chat",
                         .decode = decode_plain,
                         .encode = encode_plain};

}  // namespace premise
