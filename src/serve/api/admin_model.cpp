#include "serve/api/admin_model.h"

#include <fmt/format.h>

#include <iterator>

#include "serve/api/fields.h"
#include "serve/api/json_writer.h"

namespace premise {
namespace {

void append_or_null(std::string& out, const std::string& value) {
  value.empty() ? void(out += "null") : append_json_string(out, value);
}

}  // namespace

void append_model_status(std::string& out, const ModelStatus& model, Language language) {
  out += R"({"name":)";
  append_json_string(out, model.spec.name);
  fmt::format_to(std::back_inserter(out), R"(,"state":"{}","path":)", name_of(model.state));
  append_json_string(out, model.spec.path);
  fmt::format_to(std::back_inserter(out), R"(,"version":{},"digest":)", model.version);
  append_or_null(out, model.digest);
  fmt::format_to(
      std::back_inserter(out),
      R"(,"context_length":{},"parallel":{},"since":{},"load":{{"requests":{},"ended":{},"failed":{}}})",
      model.context, model.spec.parallel, model.since, model.requests, model.ended, model.failed);
  out += R"(,"next":)";
  append_or_null(out, model.next ? model.next->path : std::string());
  fmt::format_to(std::back_inserter(out), R"(,"watched":{},"error":)", model.watched);
  append_or_null(out, model.why.in(language));
  out += '}';
}

Reply model_status_reply(int status, const ModelStatus& model, Language language) {
  Reply reply{status, "application/json", {}, {}};
  append_model_status(reply.body, model, language);
  return reply;
}

Reply model_unloaded_reply(std::string_view name) {
  Reply reply;
  reply.body = R"({"name":)";
  append_json_string(reply.body, name);
  reply.body += R"(,"state":"unloaded"})";
  return reply;
}

ApiError to_api_error(const ModelRefusal& refusal) {
  switch (refusal.reason) {
    case ModelRefusal::Reason::unknown:
      return {404, refusal.what, "model_not_found", "name"};
    case ModelRefusal::Reason::exists:
      return {409, refusal.what, "model_exists", "name"};
    case ModelRefusal::Reason::busy:
      break;
  }
  return {409, refusal.what, "model_busy", "name"};
}

ApiError failed_action(const Error& why) {
  const bool memory = why.code == ErrorCode::no_resources;
  return {422, why.what, memory ? "not_enough_memory" : "model_failed"};
}

OrApiError<ModelCommand> decode_load(const ApiCall& call, ModelCommand::Action action) {
  auto body = parse_body(call);
  if (auto* error = std::get_if<ApiError>(&body)) return std::move(*error);
  std::optional<ApiError> failure;
  Fields fields(std::get<nlohmann::json>(body), "", failure);
  ModelCommand command;
  command.action = action;
  const auto required = [&](const char* field, std::string& into) {
    if (const std::string* value = fields.string(field); value != nullptr && !value->empty())
      into = *value;
    else
      fields.missing(field);
  };
  required("name", command.spec.name);
  required("path", command.spec.path);
  if (command.spec.name.size() > model_name_bytes_max)
    fields.fail("name",
                text({"a name has at most {} bytes", "名称最多 {} 字节"}, model_name_bytes_max));
  command.spec.context = fields.integer("context", 1, 16'777'216).value_or(0);
  command.spec.parallel = fields.integer("parallel", 1, 4096).value_or(0);
  if (action == ModelCommand::Action::swap) {
    if (const auto seconds = fields.number("watch_seconds", 0.0, 86'400.0))
      command.limits.watch = std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000));
    command.limits.failed_share = fields.number("error_rate", 0.0, 1.0);
  }
  fields.finish();
  if (failure) return std::move(*failure);
  return command;
}

}  // namespace premise
