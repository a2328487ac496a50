// Where a model's bytes come from. One source, one file of this folder, one constant.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/language.h"
#include "base/result.h"
#include "store/catalogue.h"
#include "store/work.h"

namespace premise {

/// What a source is asked for. Whoever asks holds the lock on `stem`.
struct FetchJob {
  const CatalogueEntry* entry = nullptr;  // null: the file is not in the catalogue
  std::filesystem::path file;             // the user's file, where there is one
  std::filesystem::path folder;           // for unfinished work; on the store's file system
  std::string stem;                       // every file a source leaves there begins with it
  Environment environment;
  const WorkHooks* hooks = nullptr;
};

/// A complete file in the job's folder, synced, and what it hashes to. The caller compares.
struct FetchedFile {
  std::filesystem::path path;
  std::string sha256{};
  std::uint64_t bytes = 0;
};

struct Source {
  std::string_view name;
  /// Blocks until done, failed, or stopped by the hooks. What it leaves behind after a failure, a
  /// stop or a kill lets the next call go on; what proved to be wrong is removed.
  Result<FetchedFile> (*fetch)(const FetchJob& job);
};

/// Every source, sorted by name.
std::span<const Source* const> all_sources();

/// The source of that name, or null.
const Source* find_source(std::string_view name);

}  // namespace premise
