// SentencePiece's precompiled_charsmap: a table of replacements for prefixes of a text (NFKC and
// the like), as model files carry it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace premise {

/// Immutable and thread-safe.
class CharsMap {
 public:
  struct Replacement {
    std::string_view text;  // what stands there instead; lives as long as the map
    std::size_t bytes = 0;  // of the text it replaces; never 0
  };

  /// A map that replaces nothing.
  CharsMap() = default;

  /// Error (bad_input) when the blob contradicts itself. An empty blob replaces nothing.
  static Result<CharsMap> parse(std::string_view blob);

  /// The rule for the longest prefix of `text` that has one. A rule whose replacement lies outside
  /// the table (a damaged file) does not apply. At most 256 bytes of `text` are looked at.
  std::optional<Replacement> longest(std::string_view text) const;

 private:
  std::vector<std::uint32_t> units_;
  std::string replacements_;  // each ends with NUL
};

}  // namespace premise
