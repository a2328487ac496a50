// Callers' side of a LocalEndpoint: rendering, encoding, counting.
#include <algorithm>
#include <random>

#include "serve/local/local_endpoint.h"

namespace premise {
namespace {

Refusal bad(std::string param, Text what) {
  return {RefusalReason::bad_request, std::move(what), std::move(param)};
}

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

std::optional<Refusal> LocalEndpoint::encode(Prompt& prompt, PreparedRequest& into) const {
  PreparedPrompt prepared;
  if (auto* text = std::get_if<std::string>(&prompt)) {
    prepared.tokens = tokenizer_->encode(*text);
    if (into.request.echo) prepared.text = std::move(*text);
  } else if (auto* tokens = std::get_if<std::vector<TokenId>>(&prompt)) {
    for (const TokenId token : *tokens)
      if (token < 0 || static_cast<std::size_t>(token) >= vocabulary_)
        return bad("prompt", premise::text({"token {} is outside the vocabulary of {}",
                                            "词元 {} 超出词表范围（{}）"},
                                           token, vocabulary_));
    if (into.request.echo) prepared.text = tokenizer_->decode(*tokens);
    prepared.tokens = std::move(*tokens);
  } else {
    if (!encoder_)
      return bad("messages", premise::text({"this model has no chat format; send a prompt instead",
                                            "该模型没有对话格式；请改为发送 prompt"}));
    auto encoded = encoder_->encode(std::get<Conversation>(prompt));
    if (!encoded) return bad("messages", std::move(encoded).error().what);
    prepared.tokens = std::move(encoded->tokens);
    into.request.stop.insert(into.request.stop.end(), encoded->stops.begin(), encoded->stops.end());
    if (!into.request.ignore_eos)
      into.stop_tokens.insert(into.stop_tokens.end(), encoded->stop_tokens.begin(),
                              encoded->stop_tokens.end());
    into.keep_leading_space = false;
  }
  into.prompts.push_back(std::move(prepared));
  return std::nullopt;
}

std::optional<Refusal> LocalEndpoint::check_length(PreparedPrompt& prompt, std::size_t index,
                                                   const GenerationRequest& request) const {
  const char* param =
      std::holds_alternative<Conversation>(request.prompts[index]) ? "messages" : "prompt";
  const std::size_t length = prompt.tokens.size();
  if (length == 0)
    return bad(param, text({"the prompt is empty: it has no token", "提示为空：没有任何词元"}));
  const std::size_t least = request.max_tokens.value_or(1);
  if (length <= context_ && least <= context_ - length) {
    prompt.max_tokens = request.max_tokens.value_or(context_ - length);
    return std::nullopt;
  }
  Refusal refusal{RefusalReason::too_long, {}, param};
  refusal.what =
      request.max_tokens
          ? text({"the context of this model is {} tokens, but {} in the prompt and {} to generate "
                  "were asked for; shorten the prompt or lower max_tokens",
                  "该模型的上下文为 {} 个词元，但请求中提示占 {} 个、要生成 {} "
                  "个；请缩短提示或减小 max_tokens"},
                 context_, length, least)
          : text(
                {"the context of this model is {} tokens, but the prompt has {} and leaves no room "
                 "for an answer; shorten the prompt",
                 "该模型的上下文为 {} 个词元，但提示有 {} 个，没有为回答留出空间；请缩短提示"},
                context_, length);
  return refusal;
}

Accepted<PreparedRequest> LocalEndpoint::prepare(GenerationRequest request) const {
  if (const Status status = check(request.sampling); !status.ok())
    return refuse(bad("", status.error().what));
  for (const auto& [token, bias] : request.sampling.logit_bias)
    if (token < 0 || static_cast<std::size_t>(token) >= vocabulary_)
      return refuse(bad("logit_bias", text({"token {} is outside the vocabulary of {}",
                                            "词元 {} 超出词表范围（{}）"},
                                           token, vocabulary_)));
  const std::size_t most = options_.choices_max;
  if (request.prompts.empty() || request.choices == 0 || request.prompts.size() > most ||
      request.choices > most / request.prompts.size())
    return refuse(
        bad("n", text({"{} prompts with {} choices each were asked for; one request may "
                       "have 1 to {} choices in all",
                       "请求了 {} 个提示、每个 {} 个结果；一次请求总共可有 1 到 {} 个结果"},
                      request.prompts.size(), request.choices, most)));
  PreparedRequest prepared;
  prepared.request = std::move(request);
  if (!prepared.request.ignore_eos) prepared.stop_tokens = stop_tokens_;
  for (Prompt& prompt : prepared.request.prompts)
    if (auto refusal = encode(prompt, prepared)) return refuse(std::move(*refusal));
  for (std::size_t i = 0; i < prepared.prompts.size(); ++i)
    if (auto refusal = check_length(prepared.prompts[i], i, prepared.request))
      return refuse(std::move(*refusal));
  prepared.request.prompts.clear();
  if (!prepared.request.seed) prepared.request.seed = random_seed();
  return prepared;
}

Refusal LocalEndpoint::refuse(Refusal refusal) const {
  if (options_.observer != nullptr) options_.observer->refused(refusal.reason);
  return refusal;
}

}  // namespace premise
