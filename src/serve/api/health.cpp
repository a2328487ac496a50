// GET /health: the process answers. It says nothing of models: one that loads for a minute is no
// reason to kill the process.
#include "serve/api/dialect.h"

namespace premise {
namespace {

Reply answer_health(const ServiceView& /*view*/, std::string_view /*rest*/) {
  return {200, "application/json", R"({"status":"ok"})", {{"Cache-Control", "no-store"}}};
}

}  // namespace

extern const Dialect health;
const Dialect health{.name = "health",
                     .method = "GET",
                     .path = "/health",
                     .needs_key = false,
                     .answer = answer_health};

}  // namespace premise
