#include "serve/gate/key_store.h"

#include <fmt/chrono.h>

#include "base/printable.h"
#include "serve/gate/audit_append.h"

namespace premise {
namespace {

// Names hold no control characters (check_key_text), so that a line feed parts them.
std::string joined_models(const std::vector<std::string>& models) {
  std::string text;
  for (const std::string& model : models) text += model + "\n";
  return text;
}

std::vector<std::string> split_models(std::string_view text) {
  std::vector<std::string> models;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) models.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return models;
}

Status check_wanted(const ApiKey& key) {
  PREMISE_CHECK(check_key_text(key.name, text({"name", "名称"})));
  if (!key.group.empty()) PREMISE_CHECK(check_key_text(key.group, text({"group", "组"})));
  for (const std::string& model : key.models)
    PREMISE_CHECK(check_key_text(model, text({"model", "模型"})));
  if (key.scopes == 0) {
    return error(ErrorCode::usage,
                 {"a key without a scope may do nothing", "没有任何权限的密钥无法使用"});
  }
  const KeyLimits& limits = key.limits;
  if (limits.requests_per_minute < 0 || limits.tokens_per_minute < 0 || limits.tokens_per_day < 0 ||
      limits.requests_per_day < 0)
    return error(ErrorCode::usage, {"a limit must not be negative", "限额不能为负数"});
  return {};
}

std::string rights_of(const ApiKey& key) {
  std::string models;
  for (const std::string& model : key.models) models += (models.empty() ? "" : ",") + model;
  return fmt::format(
      "scopes {}; models {}; expires {}", scope_names(key.scopes), models.empty() ? "all" : models,
      key.expires == 0
          ? "never"
          : fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time_t{key.expires})));
}

/// Inside a transaction.
Status audit_key(Database& database, AuditEntry entry) {
  entry.outcome = "complete";
  PREMISE_TRY(AuditAppender to, AuditAppender::open(database));
  PREMISE_CHECK(to.add(kept_form(std::move(entry))));
  return to.finish();
}

}  // namespace

Result<KeyStore> KeyStore::open(const std::filesystem::path& path) {
  PREMISE_TRY(Database database, GateDatabase::open(path));
  return KeyStore(std::move(database));
}

Result<CreatedKey> KeyStore::create(ApiKey wanted, std::string_view by) {
  PREMISE_CHECK(check_wanted(wanted));
  PREMISE_TRY(std::string secret, make_secret());
  PREMISE_TRY(const std::string hash, secret_hash(secret));
  PREMISE_CHECK(database_.transaction([&]() -> Status {
    PREMISE_TRY(Statement same,
                database_.prepare("SELECT 1 FROM keys WHERE name = ? AND revoked = 0"));
    PREMISE_TRY(const bool taken, same.bind(wanted.name).next());
    if (taken) {
      return error(ErrorCode::usage, {"a key named \"{}\" exists", "名为 \"{}\" 的密钥已存在"},
                   printable(wanted.name))
          .with_hint(text(
              {"choose another name, or revoke that one first", "请换一个名称，或先撤销原有密钥"}));
    }
    PREMISE_TRY(Statement insert,
                database_.prepare(
                    "INSERT INTO keys(name, hash, key_group, scopes, models, requests_per_minute, "
                    "tokens_per_minute, tokens_per_day, requests_per_day, created, expires) "
                    "VALUES (?,?,?,?,?,?,?,?,?,?,?) RETURNING id"));
    insert.bind(wanted.name).bind(hash).bind(wanted.group).bind(std::int64_t{wanted.scopes});
    insert.bind(joined_models(wanted.models)).bind(wanted.limits.requests_per_minute);
    insert.bind(wanted.limits.tokens_per_minute).bind(wanted.limits.tokens_per_day);
    insert.bind(wanted.limits.requests_per_day);
    PREMISE_TRY(const bool row, insert.bind(wanted.created).bind(wanted.expires).next());
    if (row) wanted.id = insert.integer(0);
    PREMISE_TRY([[maybe_unused]] const bool more, insert.next());
    AuditEntry line;
    line.time_ms = wanted.created * 1000;
    line.key_id = wanted.id;
    line.key_name = wanted.name;
    line.client = by;
    line.action = "keys create";
    line.reason = rights_of(wanted);
    PREMISE_CHECK(audit_key(database_, std::move(line)));
    return database_.execute("UPDATE keys_generation SET value = value + 1");
  }));
  wanted.last_used = wanted.revoked = 0;
  return CreatedKey{std::move(wanted), std::move(secret)};
}

Result<std::vector<ApiKey>> KeyStore::list() {
  PREMISE_TRY(std::vector<StoredKey> stored, read(""));
  std::vector<ApiKey> keys;
  for (StoredKey& entry : stored) keys.push_back(std::move(entry.key));
  return keys;
}

Result<std::vector<StoredKey>> KeyStore::load() { return read("WHERE revoked = 0"); }

Result<std::vector<StoredKey>> KeyStore::read(std::string_view condition) {
  PREMISE_TRY(Statement query,
              database_.prepare(fmt::format(
                  "SELECT id, name, hash, key_group, scopes, models, requests_per_minute, "
                  "tokens_per_minute, tokens_per_day, created, expires, last_used, revoked, "
                  "requests_per_day "
                  "FROM keys {} ORDER BY id",
                  condition)));
  std::vector<StoredKey> keys;
  for (;;) {
    PREMISE_TRY(const bool row, query.next());
    if (!row) return keys;
    StoredKey stored;
    ApiKey& key = stored.key;
    key.id = query.integer(0);
    key.name = query.text(1);
    stored.hash = query.text(2);
    key.group = query.text(3);
    key.scopes = static_cast<unsigned>(query.integer(4));
    key.models = split_models(query.text(5));
    key.limits = {query.integer(6), query.integer(7), query.integer(8), query.integer(13)};
    key.created = query.integer(9);
    key.expires = query.integer(10);
    key.last_used = query.integer(11);
    key.revoked = query.integer(12);
    keys.push_back(std::move(stored));
  }
}

Result<bool> KeyStore::revoke(std::string_view name, std::int64_t now, std::string_view by) {
  bool found = false;
  PREMISE_CHECK(database_.transaction([&]() -> Status {
    PREMISE_TRY(Statement update,
                database_.prepare(
                    "UPDATE keys SET revoked = ? WHERE name = ? AND revoked = 0 RETURNING id"));
    PREMISE_TRY(found, update.bind(std::max<std::int64_t>(now, 1)).bind(name).next());
    if (!found) return {};
    AuditEntry line;
    line.time_ms = now * 1000;
    line.key_id = update.integer(0);
    line.key_name = name;
    line.client = by;
    line.action = "keys revoke";
    PREMISE_TRY([[maybe_unused]] const bool more, update.next());
    PREMISE_CHECK(audit_key(database_, std::move(line)));
    return database_.execute("UPDATE keys_generation SET value = value + 1");
  }));
  return found;
}

Result<std::int64_t> KeyStore::generation() {
  PREMISE_TRY(Statement query, database_.prepare("SELECT value FROM keys_generation"));
  PREMISE_TRY(const bool row, query.next());
  return row ? query.integer(0) : 0;
}

Status KeyStore::write_last_uses(const std::vector<std::pair<std::int64_t, std::int64_t>>& uses) {
  return database_.transaction([&]() -> Status {
    PREMISE_TRY(Statement update,
                database_.prepare("UPDATE keys SET last_used = max(last_used, ?) WHERE id = ?"));
    for (const auto& [id, time] : uses) PREMISE_CHECK(update.bind(time).bind(id).run());
    return {};
  });
}

}  // namespace premise
