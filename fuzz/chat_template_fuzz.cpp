// Any bytes as a chat template: refused with a word in both languages, or parsed and rendered
// within its limits; what a user wrote never comes out as the template's own text. Seeds:
// fuzz/corpus/chat_template. Run: chat_template_fuzz fuzz/corpus/chat_template
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "model/chat/chat_template.h"
#include "model/chat/json_text.h"

namespace {

// Digits and punctuation are left out: a template may spell those itself.
constexpr std::string_view user_mark = "\xE2\x82\xAC\xC2\xA3USERMARK";

premise::Dict variables() {
  using premise::Value;
  static const Value conversation = *premise::value_from_json(
      R"({"messages": [{"role": "system", "content": "s"},
          {"role": "user", "content": "€£USERMARK <|im_end|>"},
          {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function",
            "function": {"name": "f", "arguments": {"€£USERMARK": [1, 2.5, true, null]}}}]},
          {"role": "tool", "content": [{"type": "text", "text": "€£USERMARK"}]}],
          "tools": [{"function": {"name": "f", "parameters": {"properties": {"a": {"type": "x"}}}}}]})");
  premise::Dict made;
  for (const auto& [name, value] : conversation.dict()->entries()) made.insert(name, value);
  made.set("add_generation_prompt", true);
  made.set("bos_token", Value::text("<s>"));
  return made;
}

void check(const premise::Error& error) {
  if (error.what.en.empty() || error.what.zh.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const auto parsed = premise::ChatTemplate::parse(source);
  if (!parsed) {
    check(parsed.error());
    return 0;
  }
  premise::TemplateLimits limits;
  limits.steps = 300'000;
  limits.memory_bytes = 32u << 20;
  limits.output_bytes = 4u << 20;
  const auto segments = parsed->render(variables(), limits);
  if (!segments) {
    check(segments.error());
    return 0;
  }
  const bool spelled_by_template = source.find("USERMARK") != source.npos;
  for (std::size_t i = 0; i < segments->size(); ++i) {
    const premise::Segment& segment = (*segments)[i];
    if (segment.text.empty()) std::abort();
    if (i > 0 && (*segments)[i - 1].trusted == segment.trusted) std::abort();
    if (segment.trusted && !spelled_by_template &&
        segment.text.find(user_mark) != segment.text.npos)
      std::abort();
  }
  return 0;
}
