// Layout of the folder:
//
//   premise.db                    names and manifests (SQLite)
//   blobs/sha256-<digest>         one file per content, read-only
//   partial/                      downloads that are not finished, and locks
//
// Two laws hold at every instant, also after a kill or a power cut: a name's blob is complete and
// was verified, and a blob without a name is rubbish that somebody collects later. They follow from
// the order of the steps. Adding: sync the file, rename it into blobs/, sync the folder, commit the
// name. Removing: commit the loss of the name, then unlink the blob. Both run inside SQLite's write
// lock, so that no process collects the blob that another one is about to name.
//
// Rejected: blobs inside the database (weights are memory-mapped where they lie); one folder per
// model with plain files (two names would be two copies, and no step would be atomic); hard links
// as reference counts (lost by copies and backups).
#include "store/store.h"

#include <sys/stat.h>

#include <algorithm>
#include <system_error>

#include "base/nearest.h"
#include "base/printable.h"
#include "store/catalogue.h"
#include "store/files.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view blob_prefix = "sha256-";

constexpr const char* migrations[] = {
    R"(CREATE TABLE blobs(
         digest TEXT PRIMARY KEY,
         bytes INTEGER NOT NULL CHECK (bytes >= 0)) WITHOUT ROWID;
       CREATE TABLE models(
         id INTEGER PRIMARY KEY,
         name TEXT NOT NULL UNIQUE,
         created INTEGER NOT NULL DEFAULT (unixepoch()));
       CREATE TABLE manifests(
         model INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
         tag TEXT NOT NULL,
         digest TEXT NOT NULL REFERENCES blobs(digest),
         format TEXT NOT NULL,
         file_name TEXT NOT NULL,
         source TEXT NOT NULL,
         licence TEXT NOT NULL,
         created INTEGER NOT NULL DEFAULT (unixepoch()),
         PRIMARY KEY (model, tag)) WITHOUT ROWID;
       CREATE INDEX manifests_digest ON manifests(digest);
       CREATE TABLE accepted_licences(
         licence TEXT PRIMARY KEY,
         accepted INTEGER NOT NULL DEFAULT (unixepoch())) WITHOUT ROWID;)",
};

constexpr std::string_view select_models =
    "SELECT models.name, tag, manifests.digest, bytes, format, file_name, source, licence,"
    " manifests.created FROM manifests"
    " JOIN models ON models.id = manifests.model"
    " JOIN blobs ON blobs.digest = manifests.digest";

StoredModel read_row(const Statement& row, const Store& store) {
  StoredModel model;
  model.name = {row.text(0), row.text(1)};
  model.sha256 = row.text(2);
  model.bytes = static_cast<std::uint64_t>(row.integer(3));
  model.format = row.text(4);
  model.file_name = row.text(5);
  model.source = row.text(6);
  model.licence = row.text(7);
  model.created = row.integer(8);
  model.path = store.blob_path(model.sha256);
  return model;
}

/// Nobody writes into a blob by mistake: it may be mapped by a server at that very moment.
Status make_read_only(const fs::path& path) {
  if (::chmod(path.c_str(), 0444) == 0) return {};
  return error(ErrorCode::no_resources,
               {"{}: cannot be made read-only: {}", "{}：无法设为只读：{}"}, path.string(),
               std::error_code(errno, std::generic_category()).message());
}

}  // namespace

Result<fs::path> Store::default_root(const Environment& environment) {
  const auto given = environment("PREMISE_HOME");
  fs::path root;
  if (given && !given->empty()) {
    root = fs::path(*given);
  } else if (const auto home = environment("HOME"); home && !home->empty()) {
    root = fs::path(*home) / ".premise";
  } else {
    return error(ErrorCode::usage,
                 {"neither PREMISE_HOME nor HOME is set", "PREMISE_HOME 与 HOME 均未设置"})
        .with_hint(text(
            {"set PREMISE_HOME to the folder for models", "请将 PREMISE_HOME 设为存放模型的目录"}));
  }
  std::error_code code;
  const fs::path absolute = fs::absolute(root, code);
  return code ? root : absolute.lexically_normal();
}

