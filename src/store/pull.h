// From a name to a verified model in the store.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "store/catalogue.h"
#include "store/store.h"
#include "store/work.h"

namespace premise {

struct PullRequest {
  ModelName name;
  const CatalogueEntry* entry = nullptr;      // of that name, or null
  std::string source;                         // empty: the catalogue's choice
  std::optional<std::filesystem::path> file;  // --from; then the source is "file"
};

struct PullOutcome {
  StoredModel model;
  bool already_present = false;
};

/// The model a request would find in the store already, complete. Nothing for --from with a name
/// outside the catalogue: only the file itself can say whether it is the one that is there.
Result<std::optional<StoredModel>> find_pulled(Store& store, const PullRequest& request);

/// Brings a model into the store, or finds it there. One process at a time works on one model;
/// others wait for it. Kinds of Error: usage (nothing to pull under that name), bad_input (wrong
/// digest, damaged file), no_resources (disk), network, cancelled. Whatever happens, the model is
/// in the store whole or not at all, and an interrupted download goes on with the next call.
Result<PullOutcome> pull(Store& store, const PullRequest& request, const Environment& environment,
                         const WorkHooks& hooks);

}  // namespace premise
