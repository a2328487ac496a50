// POST /admin/models/load: a model that is not there yet.
#include "serve/api/admin_model.h"

namespace premise {
namespace {

OrApiError<ModelCommand> decode_admin_load(const ApiCall& call) {
  return decode_load(call, ModelCommand::Action::load);
}

}  // namespace

extern const Dialect admin_load;
const Dialect admin_load{.name = "admin_load",
                         .method = "POST",
                         .path = "/admin/models/load",
                         .admin = true,
                         .command = decode_admin_load};

}  // namespace premise
