// A conversation of 50 messages through a template with tools, calls and look-ahead.
#include <benchmark/benchmark.h>

#include <fstream>
#include <sstream>

#include "model/chat/chat_template.h"

namespace premise {
namespace {

void render_fifty_messages(benchmark::State& state) {
  std::ifstream in(std::string(PREMISE_SOURCE_DIR) +
                   "/tests/golden/chat_templates/turns_with_tools.jinja");
  std::stringstream source;
  source << in.rdbuf();
  const auto parsed = ChatTemplate::parse(source.str());
  if (!parsed) return state.SkipWithError(parsed.error().what.en.c_str());
  std::vector<Message> messages = {Message::text("system", "Be brief.")};
  while (messages.size() < 50) {
    messages.push_back(Message::text("user", std::string(400, 'q')));
    messages.push_back(Message::text("assistant", std::string(800, 'a')));
  }
  for (auto _ : state) benchmark::DoNotOptimize(render_chat(*parsed, messages, {}, {}));
}
BENCHMARK(render_fifty_messages)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace premise
