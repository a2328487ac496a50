// The model store: named, tagged manifests in SQLite over content-addressed blobs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/language.h"
#include "base/result.h"
#include "database/database.h"
#include "store/model_name.h"

namespace premise {

/// What is noted about a model when it enters the store.
struct Manifest {
  ModelName name;
  std::string sha256;  // lower-case hexadecimal
  std::uint64_t bytes = 0;
  std::string format;     // "gguf"
  std::string file_name;  // what the file was called where it came from
  std::string source;     // "pypi", "file"
  std::string licence;    // id of the catalogue, or empty
};

struct StoredModel : Manifest {
  std::int64_t created = 0;    // seconds since 1970, UTC
  std::filesystem::path path;  // the blob: read-only, complete, verified when it entered
};

/// One user's view of a store folder. Several processes may use one folder at once; one Store is
/// for one thread at a time.
class Store {
 public:
  /// $PREMISE_HOME, or ~/.premise.
  static Result<std::filesystem::path> default_root(const Environment& environment);

  /// Opens the store under `root` and makes what is missing.
  static Result<Store> open(const std::filesystem::path& root);

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path blobs_folder() const { return root_ / "blobs"; }
  /// Packed weights of models, of the store and others (engine/packed_cache).
  static std::filesystem::path packed_folder(const std::filesystem::path& root) {
    return root / "cache" / "packed";
  }
  std::filesystem::path partial_folder() const { return root_ / "partial"; }
  std::filesystem::path blob_path(std::string_view sha256) const;

  /// Sorted by name and tag.
  Result<std::vector<StoredModel>> list();
  Result<std::optional<StoredModel>> find(const ModelName& name);

  /// Takes over `file`, whose contents the caller has checked against `manifest` and synced: it
  /// becomes the blob by rename, then gets its name. Where the blob is there already, `file` is
  /// dropped. A name that holds other contents is refused (usage), and `file` is left alone.
  Result<StoredModel> add(const Manifest& manifest, const std::filesystem::path& file);

  /// Gives a further name to a blob that is there; nothing where it is not.
  Result<std::optional<StoredModel>> add_name(const Manifest& manifest);

  /// Takes the name away, then deletes blobs without a name; returns the bytes freed. An unknown
  /// name is an Error (usage).
  Result<std::uint64_t> remove(const ModelName& name);

  /// Whether this user has said yes to a licence, and the saying so.
  Result<bool> licence_accepted(std::string_view licence);
  Status accept_licence(std::string_view licence);

 private:
  Store(std::filesystem::path root, Database database)
      : root_(std::move(root)), database_(std::move(database)) {}
  Status check_name_is_free(const Manifest& manifest);
  Status insert(const Manifest& manifest);
  Result<StoredModel> found_again(const ModelName& name);
  Result<std::uint64_t> delete_unnamed_blobs();

  std::filesystem::path root_;
  Database database_;
};

/// "no model …", with the nearest names of the store and the catalogue.
Error unknown_model(std::string_view typed, const std::vector<StoredModel>& stored);

}  // namespace premise
