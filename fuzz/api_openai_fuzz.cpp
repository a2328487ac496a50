// Any bytes as the body of any dialect: an error with a name, or a request whose answers are JSON.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "serve/api/dialect.h"
#include "serve/api/origin.h"

namespace {

using namespace premise;

void check_error(const ApiError& error) {
  if (error.what.en.empty() || error.what.zh.empty()) __builtin_trap();
  if (!nlohmann::json::accept(error_body(error, Language::chinese))) __builtin_trap();
}

void answer(const Dialect& dialect, const GenerationCall& call, const std::string& text) {
  const auto encoder = dialect.encode(call, {"1", 2, call.model, Language::english});
  const EndpointEvent events[] = {TextEvent{0, text, {{{1, text, 0.5f}, 0, {{2, text, -1.0f}}}}},
                                  ChoiceEnd{0, ChoiceEnding::stop},
                                  Ended{Ended::How::complete, {1, 2, 3}, {}}};
  std::string stream = encoder->streams() ? encoder->head().body : "";
  for (const EndpointEvent& event : events) stream += encoder->take(event);
  if (!encoder->streams()) {
    if (!nlohmann::json::accept(encoder->whole().body)) __builtin_trap();
    return;
  }
  if (!stream.ends_with("data: [DONE]\n\n")) __builtin_trap();
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t end = stream.find("\n\n", at);
    const std::string event = stream.substr(at + 6, end - at - 6);
    if (event != "[DONE]" && !nlohmann::json::accept(event)) __builtin_trap();
    at = end + 2;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  static_cast<void>(
      check_origin(body.substr(0, body.size() / 2), body.substr(body.size() / 2), {}));
  const auto dialects = all_api();
  const Dialect& dialect = *dialects[data[0] % dialects.size()];
  if (dialect.command != nullptr) {
    const auto command = dialect.command({"POST", dialect.path, "application/json", body});
    if (const auto* error = std::get_if<ApiError>(&command)) check_error(*error);
    return 0;
  }
  if (!dialect.generates()) {
    if (!nlohmann::json::accept(
            dialect.answer({{{"m", 1, 2}}, true, Language::english}, body).body))
      __builtin_trap();
    return 0;
  }
  const auto call = dialect.decode({"POST", dialect.path, "application/json", body});
  if (const auto* error = std::get_if<ApiError>(&call))
    check_error(*error);
  else
    answer(dialect, std::get<GenerationCall>(call), std::string(body.substr(0, 64)));
  return 0;
}
