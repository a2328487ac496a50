#include "serve/administration.h"

#include <fmt/format.h>

#include <utility>

#include "serve/api/admin_model.h"

namespace premise {
namespace {

Reply state_reply(int status, const ModelTable& models, const std::string& name,
                  Language language) {
  const auto found = models.find(name);
  Reply reply = found ? model_status_reply(status, *found, language) : model_unloaded_reply(name);
  reply.status = status;  // an unloading that nobody waits for may be over by now
  return reply;
}

/// Lines of the audit log about one action: that it was asked for, and what it came to. A process
/// that dies of what it was made to load has said by then who made it. Copies what it needs: an
/// action that nobody waits for may outlive the server, though not the books.
class ActionBooks {
 public:
  ActionBooks(const Service& service, const Visit& visit)
      : ledger_(service.governance.ledger),
        line_{audit_entry(visit.record, visit.admitted.key.get()),
              {},
              visit.settings->config.audit.enabled} {}

  void asked(const std::string& what) const { note("asked", what); }
  void ended(const Status& status) const {
    status.ok() ? note("complete", "") : note("failed", status.error().what.en);
  }

 private:
  void note(const char* outcome, const std::string& reason) const {
    if (ledger_ == nullptr) return;
    LedgerEntry entry = line_;
    entry.line.time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
    entry.line.outcome = outcome;
    entry.line.reason = reason;
    ledger_->record(std::move(entry));
  }

  Ledger* ledger_;
  LedgerEntry line_;
};

/// What the action came to, told on the table's thread.
ModelTable::Done answer_when_done(Service& service, const std::shared_ptr<Visit>& visit,
                                  const std::string& name, const ActionBooks& books) {
  service.open.add();
  return [&service, visit, name, books](const Status& status) {
    books.ended(status);
    if (status.ok()) {
      service.answer(*visit, state_reply(200, service.models, name, visit->language));
    } else {
      const ApiError error = failed_action(status.error());
      service.count_refusal(visit->record, error);
      service.answer(*visit, error_reply(error, visit->language));
    }
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
      return models.swap(std::move(command.spec), std::move(done), command.limits);
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
  if (const auto error = books_error(service.governance)) return service.refuse(*visit, *error);
  auto& command = std::get<ModelCommand>(decoded);
  const std::string name = command.spec.name;
  const std::string path = command.spec.path;
  visit->record.model = name;
  const bool wait = http.parameter("wait").has_value();
  const ActionBooks books(service, *visit);
  books.asked(path);
  const auto refusal =
      begin(service.models, std::move(command),
            wait ? answer_when_done(service, visit, name, books)
                 : ModelTable::Done([books](const Status& status) { books.ended(status); }));
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
