// GET /v1/models.
#include <fmt/format.h>

#include <iterator>

#include "serve/api/dialect.h"
#include "serve/api/json_writer.h"

namespace premise {
namespace {

// `context_length` is Premise's own: tokens of prompt and answer together.
void append_card(std::string& out, const ModelCard& card) {
  out += R"({"id":)";
  append_json_string(out, card.name);
  fmt::format_to(std::back_inserter(out),
                 R"(,"object":"model","created":{},"owned_by":"premise","context_length":{}}})",
                 card.created, card.context);
}

Reply list_models(const ServiceView& view, std::string_view /*rest*/) {
  std::string out = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < view.models.size(); ++i) {
    if (i != 0) out += ',';
    append_card(out, view.models[i]);
  }
  return {200, "application/json", out += "]}", {}};
}

}  // namespace

extern const Dialect openai_models;
const Dialect openai_models{
    .name = "openai_models", .method = "GET", .path = "/v1/models", .answer = list_models};

Reply model_reply(const ServiceView& view, std::string_view name) {
  for (const ModelCard& card : view.models) {
    if (card.name != name) continue;
    std::string out;
    append_card(out, card);
    return {200, "application/json", std::move(out), {}};
  }
  return error_reply(model_not_found(name, view.models), view.language);
}

}  // namespace premise
