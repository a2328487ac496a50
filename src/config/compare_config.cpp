// What a reload changes, and what waits for the next start.
#include <algorithm>

#include "config/config_keys.h"

namespace premise {
namespace {

template <typename S>
void compare_keys(const std::string& name, const S& before, const S& after,
                  std::vector<ConfigChange>& changes) {
  for (const ConfigKey<S>& key : keys_of(before))
    std::visit(
        [&](auto member) {
          if (before.*member != after.*member)
            changes.push_back({name + "." + std::string(key.name), key.live});
        },
        key.member);
}

const ModelConfig* model_of(const Config& config, const std::string& name) {
  const auto found = std::ranges::find(config.models, name, served_name);
  return found == config.models.end() ? nullptr : &*found;
}

template <typename S>
void keep_restarts(const S& before, S& after) {
  for (const ConfigKey<S>& key : keys_of(before))
    if (!key.live) std::visit([&](auto member) { after.*member = before.*member; }, key.member);
}

}  // namespace

std::vector<ConfigChange> compare(const Config& before, const Config& after) {
  std::vector<ConfigChange> changes;
  for_each_section([&](const char* name, const auto& old,
                       const auto& now) { compare_keys(name, old, now, changes); },
                   before, after);
  for (const ModelConfig& model : before.models) {
    const std::string name = served_name(model);
    if (const ModelConfig* now = model_of(after, name))
      compare_keys("model." + name, model, *now, changes);
    else
      changes.push_back({"model." + name, false});
  }
  for (const ModelConfig& model : after.models)
    if (model_of(before, served_name(model)) == nullptr)
      changes.push_back({"model." + served_name(model), false});
  return changes;
}

Config apply_live(const Config& before, const Config& after) {
  Config config = after;
  for_each_section([](const char*, const auto& old, auto& now) { keep_restarts(old, now); }, before,
                   config);
  config.models = before.models;
  return config;
}

}  // namespace premise
