// What lies in the folder: keys, names, the list, and what is swept away.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/hash.h"
#include "engine/packed_cache/descriptor.h"
#include "engine/packed_cache/packed_cache.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".packed", partial_ending = ".packed.partial";

bool is_current(const PackedHeader& header, std::uint32_t layout) {
  if (header.layout_version != layout || header.origins.empty()) return false;
  const bool by_digest = header.key.starts_with("sha256:");
  return std::ranges::all_of(header.origins, [&](const PackedOrigin& origin) {
    const auto now = identity_of_file(origin.path);
    return now && (by_digest ? origin.is_still(*now) : *now == origin.identity);
  });
}

/// A file whose writer was killed: nobody holds its lock. Removed under the lock.
bool remove_abandoned(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return false;
  return is_at(file.get(), path) && ::unlink(path.c_str()) == 0;
}

template <typename Visit>
void each_file(const fs::path& folder, std::string_view wanted, const Visit& visit) {
  std::error_code code;
  for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code))
    if (at->path().filename().string().ends_with(wanted)) visit(at->path());
}

PackedEntry entry_at(const fs::path& path, std::uint32_t layout) {
  PackedEntry entry;
  entry.path = path;
  const Descriptor file = open_regular(path);
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return entry;
  entry.bytes = static_cast<std::uint64_t>(status.st_size);
  entry.last_use = status.st_mtim.tv_sec;
  auto header = read_head(file.get(), entry.bytes, path.string());
  if (!header) return entry;
  entry.header = std::move(header).value();
  entry.state =
      is_current(entry.header, layout) && packed_path(path.parent_path(), entry.header.key) == path
          ? PackedState::current
          : PackedState::outdated;
  entry.header.sections.clear();
  entry.header.checksums.clear();
  return entry;
}

}  // namespace

std::string packed_key(std::string_view sha256, const SourceOrigin& origin) {
  if (!sha256.empty()) return fmt::format("sha256:{}", sha256);
  std::string identities;  // hashed: a model of a thousand parts has long ones
  for (const SourceFile& file : origin.files) {
    const FileIdentity& id = file.identity;
    if (id == FileIdentity{}) return {};
    identities += fmt::format("{}.{}.{}.{}.{},", id.device, id.inode, id.bytes, id.modified_ns,
                              id.changed_ns);
  }
  const auto digest = hash_of(HashKind::sha256, identities);
  return identities.empty() || !digest ? "" : "file:" + *digest;
}

fs::path packed_path(const fs::path& folder, std::string_view key) {
  // Of what a header in the folder claims, too: a digest is a name only where it looks like one.
  for (const std::string_view kind : {"sha256", "file"}) {
    if (!key.starts_with(kind) || key.substr(kind.size(), 1) != ":") continue;
    const std::string_view digest = key.substr(kind.size() + 1);
    if (is_hash(HashKind::sha256, digest))
      return folder / fmt::format("{}-{}{}", kind, digest, ending);
  }
  return folder / fmt::format("unknown{}", ending);
}

Result<std::vector<PackedEntry>> list_packed(const fs::path& folder, std::uint32_t layout) {
  std::error_code code;
  if (!fs::exists(folder, code) && !code) return std::vector<PackedEntry>{};
  const fs::directory_iterator readable(folder, code);
  if (code)
    return error(ErrorCode::bad_input, {"{}: cannot be read: {}", "{}：无法读取：{}"},
                 folder.string(), code.message());
  std::vector<PackedEntry> entries;
  each_file(folder, ending,
            [&](const fs::path& path) { entries.push_back(entry_at(path, layout)); });
  std::ranges::sort(entries, [](const PackedEntry& a, const PackedEntry& b) {
    return a.last_use != b.last_use ? a.last_use > b.last_use : a.path < b.path;
  });
  return entries;
}

Status remove_packed(const PackedEntry& entry) {
  std::error_code code;
  fs::remove(entry.path, code);
  if (!code) return {};
  return error(ErrorCode::bad_input, {"{}: cannot be removed: {}", "{}：无法删除：{}"},
               entry.path.string(), code.message());
}

PackedSweep sweep_packed(const fs::path& folder, std::uint32_t layout) {
  PackedSweep swept;
  const auto count = [&](std::uint64_t bytes) {
    ++swept.files;
    swept.bytes += bytes;
  };
  auto entries = list_packed(folder, layout);
  if (!entries) return swept;
  for (const PackedEntry& entry : *entries)
    if (entry.state != PackedState::current && remove_packed(entry).ok()) count(entry.bytes);
  std::vector<fs::path> partial;
  each_file(folder, partial_ending, [&](const fs::path& path) { partial.push_back(path); });
  for (const fs::path& path : partial) {
    std::error_code code;
    const std::uint64_t bytes = fs::file_size(path, code);
    if (remove_abandoned(path)) count(code ? 0 : bytes);
  }
  return swept;
}

}  // namespace premise
