#include "serve/endpoint/endpoint.h"

#include <algorithm>

#include <limits>

namespace premise {
namespace {

std::size_t add_saturated(std::size_t a, std::size_t b) {
  return a > std::numeric_limits<std::size_t>::max() - b ? std::numeric_limits<std::size_t>::max()
                                                         : a + b;
}

}  // namespace

std::string_view name_of(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::bad_request:
      return "bad_request";
    case RefusalReason::too_long:
      return "too_long";
    case RefusalReason::queue_full:
      return "queue_full";
    case RefusalReason::unavailable:
      return "unavailable";
  }
  return "";
}

void for_each_text(GenerationRequest& request, const std::function<void(std::string&)>& visit) {
  for (Prompt& prompt : request.prompts) {
    if (auto* text = std::get_if<std::string>(&prompt)) visit(*text);
    auto* conversation = std::get_if<Conversation>(&prompt);
    if (conversation == nullptr) continue;
    for (Message& message : conversation->messages) {
      for (MessagePart& part : message.parts)
        if (auto* written = std::get_if<TextPart>(&part)) visit(written->text);
      if (!message.reasoning.empty()) visit(message.reasoning);
      if (!message.name.empty()) visit(message.name);
    }
  }
}

std::size_t PreparedRequest::prompt_tokens() const {
  std::size_t sum = 0;
  for (const PreparedPrompt& prompt : prompts) sum += prompt.tokens.size();
  return sum;
}

std::size_t PreparedRequest::tokens_max() const {
  std::size_t sum = prompt_tokens();
  for (const PreparedPrompt& prompt : prompts)
    for (std::size_t choice = 0; choice < request.choices; ++choice)
      sum = add_saturated(sum, prompt.max_tokens);
  return sum;
}

std::size_t text_characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

}  // namespace premise
