#include "serve/gate/gate_database.h"

#include <array>

namespace premise {
namespace {

// One entry a version; what is released is never changed, only followed.
constexpr std::array gate_migrations{
    R"(CREATE TABLE keys(
         id INTEGER PRIMARY KEY AUTOINCREMENT,
         name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, key_group TEXT NOT NULL,
         scopes INTEGER NOT NULL, models TEXT NOT NULL,
         requests_per_minute INTEGER NOT NULL, tokens_per_minute INTEGER NOT NULL,
         tokens_per_day INTEGER NOT NULL,
         created INTEGER NOT NULL, expires INTEGER NOT NULL,
         last_used INTEGER NOT NULL DEFAULT 0, revoked INTEGER NOT NULL DEFAULT 0);
       CREATE UNIQUE INDEX keys_by_name ON keys(name) WHERE revoked = 0;
       CREATE TABLE keys_generation(value INTEGER NOT NULL);
       INSERT INTO keys_generation VALUES (1);
       CREATE TABLE usage(
         key_id INTEGER NOT NULL, day INTEGER NOT NULL,
         requests INTEGER NOT NULL, tokens INTEGER NOT NULL,
         PRIMARY KEY (key_id, day)) WITHOUT ROWID;
       CREATE TABLE audit(
         id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, request TEXT NOT NULL,
         key_id INTEGER NOT NULL, key_name TEXT NOT NULL, action TEXT NOT NULL,
         model TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
         outcome TEXT NOT NULL, reason TEXT NOT NULL,
         prompt TEXT NOT NULL, answer TEXT NOT NULL, hash TEXT NOT NULL);
       CREATE TABLE audit_head(count INTEGER NOT NULL, hash TEXT NOT NULL);
       INSERT INTO audit_head VALUES (0, '');)",
    R"(ALTER TABLE keys ADD COLUMN requests_per_day INTEGER NOT NULL DEFAULT 0;
       ALTER TABLE audit ADD COLUMN client TEXT NOT NULL DEFAULT '';
       CREATE TABLE audit_anchor(count INTEGER NOT NULL, hash TEXT NOT NULL);
       INSERT INTO audit_anchor VALUES (0, '');)"};

}  // namespace

Result<Database> GateDatabase::open(const std::filesystem::path& path,
                                    std::chrono::milliseconds busy_timeout) {
  DatabaseOptions options;
  options.migrations = gate_migrations;
  options.damaged_hint = text(
      {"it was left as it is; restore it from a backup, or move it away (with -wal and -shm "
       "beside it) and create new keys",
       "文件未被改动；请从备份恢复，或将其（连同旁边的 -wal 与 -shm 文件）移走后重新创建密钥"});
  options.unwritable_hint = text({"PREMISE_HOME chooses the folder", "可用 PREMISE_HOME 指定目录"});
  options.private_file = true;
  options.busy_timeout = busy_timeout;
  return Database::open(path, options);
}

}  // namespace premise
