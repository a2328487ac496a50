#include "serve/api/collected.h"

#include <fmt/format.h>

#include <iterator>

namespace premise {

void CollectedAnswer::take(const EndpointEvent& event) {
  const auto choice = [&](std::size_t index) -> CollectedChoice& {
    if (choices.size() <= index) choices.resize(index + 1);
    return choices[index];
  };
  if (const auto* text = std::get_if<TextEvent>(&event)) {
    CollectedChoice& into = choice(text->choice);
    into.text += text->text;
    into.tokens.insert(into.tokens.end(), text->tokens.begin(), text->tokens.end());
  } else if (const auto* end = std::get_if<ChoiceEnd>(&event)) {
    choice(end->choice).ending = end->ending;
  } else {
    ended = std::get<Ended>(event);
  }
}

std::string_view finish_reason(ChoiceEnding ending) {
  switch (ending) {
    case ChoiceEnding::stop:
      return "stop";
    case ChoiceEnding::length:
      return "length";
    case ChoiceEnding::filtered:
      return "content_filter";
  }
  return "stop";
}

ApiError ending_error(const Ended& ended) {
  if (ended.how == Ended::How::cancelled)
    return {503,
            text({"the request was cancelled", "请求已被取消"}),
            "cancelled",
            {},
            std::chrono::seconds(1)};
  return {500, ended.why, "generation_failed"};
}

void append_usage(std::string& out, const TokenUsage& usage) {
  fmt::format_to(std::back_inserter(out),
                 R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},)"
                 R"("prompt_tokens_details":{{"cached_tokens":{}}}}})",
                 usage.prompt_tokens, usage.completion_tokens,
                 usage.prompt_tokens + usage.completion_tokens, usage.cached_tokens);
}

void append_event(std::string& out, std::string_view json) {
  out += "data: ";
  out += json;
  out += "\n\n";
}

void append_error_event(std::string& out, const Ended& ended, Language language) {
  append_event(out, error_body(ending_error(ended), language));
}

Reply stream_head(std::string body) {
  // Proxies that gather a whole answer before they pass it on would undo streaming.
  return {200,
          "text/event-stream; charset=utf-8",
          std::move(body),
          {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}};
}

}  // namespace premise
