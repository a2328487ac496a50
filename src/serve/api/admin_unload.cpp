// POST /admin/models/unload: no more requests; those that run may end within drain_seconds.
#include "serve/api/admin_model.h"
#include "serve/api/fields.h"

namespace premise {
namespace {

OrApiError<ModelCommand> decode_unload(const ApiCall& call) {
  auto body = parse_body(call);
  if (auto* error = std::get_if<ApiError>(&body)) return std::move(*error);
  std::optional<ApiError> failure;
  Fields fields(std::get<nlohmann::json>(body), "", failure);
  ModelCommand command;
  command.action = ModelCommand::Action::unload;
  if (const std::string* name = fields.string("name"); name != nullptr && !name->empty())
    command.spec.name = *name;
  else
    fields.missing("name");
  if (const auto seconds = fields.number("drain_seconds", 0.0, 86'400.0))
    command.drain = std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000.0));
  fields.finish();
  if (failure) return std::move(*failure);
  return command;
}

}  // namespace

extern const Dialect admin_unload;
const Dialect admin_unload{.name = "admin_unload",
                           .method = "POST",
                           .path = "/admin/models/unload",
                           .admin = true,
                           .command = decode_unload};

}  // namespace premise
