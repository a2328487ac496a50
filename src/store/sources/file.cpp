// A file carried in by hand. It is copied and never linked or moved: the store's blobs may not
// change, and the user's file may. The copy is hashed, not the original, which somebody may be
// writing to; a copy that was cut short is made again, since a local disk is fast.
#include "store/files.h"
#include "store/sources/source.h"

namespace premise {
namespace {

Status check_size(const FetchJob& job) {
  if (job.entry == nullptr) return {};
  PREMISE_TRY(const File file, File::open(job.file));
  PREMISE_TRY(const std::uint64_t bytes, file.size());
  if (bytes == job.entry->bytes) return {};
  return error(ErrorCode::bad_input,
               {"{}: has {} bytes, but {} has {}", "{}：文件为 {} 字节，而 {} 应为 {} 字节"},
               job.file.string(), bytes, job.entry->name, job.entry->bytes)
      .with_hint(text({"the file is cut short, or another model", "文件不完整，或者是另一个模型"}));
}

Result<FetchedFile> fetch_file(const FetchJob& job) {
  PREMISE_CHECK(check_size(job));
  FetchedFile fetched{.path = job.folder / (job.stem + ".copy")};
  Result<std::string> digest = copy_file_hashed(job.file, fetched.path, *job.hooks);
  if (!digest.ok()) {
    PREMISE_CHECK(remove_file(fetched.path));
    return std::move(digest).error();
  }
  fetched.sha256 = std::move(digest).value();
  fetched.bytes = regular_file_bytes(fetched.path).value_or(0);
  return fetched;
}

}  // namespace

extern const Source file_source;
const Source file_source{.name = "file", .fetch = fetch_file};

}  // namespace premise
