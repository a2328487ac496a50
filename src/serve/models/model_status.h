// What is said about models: plain data, between the table, the API of the administrator and logs.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"

namespace premise {

/// What to load, and how. 0 and empty: the loader chooses.
struct ModelSpec {
  std::string name;  // as clients say it
  std::string path;  // in the store by name, or a file or folder
  std::int64_t context = 0;
  std::int64_t parallel = 0;
  std::int64_t queue = 256;  // choices that may wait
  std::string kv_type{};
  std::string chat_template{};
  std::uint64_t kv_memory = 0;  // bytes of the KV cache; 0: context × parallel
  bool operator==(const ModelSpec&) const = default;
};

/// How a model changes. Zero seconds are none: no watch, no time to end.
struct ModelLimits {
  std::chrono::milliseconds watch{60'000};  // of a new version after a swap
  std::size_t watch_requests = 20;          // fewer say nothing of a rate
  double failed_share = 0.2;  // of the requests watched: more, and the old one returns
  std::chrono::milliseconds drain{30'000};  // for the requests of a version that goes
  bool operator==(const ModelLimits&) const = default;
};

/// What one swap does otherwise than the limits of its model say.
struct SwapLimits {
  std::optional<std::chrono::milliseconds> watch{};
  std::optional<double> failed_share{};
};

enum class ModelState : std::uint8_t {
  loading,   // for the first time
  ready,     // takes requests
  draining,  // takes none; those it has may end
  failed,    // could not be loaded, or its engine failed
};
std::string_view name_of(ModelState state);

/// How a swap went.
enum class SwapResult : std::uint8_t {
  swapped,       // the new version serves, and is being watched
  kept,          // the time of watching is over; the old version is gone
  not_loaded,    // the new one could not be loaded: the old one goes on
  check_failed,  // the new one failed its check: the old one goes on
  returned,      // too many requests failed: the old one is back
};
std::string_view name_of(SwapResult result);

struct ModelStatus {
  ModelSpec spec;  // of the version that serves
  ModelState state = ModelState::loading;
  std::uint64_t version = 0;            // counts what was loaded since the start of the server
  std::string digest{};                 // of the file, where the loader knows it
  std::int64_t since = 0;               // in this state; seconds since 1970, UTC
  std::size_t requests = 0;             // on their way, of all its versions
  std::uint64_t ended = 0, failed = 0;  // requests of this version
  std::size_t context = 0;              // tokens; 0: not loaded
  std::optional<ModelSpec> next{};      // a version that is being loaded or checked beside it
  bool watched = false;                 // the version before is kept, to return to it
  Text why{};  // why it failed, or the last swap did; empty: nothing failed
};

/// Why an action was not begun.
struct ModelRefusal {
  enum class Reason : std::uint8_t { unknown, exists, busy } reason = Reason::unknown;
  Text what;
};

}  // namespace premise
