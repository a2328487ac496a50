// POST /admin/models/swap: another version of a model, in place of the one that serves.
#include "serve/api/admin_model.h"

namespace premise {
namespace {

OrApiError<ModelCommand> decode_admin_swap(const ApiCall& call) {
  return decode_load(call, ModelCommand::Action::swap);
}

}  // namespace

extern const Dialect admin_swap;
const Dialect admin_swap{.name = "admin_swap",
                         .method = "POST",
                         .path = "/admin/models/swap",
                         .admin = true,
                         .command = decode_admin_swap};

}  // namespace premise
