// Packed weights kept on disk, so that the next start reads them instead of packing again
// (docs/decisions/0010-cache-of-packed-weights.md).
//
// A folder with one file a model (packed_header.h). Any number of processes use it at once: a file
// appears by rename when it is complete and on the disk, and one that is open stays readable
// when it is replaced or removed. A file is written under its name with ".partial", locked
// (flock) for as long: who finds it locked leaves the writing to the other process, and what a
// killed one left is unlocked, and is taken over or swept away. Hence no OutputFile of
// model/formats, whose temporary names differ from writer to writer and whose leftovers nobody can
// tell from work in progress.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/packed_cache/packed_header.h"
#include "model/formats/tensor_source.h"
#include "numerics/device/thread_team.h"

namespace premise {

/// How a load uses the cache.
struct PackedCacheOptions {
  std::filesystem::path folder;
  std::string model;                                    // as the user names it
  std::uint64_t least_bytes = std::uint64_t{16} << 20;  // fewer are packed in the time of a blink
  std::string sha256;  // of the model's file, where the store knows it; else identities are the key
  std::function<void(const Text& text)> notice = {};  // a line for people; on the loading thread,
                                                      // or on the one that ends the model
  std::function<bool()> stopped = {};  // whether an end need not wait for the writing; any thread
};

/// "sha256:…" where the digest is known, else "file:…", a digest of the identities; empty where the
/// source has no files to tell by.
std::string packed_key(std::string_view sha256, const SourceOrigin& origin);

std::filesystem::path packed_path(const std::filesystem::path& folder, std::string_view key);

/// Why a file is of no use, if so.
enum class PackedState { current, outdated, damaged };

struct PackedEntry {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  std::int64_t last_use = 0;  // seconds since 1970
  PackedState state = PackedState::damaged;
  PackedHeader header;  // without sections and checksums; empty where damaged
};

/// What the folder holds, the last used first; a folder that is not there holds nothing. `layout`
/// is the version this program packs. outdated: another layout, or a model that is gone or was
/// changed. Heads are checked, weights are not: a load does that.
Result<std::vector<PackedEntry>> list_packed(const std::filesystem::path& folder,
                                             std::uint32_t layout);

/// Removes it; one that is not there is removed already.
Status remove_packed(const PackedEntry& entry);

/// What sweep_packed() took away.
struct PackedSweep {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};

/// Removes what no load will use again: entries that are not current, and leftovers of writers
/// that were killed. What cannot be removed stays.
PackedSweep sweep_packed(const std::filesystem::path& folder, std::uint32_t layout);

/// Fills `destination` (wanted.data_bytes long) from the file at `path`, all threads of the team
/// reading and comparing every block with its checksum. False where no such file is. An Error
/// (bad_input) where it is damaged, or not what `wanted` describes; the destination is then
/// garbage. Notes the use.
Result<bool> read_packed(const std::filesystem::path& path, const PackedHeader& wanted,
                         ThreadTeam& team, std::span<std::byte> destination);

/// Writes an entry beside the computing, from memory that both read. A thread of the lowest
/// priority, one copy of the weights.
class PackedWriter {
 public:
  /// Takes the place on the disk for all of it and starts writing. `weights` must stay as they are
  /// until this object is gone. Null where another process is writing the same entry. Errors:
  /// bad_input where the folder cannot be written to, no_resources where the disk is too full.
  static Result<std::unique_ptr<PackedWriter>> start(const PackedCacheOptions& options,
                                                     PackedHeader header,
                                                     std::span<const std::byte> weights);

  /// Waits for the end, unless options.stopped() says that the user will not; what failed is said
  /// through options.notice.
  ~PackedWriter();

  /// Waits. The entry is on the disk where this is ok. To be called once.
  Status finish();

 private:
  struct Work;
  explicit PackedWriter(std::unique_ptr<Work> work);
  std::unique_ptr<Work> work_;
};

}  // namespace premise
