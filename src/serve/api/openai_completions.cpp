// POST /v1/completions, as OpenAI's reference describes it
// (https://platform.openai.com/docs/api-reference/completions). What is taken, refused and
// ignored: docs/api.md.
#include <fmt/format.h>

#include <iterator>
#include <set>

#include "serve/api/collected.h"
#include "serve/api/common_fields.h"
#include "serve/api/dialect.h"
#include "serve/api/json_writer.h"

namespace premise {
namespace {

using nlohmann::json;

constexpr std::size_t completion_tokens_default = 16;  // OpenAI's
constexpr std::size_t prompts_most = 128;

std::optional<std::vector<TokenId>> token_list(const json& list) {
  std::vector<TokenId> tokens;
  for (const json& item : list) {
    if (!item.is_number_integer()) return std::nullopt;
    const bool unsigned_beyond =
        item.is_number_unsigned() && item.get<std::uint64_t>() > std::uint64_t{INT32_MAX};
    if (unsigned_beyond || item.get<std::int64_t>() < 0) return std::nullopt;
    tokens.push_back(item.get<TokenId>());
  }
  return tokens;
}

// A string, strings, token ids, or lists of token ids.
void read_prompts(Fields& fields, GenerationRequest& request) {
  const json* prompt = fields.find("prompt");
  if (prompt == nullptr) return fields.missing("prompt");
  const auto wrong = [&] {
    fields.fail("prompt", text({"'prompt' must be a string, a list of strings, a list of token ids "
                                "or a list of such lists; at least one and at most {} prompts",
                                "“prompt”必须是字符串、字符串列表、词元编号列表或这类列表的列表；"
                                "至少一个、至多 {} 个提示"},
                               prompts_most));
  };
  if (prompt->is_string()) return void(request.prompts.emplace_back(prompt->get<std::string>()));
  if (!prompt->is_array() || prompt->empty()) return wrong();
  if (prompt->front().is_number()) {
    auto tokens = token_list(*prompt);
    return tokens ? void(request.prompts.emplace_back(std::move(*tokens))) : wrong();
  }
  if (prompt->size() > prompts_most) return wrong();
  for (const json& item : *prompt) {
    if (item.is_string() && prompt->front().is_string()) {
      request.prompts.emplace_back(item.get<std::string>());
      continue;
    }
    auto tokens = item.is_array() && prompt->front().is_array() ? token_list(item) : std::nullopt;
    if (!tokens) return wrong();
    request.prompts.emplace_back(std::move(*tokens));
  }
}

void read_completion_offers(Fields& fields, GenerationRequest& request) {
  const auto best_of = fields.integer("best_of", 1, choices_most);
  if (best_of && *best_of != static_cast<std::int64_t>(request.choices))
    fields.fail("best_of",
                text({"'best_of' other than 'n' is not supported: every answer that is generated "
                      "is returned",
                      "不支持与“n”不同的“best_of”：生成的每个结果都会返回"}),
                "unsupported_parameter");
  fields.refuse("suffix", text({"the model only continues a text", "该模型只能续写文本"}));
  const auto logprobs = fields.integer("logprobs", 0, top_logprobs_most);
  request.logprobs = logprobs.has_value();
  request.top_logprobs = static_cast<std::size_t>(logprobs.value_or(0));
  request.echo = fields.boolean("echo").value_or(false);
  if (request.echo && request.logprobs)
    fields.fail(
        "logprobs",
        text({"'logprobs' with 'echo' is not supported: those of the prompt are not computed",
              "不支持同时使用“logprobs”和“echo”：不会计算提示部分的概率"}),
        "unsupported_parameter");
}

OrApiError<GenerationCall> decode_completion(const ApiCall& http) {
  auto body = parse_body(http);
  if (auto* error = std::get_if<ApiError>(&body)) return std::move(*error);
  std::optional<ApiError> failure;
  Fields fields(std::get<json>(body), "", failure);
  GenerationCall call;
  read_prompts(fields, call.request);
  read_common(fields, call);
  const auto most = fields.integer("max_tokens", 0);
  call.request.max_tokens = most ? static_cast<std::size_t>(*most) : completion_tokens_default;
  read_completion_offers(fields, call.request);
  const std::size_t choices = call.request.prompts.size() * call.request.choices;
  if (choices > static_cast<std::size_t>(choices_most))
    fields.fail("n", text({"prompts times 'n' is {}; one request may have {} choices in all",
                           "提示数乘以“n”为 {}；一次请求总共最多 {} 个结果"},
                          choices, choices_most));
  fields.finish();
  if (failure) return std::move(*failure);
  return call;
}

void append_completion_logprobs(std::string& out, bool wanted,
                                const std::vector<GeneratedToken>& tokens) {
  if (!wanted) return void(out += "null");
  std::string chances, tops, offsets;
  out += R"({"tokens":[)";
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    for (std::string* list : {&out, &chances, &tops, &offsets})
      if (i != 0) *list += ',';
    append_json_string(out, tokens[i].token.bytes);
    append_json_number(chances, tokens[i].token.logprob);
    offsets += std::to_string(tokens[i].text_offset);
    tops += '{';
    std::set<std::string> told;  // tokens of different bytes may read the same: the likelier stays
    for (const TokenChance& chance : tokens[i].top) {
      std::string name;
      append_json_string(name, chance.bytes);
      if (!told.insert(name).second) continue;
      if (told.size() > 1) tops += ',';
      tops += name + ':';
      append_json_number(tops, chance.logprob);
    }
    tops += '}';
  }
  out += R"(],"token_logprobs":[)" + chances + R"(],"top_logprobs":[)" + tops +
         R"(],"text_offset":[)" + offsets + "]}";
}

class CompletionReplyEncoder final : public ReplyEncoder {
 public:
  CompletionReplyEncoder(const GenerationCall& call, ReplyHead head)
      : head_(std::move(head)),
        stream_(call.stream),
        include_usage_(call.include_usage),
        logprobs_(call.request.logprobs),
        choices_(call.request.choices * call.request.prompts.size()) {}

