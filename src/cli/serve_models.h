// Models for `premise serve`: from what the configuration says to an endpoint that answers.
#pragma once

#include <memory>

#include "cli/console.h"
#include "config/config.h"
#include "serve/local/turns.h"
#include "serve/models/model_table.h"
#include "serve/observe/service_metrics.h"

namespace premise {

ModelSpec spec_of(const ModelConfig& model);
ModelLimits limits_of(const ModelConfig& model);

/// Any thread may load; engines that were loaded here compute in turns. `metrics` and the console
/// outlive what is loaded.
class ModelLoader {
 public:
  ModelLoader(EngineConfig engine, ServiceMetrics& metrics, Console& console)
      : engine_(std::move(engine)), metrics_(metrics), console_(console) {}

  /// What load() would find wrong with it, as far as can be told without loading: file, options,
  /// template.
  Status check(const ModelSpec& spec) const;

  /// Opens, plans and loads. no_resources where memory does not hold it beside what is loaded.
  Result<LoadedVersion> load(const ModelSpec& spec) const;

 private:
  const EngineConfig engine_;
  ServiceMetrics& metrics_;
  Console& console_;
  const std::shared_ptr<Turns> turns_ = std::make_shared<Turns>();
};

}  // namespace premise
