// GET /admin/models/{model}: to be asked again until an action is over.
#include "serve/api/admin_model.h"

namespace premise {
namespace {

Reply one_status(const ServiceView& view, std::string_view name) {
  for (const ModelStatus& model : view.statuses)
    if (model.spec.name == name) return model_status_reply(200, model, view.language);
  return error_reply(model_not_found(name, view.models), view.language);
}

}  // namespace

extern const Dialect admin_one_model;
const Dialect admin_one_model{.name = "admin_one_model",
                              .method = "GET",
                              .path = "/admin/models/{model}",
                              .admin = true,
                              .answer = one_status};

}  // namespace premise
