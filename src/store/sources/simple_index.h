// Pages of a package index: which files of a project there are, and where. Sources: PEP 503 (HTML),
// PEP 691 (JSON), PEP 427 (names of wheels).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace premise {

struct IndexFile {
  std::string file_name;
  std::string url;                     // absolute
  std::string sha256;                  // lower case; empty where the page does not tell
  std::optional<std::uint64_t> bytes;  // JSON pages tell
};

/// "My_Project.Name" → "my-project-name".
std::string normalized_project(std::string_view name);

/// A project's files. `url` is where the page came from. A page that cannot be read is an Error
/// (network); an entry that cannot is left out.
Result<std::vector<IndexFile>> parse_index_page(std::string_view body,
                                                std::string_view content_type,
                                                const std::string& url);

/// The wheel of that project and version that runs anywhere, or nothing.
std::optional<IndexFile> find_wheel(const std::vector<IndexFile>& files, std::string_view project,
                                    std::string_view version);

}  // namespace premise
