// Wheels are zip files (PEP 427); one member of one is all we ever want.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "store/files.h"

namespace premise {

/// Unpacks `member` of the wheel at `path` to the end of `out`, adds it to `hasher`, and tells
/// `unpacked` how many bytes each block had; an Error of `unpacked` ends it. A member that is not
/// there, has not exactly `bytes` bytes, or fails its checksum is bad_input; `out` may then have
/// grown.
Status append_member(const std::filesystem::path& path, std::string_view member,
                     std::uint64_t bytes, File& out, Hasher& hasher,
                     const std::function<Status(std::size_t)>& unpacked);

}  // namespace premise
