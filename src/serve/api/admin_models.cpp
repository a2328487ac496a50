// GET /admin/models: every model, also those that take no requests.
#include "serve/api/admin_model.h"

namespace premise {
namespace {

Reply list_statuses(const ServiceView& view, std::string_view /*rest*/) {
  Reply reply;
  reply.body = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < view.statuses.size(); ++i) {
    if (i != 0) reply.body += ',';
    append_model_status(reply.body, view.statuses[i], view.language);
  }
  reply.body += "]}";
  return reply;
}

}  // namespace

extern const Dialect admin_models;
const Dialect admin_models{.name = "admin_models",
                           .method = "GET",
                           .path = "/admin/models",
                           .admin = true,
                           .answer = list_statuses};

}  // namespace premise