Result<Store> Store::open(const fs::path& root) {
  PREMISE_CHECK(make_folders(root / "blobs"));
  PREMISE_CHECK(make_folders(root / "partial"));
  DatabaseOptions options;
  options.migrations = migrations;
  options.damaged_hint =
      text({"move it away and pull again; blobs that are there are not loaded twice",
            "请将其移走后重新 pull；已有的数据块不会重复下载"});
  options.unwritable_hint =
      text({"PREMISE_HOME chooses where models are kept", "可用 PREMISE_HOME 指定模型的存放位置"});
  options.readable_without_writing = true;  // a store on a read-only mount serves its models
  PREMISE_TRY(Database database, Database::open(root / "premise.db", options));
  return Store(root, std::move(database));
}

fs::path Store::blob_path(std::string_view sha256) const {
  return blobs_folder() / (std::string(blob_prefix) + std::string(sha256));
}

Result<std::vector<StoredModel>> Store::list() {
  PREMISE_TRY(Statement query,
              database_.prepare(std::string(select_models) + " ORDER BY models.name, tag"));
  std::vector<StoredModel> models;
  for (;;) {
    PREMISE_TRY(const bool row, query.next());
    if (!row) return models;
    models.push_back(read_row(query, *this));
  }
}

Result<std::optional<StoredModel>> Store::find(const ModelName& name) {
  PREMISE_TRY(Statement query,
              database_.prepare(std::string(select_models) + " WHERE models.name = ? AND tag = ?"));
  PREMISE_TRY(const bool row, query.bind(name.name).bind(name.tag).next());
  if (!row) return std::optional<StoredModel>();
  return std::optional(read_row(query, *this));
}

Status Store::check_name_is_free(const Manifest& manifest) {
  PREMISE_TRY(const auto known, find(manifest.name));
  if (!known || known->sha256 == manifest.sha256) return {};
  return error(ErrorCode::usage,
               {"{} is in the store already, with other contents (sha256 {}…)",
                "{} 已在模型库中，但内容不同（sha256 {}…）"},
               manifest.name.text(), known->sha256.substr(0, 12))
      .with_hint(text({"give the new one another tag, or premise rm {}",
                       "请为新模型换一个标签，或先执行 premise rm {}"},
                      manifest.name.text()));
}

Status Store::insert(const Manifest& manifest) {
  PREMISE_TRY(Statement blob, database_.prepare("INSERT INTO blobs(digest, bytes) VALUES (?, ?)"
                                                " ON CONFLICT(digest) DO NOTHING"));
  PREMISE_CHECK(blob.bind(manifest.sha256).bind(static_cast<std::int64_t>(manifest.bytes)).run());
  PREMISE_TRY(Statement model, database_.prepare("INSERT INTO models(name) VALUES (?)"
                                                 " ON CONFLICT(name) DO NOTHING"));
  PREMISE_CHECK(model.bind(manifest.name.name).run());
  PREMISE_TRY(Statement entry,
              database_.prepare("INSERT INTO manifests(model, tag, digest, format, file_name,"
                                " source, licence)"
                                " SELECT id, ?, ?, ?, ?, ?, ? FROM models WHERE name = ?"
                                " ON CONFLICT(model, tag) DO NOTHING"));
  return entry.bind(manifest.name.tag)
      .bind(manifest.sha256)
      .bind(manifest.format)
      .bind(manifest.file_name)
      .bind(manifest.source)
      .bind(manifest.licence)
      .bind(manifest.name.name)
      .run();
}

Result<StoredModel> Store::found_again(const ModelName& name) {
  PREMISE_TRY(auto model, find(name));
  if (model) return *std::move(model);
  return error(ErrorCode::no_resources,
               {"{} was removed by another process", "{} 已被其他进程删除"}, name.text());
}

Result<StoredModel> Store::add(const Manifest& manifest, const fs::path& file) {
  const auto work = [&]() -> Status {
    PREMISE_CHECK(check_name_is_free(manifest));
    const fs::path blob = blob_path(manifest.sha256);
    PREMISE_CHECK(make_read_only(file));
    // A blob of that name holds the same bytes or was damaged since: replacing it is right for
    // both, and who has mapped the old one keeps it.
    std::error_code code;
    fs::rename(file, blob, code);
    if (code) {
      return error(ErrorCode::no_resources,
                   {"{}: cannot become a blob: {}", "{}：无法移入模型库：{}"}, file.string(),
                   code.message());
    }
    PREMISE_CHECK(sync_folder(blobs_folder()));
    return insert(manifest);
  };
  PREMISE_CHECK(database_.transaction(work));
  return found_again(manifest.name);
}

