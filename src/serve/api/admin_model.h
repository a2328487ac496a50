// What the paths of the administrator share. Only dialects and the server include it.
#pragma once

#include "serve/api/dialect.h"

namespace premise {

inline constexpr std::size_t model_name_bytes_max = 128;

/// {"name":…,"state":…,…}
Reply model_status_reply(int status, const ModelStatus& model, Language language);
/// The end of an unloading.
Reply model_unloaded_reply(std::string_view name);

/// unknown 404; exists and busy 409.
ApiError to_api_error(const ModelRefusal& refusal);
/// An action that was begun and failed: 422.
ApiError failed_action(const Error& why);

void append_model_status(std::string& out, const ModelStatus& model, Language language);

/// The body of load and swap.
OrApiError<ModelCommand> decode_load(const ApiCall& call, ModelCommand::Action action);

}  // namespace premise
