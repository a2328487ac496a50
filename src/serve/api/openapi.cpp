// GET /openapi.json: what this API takes and answers, for programs.
#include "serve/api/dialect.h"
#include "serve/api/embedded_openapi.h"

namespace premise {
namespace {

Reply answer_openapi(const ServiceView& /*view*/, std::string_view /*rest*/) {
  return {200, "application/json", std::string(embedded_openapi()), {}};
}

}  // namespace

extern const Dialect openapi;
const Dialect openapi{
    .name = "openapi", .method = "GET", .path = "/openapi.json", .answer = answer_openapi};

}  // namespace premise
