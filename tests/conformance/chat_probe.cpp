// The interpreter of chat templates for tests/conformance/chat_templates.py: a JSON document a line
// in, {"template": text, "variables": {…}}, one a line out: {"segments": [[text, trusted], …]} or
// {"error": text}. Variables are data, as those of a request are.
#include <iostream>
#include <nlohmann/json.hpp>

#include "model/chat/chat_template.h"
#include "model/chat/json_text.h"

namespace {

using premise::ChatTemplate;

nlohmann::json answer(const std::string& line, std::string& source,
                      std::vector<ChatTemplate>& compiled) {
  const auto failed = [](const premise::Error& error) {
    return nlohmann::json{{"error", error.what.en}};
  };
  const auto request = premise::value_from_json(line);
  if (!request) return failed(request.error());
  const premise::Value* wanted = request->dict()->find("template");
  if (compiled.empty() || wanted->string()->bytes() != source) {
    source = wanted->string()->bytes();
    compiled.clear();
    auto parsed = ChatTemplate::parse(source);
    if (!parsed) return failed(parsed.error());
    compiled.push_back(std::move(parsed).value());
  }
  const auto segments = compiled.front().render(*request->dict()->find("variables")->dict());
  if (!segments) return failed(segments.error());
  auto list = nlohmann::json::array();
  for (const auto& segment : *segments)
    list.push_back(nlohmann::json::array({segment.text, segment.trusted}));
  return {{"segments", list}};
}

}  // namespace

int main() {
  std::string source;
  std::vector<ChatTemplate> compiled;  // one, once there is one
  for (std::string line; std::getline(std::cin, line);)
    std::cout << answer(line, source, compiled)
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
              << std::endl;
}
