#include "store/pull.h"

#include <array>

#include "base/nearest.h"
#include "base/printable.h"
#include "model/formats/gguf.h"
#include "store/file_lock.h"
#include "store/files.h"
#include "store/sources/source.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t stem_digits = 16;

/// Unfinished work is found again by what it is to become: the digest where the catalogue tells it.
Result<std::string> stem_of(const PullRequest& request) {
  if (request.entry != nullptr) return std::string(request.entry->sha256.substr(0, stem_digits));
  PREMISE_TRY(const std::string digest, hash_of(HashKind::sha256, request.name.text()));
  return "import-" + digest.substr(0, stem_digits);
}

Error not_in_catalogue(const ModelName& name) {
  std::vector<std::string> names;
  for (const CatalogueEntry& entry : catalogue()) names.emplace_back(entry.name);
  Error unknown =
      error(ErrorCode::usage, {"{} is not in the catalogue", "目录中没有 {}"}, name.text());
  if (const auto near =
          nearest(name.tag == ModelName::default_tag ? name.name : name.text(), names)) {
    return std::move(unknown).with_hint(text({"did you mean {}?", "您是不是想用 {}？"}, *near));
  }
  return std::move(unknown).with_hint(
      text({"premise pull {} --from FILE takes a file that you have",
            "若已有模型文件，可用 premise pull {} --from 文件"},
           name.text()));
}

Result<const Source*> choose_source(const PullRequest& request) {
  if (request.file) return find_source("file");
  if (request.entry == nullptr) return not_in_catalogue(request.name);
  const std::string_view wanted =
      request.source.empty() ? request.entry->source : std::string_view(request.source);
  const Source* source = find_source(wanted);
  if (source != nullptr && wanted == request.entry->source) return source;
  return error(ErrorCode::usage, {"{} cannot be had from source \"{}\"", "无法从来源“{1}”获取 {0}"},
               request.name.text(), printable(wanted))
      .with_hint(text({"it comes from {}", "可用来源：{}"}, request.entry->source));
}

/// A split model is several files, and a blob is one.
Status check_is_whole_model(const fs::path& file) {
  PREMISE_TRY(const auto model, open_gguf(file));
  PREMISE_TRY(const std::uint64_t parts, model->metadata().u64_or("split.count", 1));
  if (parts <= 1) return {};
  return error(ErrorCode::usage,
               {"{}: is one of {} parts of a model", "{}：是由 {} 个分片组成的模型之一"},
               file.string(), parts)
      .with_hint(text({"use it where it lies, by its path", "请直接以文件路径使用该模型"}));
}

/// Blobs outlive names for a moment, and two names may share one: no byte is loaded twice. Hashed
/// first, since nobody may have looked at that file since it lost its name.
Result<std::optional<StoredModel>> reuse_blob(Store& store, const Manifest& manifest,
                                              const WorkHooks& hooks) {
  const fs::path blob = store.blob_path(manifest.sha256);
  if (regular_file_bytes(blob) != manifest.bytes) return std::optional<StoredModel>();
  constexpr std::array kinds{HashKind::sha256};
  PREMISE_TRY(const auto digests, hash_file(blob, kinds, hooks));
  if (digests.front() != manifest.sha256) return std::optional<StoredModel>();
  return store.add_name(manifest);
}

Manifest manifest_of(const PullRequest& request, const Source& source) {
  Manifest manifest{.name = request.name,
                    .sha256 = {},
                    .bytes = 0,
                    .format = "gguf",
                    .file_name = {},
                    .source = std::string(source.name),
                    .licence = {}};
  if (request.file) manifest.file_name = request.file->filename().string();
  if (const CatalogueEntry* entry = request.entry) {
    manifest.sha256 = entry->sha256;
    manifest.bytes = entry->bytes;
    manifest.format = entry->format;
    manifest.file_name = entry->file_name;
    manifest.licence = entry->licence->id;
  }
  return manifest;
}

Status check_fetched(const PullRequest& request, const FetchedFile& fetched) {
  if (request.entry == nullptr) return check_is_whole_model(fetched.path);
  if (fetched.sha256 == request.entry->sha256) return {};
  return error(ErrorCode::bad_input,
               {"{}: SHA-256 is {}, but {} must have {}", "{}：SHA-256 为 {}，而 {} 应为 {}"},
               request.file ? request.file->string() : std::string(request.entry->file_name),
               fetched.sha256, request.entry->name, request.entry->sha256)
      .with_hint(text({"the file is damaged or another one; nothing of it was kept",
                       "文件已损坏或不是该模型；未保留任何内容"}));
}

Result<StoredModel> fetch_and_add(Store& store, const PullRequest& request, const Source& source,
                                  const FetchJob& job) {
  if (request.file && request.entry == nullptr) PREMISE_CHECK(check_is_whole_model(*request.file));
  PREMISE_TRY(const FetchedFile fetched, source.fetch(job));
  Manifest manifest = manifest_of(request, source);
  manifest.sha256 = fetched.sha256;
  manifest.bytes = fetched.bytes;
  const Status good = check_fetched(request, fetched);
  if (good.ok()) {
    Result<StoredModel> added = store.add(manifest, fetched.path);
    if (added.ok()) return added;
    PREMISE_CHECK(remove_file(fetched.path));
    return added;
  }
  PREMISE_CHECK(remove_file(fetched.path));
  return good.error();
}

}  // namespace

Result<std::optional<StoredModel>> find_pulled(Store& store, const PullRequest& request) {
  if (request.entry == nullptr && request.file) return std::optional<StoredModel>();
  PREMISE_TRY(auto known, store.find(request.name));
  if (!known || regular_file_bytes(known->path) != known->bytes)
    return std::optional<StoredModel>();
  return known;
}

Result<PullOutcome> pull(Store& store, const PullRequest& request, const Environment& environment,
                         const WorkHooks& hooks) {
  PREMISE_TRY(auto there, find_pulled(store, request));
  if (there) return PullOutcome{*std::move(there), true};
  PREMISE_TRY(const Source* source, choose_source(request));
  PREMISE_TRY(const std::string stem, stem_of(request));
  PREMISE_TRY(const FileLock lock, FileLock::acquire(store.partial_folder() / (stem + ".lock"),
                                                     request.name.text(), hooks));
  PREMISE_TRY(auto pulled_meanwhile, find_pulled(store, request));
  if (pulled_meanwhile) return PullOutcome{*std::move(pulled_meanwhile), true};
  if (request.entry != nullptr) {
    PREMISE_TRY(auto reused, reuse_blob(store, manifest_of(request, *source), hooks));
    if (reused) return PullOutcome{*std::move(reused), true};
  }
  const FetchJob job{.entry = request.entry,
                     .file = request.file.value_or(fs::path()),
                     .folder = store.partial_folder(),
                     .stem = stem,
                     .environment = environment,
                     .hooks = &hooks};
  PREMISE_TRY(StoredModel model, fetch_and_add(store, request, *source, job));
  return PullOutcome{std::move(model), false};
}

}  // namespace premise
