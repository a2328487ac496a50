// GET /ready: the models are loaded and take requests.
#include "serve/api/dialect.h"

namespace premise {
namespace {

Reply answer_ready(const ServiceView& view, std::string_view /*rest*/) {
  if (view.ready)
    return {200, "application/json", R"({"status":"ready"})", {{"Cache-Control", "no-store"}}};
  return error_reply({503,
                      text({"no model is ready yet", "还没有模型准备就绪"}),
                      "not_ready",
                      {},
                      std::chrono::seconds(1)},
                     view.language);
}

}  // namespace

extern const Dialect ready;
const Dialect ready{
    .name = "ready", .method = "GET", .path = "/ready", .needs_key = false, .answer = answer_ready};

}  // namespace premise
