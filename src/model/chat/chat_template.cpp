#include "model/chat/chat_template.h"

#include <new>

#include "model/chat/evaluator.h"
#include "model/chat/parser.h"
#include "model/chat/probe_template.h"

namespace premise {
namespace {

constexpr std::string_view transcript_source =
    "{% for message in messages %}"
    "{% if message.role == 'system' %}{{ message.content }}\n\n"
    "{% elif message.role == 'assistant' %}Assistant: {{ message.content | trim }}\n"
    "{% else %}User: {{ message.content }}\n"
    "{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}";

Error to_error(const TemplateFailure& failure, int line) {
  if (failure.code == ErrorCode::usage) return {failure.code, failure.what};
  return at(
      text({"chat template, line {}", "对话模板第 {} 行"}, failure.line ? failure.line : line),
      Error{failure.code, failure.what});
}

Error out_of_memory() {
  return error(ErrorCode::no_resources, {"chat template: not enough memory", "对话模板：内存不足"});
}

}  // namespace

Result<ChatTemplate> ChatTemplate::parse(std::string_view source) {
  try {
    ChatTemplate made(std::make_shared<const SyntaxTree>(parse_template(source)));
    made.content_ = probe_content(made);
    return made;
  } catch (const TemplateFailure& failure) {
    return to_error(failure, 0);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

ChatTemplate ChatTemplate::transcript() {
  ChatTemplate made(std::make_shared<const SyntaxTree>(parse_template(transcript_source)));
  made.transcript_ = true;
  return made;
}

Result<std::vector<Segment>> ChatTemplate::render(const Dict& variables,
                                                  const TemplateLimits& limits,
                                                  std::chrono::system_clock::time_point now) const {
  int line = 0;
  try {
    Evaluator evaluator(*tree_, variables, limits, now);
    MarkedString out;
    try {
      out = evaluator.run();
    } catch (...) {
      line = evaluator.line();
      throw;
    }
    std::vector<Segment> segments;
    out.visit_runs(0, out.size(), [&](std::string_view bytes, bool trusted) {
      segments.push_back({std::string(bytes), trusted});
    });
    return segments;
  } catch (const TemplateFailure& failure) {
    return to_error(failure, line);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

}  // namespace premise
