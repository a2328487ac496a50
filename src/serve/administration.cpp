#include "serve/administration.h"

#include <fmt/format.h>

#include <utility>

#include "serve/api/admin_model.h"

namespace premise {
namespace {

Reply state_reply(int status, const ModelTable& models, const std::string& name,
                  Language language) {
  const auto found = models.find(name);
  return found ? model_status_reply(status, *found, language) : model_unloaded_reply(name);
}

/// What the action came to, told on the table's thread.
ModelTable::Done answer_when_done(Service& service, const std::shared_ptr<Visit>& visit,
                                  const std::string& name) {
  service.open.add();
  return [&service, visit, name](const Status& status) {
    if (status.ok())
      service.answer(*visit, state_reply(200, service.models, name, visit->language));
    else
      service.refuse(*visit, failed_action(status.error()));
    service.open.remove();
  };
}

/// What the administrator did not say stays as it is.
void inherit(ModelSpec& next, const ModelSpec& now) {
  ModelSpec whole = now;
  whole.path = next.path;
  if (next.context != 0) whole.context = next.context;
  if (next.parallel != 0) whole.parallel = next.parallel;
  next = std::move(whole);
}

std::optional<ModelRefusal> begin(ModelTable& models, ModelCommand command, ModelTable::Done done) {
  switch (command.action) {
    case ModelCommand::Action::load:
      return models.load(std::move(command.spec), std::move(done));
    case ModelCommand::Action::swap:
      if (const auto serving = models.find(command.spec.name)) inherit(command.spec, serving->spec);
      return models.swap(std::move(command.spec), std::move(done));
    case ModelCommand::Action::unload:
      break;
  }
  return models.unload(command.spec.name, command.drain, std::move(done));
}

}  // namespace

void administer(Service& service, const std::shared_ptr<Visit>& visit) {
  const HttpRequest& http = visit->request;
  const auto type = http.headers.find("content-type").value_or("");
  auto decoded = visit->admitted.target.dialect->command({http.method, http.path, type, http.body});
  if (const auto* error = std::get_if<ApiError>(&decoded)) return service.refuse(*visit, *error);
  auto& command = std::get<ModelCommand>(decoded);
  const std::string name = command.spec.name;
  visit->record.model = name;
  const bool wait = http.parameter("wait").has_value();
  const auto refusal = begin(service.models, std::move(command),
                             wait ? answer_when_done(service, visit, name) : ModelTable::Done{});
  if (refusal) {
    if (wait) service.open.remove();
    return service.refuse(*visit, to_api_error(*refusal));
  }
  if (!wait) service.answer(*visit, state_reply(202, service.models, name, visit->language));
}

void write_model_states(const std::vector<ModelStatus>& models, std::string& page) {
  page +=
      "# HELP premise_model_state Whether a model is in a state (1) or not (0).\n"
      "# TYPE premise_model_state gauge\n";
  for (const ModelStatus& model : models)
    for (const ModelState state :
         {ModelState::loading, ModelState::ready, ModelState::draining, ModelState::failed})
      page +=
          fmt::format("premise_model_state{{model=\"{}\",state=\"{}\"}} {}\n",
                      escape_label(model.spec.name), name_of(state), model.state == state ? 1 : 0);
}

}  // namespace premise
