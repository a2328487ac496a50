#include "serve/service.h"

#include <algorithm>

namespace premise {

std::shared_ptr<ModelEndpoint> Service::find_model(std::string_view name) const {
  for (const auto& model : models)
    if (name.empty() || model->card().name == name) return model;
  return nullptr;
}

std::vector<ModelCard> Service::cards() const {
  std::vector<ModelCard> all;
  for (const auto& model : models) all.push_back(model->card());
  return all;
}

bool Service::ready() const {
  return std::ranges::all_of(models, [](const auto& model) { return model->ready(); });
}

Result<std::shared_ptr<AccessLog>> open_access_log(const LogConfig& config) {
  PREMISE_TRY(AccessLog log,
              AccessLog::open({.path = config.path,
                               .format = config.format == "text" ? AccessLogFormat::text
                                                                 : AccessLogFormat::json,
                               .level = parse_log_level(config.level).value_or(LogLevel::info),
                               .file_bytes = config.rotate_bytes.value_or(std::uint64_t{1} << 40),
                               .files = static_cast<std::size_t>(config.keep)}));
  return std::make_shared<AccessLog>(std::move(log));
}

}  // namespace premise