  bool streams() const override { return stream_; }
  Reply head() override { return stream_head(""); }

  std::string take(const EndpointEvent& event) override {
    if (!stream_) {
      collected_.take(event);
      return {};
    }
    std::string out;
    if (const auto* text = std::get_if<TextEvent>(&event)) {
      append_piece(out, text->choice, text->text, logprobs_ ? &text->tokens : nullptr, {});
    } else if (const auto* end = std::get_if<ChoiceEnd>(&event)) {
      append_piece(out, end->choice, "", nullptr, end->ending);
    } else {
      end_stream(out, std::get<Ended>(event));
    }
    return out;
  }

  Reply whole() override {
    const Ended ended = collected_.ended.value_or(Ended{Ended::How::failed, {}, {}});
    if (ended.how != Ended::How::complete) return error_reply(ending_error(ended), head_.language);
    collected_.choices.resize(choices_);
    std::string out = opening();
    for (std::size_t i = 0; i < choices_; ++i) {
      const CollectedChoice& choice = collected_.choices[i];
      if (i != 0) out += ',';
      append_choice(out, i, choice.text, logprobs_ ? &choice.tokens : nullptr,
                    choice.ending.value_or(ChoiceEnding::stop));
    }
    out += R"(],"usage":)";
    append_usage(out, ended.usage);
    return {200, "application/json", out += '}', {}};
  }

 private:
  std::string opening() const {
    std::string out = R"({"id":)";
    append_json_string(out, "cmpl-" + head_.request_id);
    fmt::format_to(std::back_inserter(out), R"(,"object":"text_completion","created":{},"model":)",
                   head_.created);
    append_json_string(out, head_.model);
    return out += R"(,"choices":[)";
  }

  static void append_choice(std::string& out, std::size_t index, std::string_view text,
                            const std::vector<GeneratedToken>* tokens,
                            std::optional<ChoiceEnding> ending) {
    out += R"({"text":)";
    append_json_string(out, text);
    fmt::format_to(std::back_inserter(out), R"(,"index":{},"logprobs":)", index);
    append_completion_logprobs(out, tokens != nullptr,
                               tokens ? *tokens : std::vector<GeneratedToken>{});
    out += R"(,"finish_reason":)";
    out += ending ? fmt::format("\"{}\"}}", finish_reason(*ending)) : "null}";
  }

  void append_piece(std::string& out, std::size_t index, std::string_view text,
                    const std::vector<GeneratedToken>* tokens,
                    std::optional<ChoiceEnding> ending) const {
    std::string chunk = opening();
    append_choice(chunk, index, text, tokens, ending);
    chunk += include_usage_ ? R"(],"usage":null})" : "]}";
    append_event(out, chunk);
  }

  void end_stream(std::string& out, const Ended& ended) const {
    if (ended.how != Ended::How::complete) return append_error_event(out, ended, head_.language);
    if (include_usage_) {
      std::string chunk = opening() + R"(],"usage":)";
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

std::unique_ptr<ReplyEncoder> encode_completion(const GenerationCall& call, const ReplyHead& head) {
  return std::make_unique<CompletionReplyEncoder>(call, head);
}

}  // namespace

extern const Dialect openai_completions;
const Dialect openai_completions{.name = "openai_completions",
                                 .method = "POST",
                                 .path = "/v1/completions",
                                 .decode = decode_completion,
                                 .encode = encode_completion};

}  // namespace premise