Result<std::optional<StoredModel>> Store::add_name(const Manifest& manifest) {
  bool there = false;
  const auto work = [&]() -> Status {
    there = regular_file_bytes(blob_path(manifest.sha256)) == manifest.bytes;
    if (!there) return {};
    PREMISE_CHECK(check_name_is_free(manifest));
    return insert(manifest);
  };
  PREMISE_CHECK(database_.transaction(work));
  if (!there) return std::optional<StoredModel>();
  PREMISE_TRY(StoredModel model, found_again(manifest.name));
  return std::optional(std::move(model));
}

Result<std::uint64_t> Store::remove(const ModelName& name) {
  PREMISE_TRY(const auto known, find(name));
  if (!known) {
    PREMISE_TRY(const auto stored, list());
    return unknown_model(name.text(), stored);
  }
  const auto work = [&]() -> Status {
    PREMISE_TRY(Statement entry, database_.prepare("DELETE FROM manifests WHERE tag = ? AND model ="
                                                   " (SELECT id FROM models WHERE name = ?)"));
    PREMISE_CHECK(entry.bind(name.tag).bind(name.name).run());
    return database_.execute(
        "DELETE FROM models WHERE id NOT IN (SELECT model FROM manifests);"
        "DELETE FROM blobs WHERE digest NOT IN (SELECT digest FROM manifests)");
  };
  PREMISE_CHECK(database_.transaction(work));
  return delete_unnamed_blobs();
}

Result<std::uint64_t> Store::delete_unnamed_blobs() {
  std::uint64_t freed = 0;
  const auto work = [&]() -> Status {
    std::error_code code;
    fs::directory_iterator entry(blobs_folder(), code);
    for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
      const fs::path blob = entry->path();
      const std::string file = blob.filename().string();
      if (!file.starts_with(blob_prefix)) continue;
      PREMISE_TRY(Statement query, database_.prepare("SELECT 1 FROM blobs WHERE digest = ?"));
      PREMISE_TRY(const bool named, query.bind(file.substr(blob_prefix.size())).next());
      if (named) continue;
      const std::uint64_t bytes = regular_file_bytes(blob).value_or(0);
      PREMISE_CHECK(remove_file(blob));
      freed += bytes;
    }
    return {};
  };
  PREMISE_CHECK(database_.transaction(work));
  return freed;
}

Result<bool> Store::licence_accepted(std::string_view licence) {
  PREMISE_TRY(Statement query,
              database_.prepare("SELECT 1 FROM accepted_licences WHERE licence = ?"));
  return query.bind(licence).next();
}

Status Store::accept_licence(std::string_view licence) {
  PREMISE_TRY(Statement note, database_.prepare("INSERT INTO accepted_licences(licence) VALUES (?)"
                                                " ON CONFLICT(licence) DO NOTHING"));
  return note.bind(licence).run();
}

Error unknown_model(std::string_view typed, const std::vector<StoredModel>& stored) {
  std::vector<std::string> names;
  for (const StoredModel& model : stored) names.push_back(model.name.text());
  const std::size_t stored_count = names.size();
  for (const CatalogueEntry& entry : catalogue()) names.emplace_back(entry.name);
  Error unknown = error(ErrorCode::usage,
                        {"there is no model \"{}\" in the store", "模型库中没有名为“{}”的模型"},
                        printable(typed));
  const auto near = nearest(typed, names);
  if (!near) {
    return std::move(unknown).with_hint(
        text({"premise list shows the models; premise pull NAME fetches one",
              "premise list 列出已有模型；premise pull 名称 可获取模型"}));
  }
  const auto place = std::find(names.begin(), names.end(), *near) - names.begin();
  if (static_cast<std::size_t>(place) < stored_count) {
    return std::move(unknown).with_hint(text({"did you mean {}?", "您是不是想用 {}？"}, *near));
  }
  return std::move(unknown).with_hint(
      text({"premise pull {} fetches it", "可先执行 premise pull {}"}, *near));
}

}  // namespace premise
