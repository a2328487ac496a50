// Keys on disk, as `premise keys` sees them. Who may use the service changes with a line of the
// audit log in the same transaction, so that there is no key that no line tells of.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/gate/api_key.h"
#include "serve/gate/gate_database.h"

namespace premise {

struct CreatedKey {
  ApiKey key;
  std::string secret;  // shown once; only its hash is stored
};

/// A key and the stored hash of its secret.
struct StoredKey {
  ApiKey key;
  std::string hash;
};

/// One thread at a time; any number of processes may have their own.
class KeyStore {
 public:
  static Result<KeyStore> open(const std::filesystem::path& path);

  /// Stores `wanted` (its id is given here) under a new secret. A name is taken as long as its key
  /// is not revoked. A line of the audit log, committed with it, tells what it may do and `by` whom
  /// it was made.
  Result<CreatedKey> create(ApiKey wanted, std::string_view by = {});

  /// All keys, oldest first, revoked ones among them.
  Result<std::vector<ApiKey>> list();

  /// False where no key of that name works any more, or never did; else the audit log tells it.
  Result<bool> revoke(std::string_view name, std::int64_t now, std::string_view by = {});

  /// Every key that is not revoked, for a server to hold.
  Result<std::vector<StoredKey>> load();

  /// Grows whenever a key is created or revoked; last uses do not count.
  Result<std::int64_t> generation();

  /// Changes when anybody else has committed anything: cheap, asked before generation().
  Result<std::int64_t> data_version() { return database_.data_version(); }

  /// Writes (key id, time) pairs; an older time never replaces a newer one.
  Status write_last_uses(const std::vector<std::pair<std::int64_t, std::int64_t>>& uses);

 private:
  explicit KeyStore(Database database) : database_(std::move(database)) {}
  Result<std::vector<StoredKey>> read(std::string_view condition);

  Database database_;
};

}  // namespace premise
