// One path of the API: how its requests are read and its answers written. A dialect is pure: bytes
// to a native request, events to bytes. Each is one file that exports one constant; CMake writes
// the table from the file list.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api/api_call.h"
#include "serve/endpoint/endpoint.h"
#include "serve/models/model_status.h"

namespace premise {

/// A decoded request for text.
struct GenerationCall {
  std::string model;  // empty: the dialect names none, the server's default
  GenerationRequest request;
  bool stream = false;
  bool include_usage = false;  // as the last chunk of a stream
  bool result_cache = true;    // false: no answer from the cache, and none into it
};

/// What an answer says beside its text.
struct ReplyHead {
  std::string request_id;    // the answer's id is made from it: "chatcmpl-<request_id>"
  std::int64_t created = 0;  // seconds since 1970, UTC
  std::string model;
  Language language = Language::english;
};

/// Writes one answer. One thread at a time. A stream: head() once, then take() of every event, its
/// bytes sent as they come; the answer is over after an Ended. Whole: take() of every event, and
/// whole() after the Ended; take() gives no bytes.
class ReplyEncoder {
 public:
  virtual ~ReplyEncoder() = default;
  virtual bool streams() const = 0;
  virtual Reply head() = 0;
  virtual std::string take(const EndpointEvent& event) = 0;
  virtual Reply whole() = 0;
};

/// What paths that generate nothing answer from.
struct ServiceView {
  std::vector<ModelCard> models;  // that take requests
  bool ready = false;
  Language language = Language::english;
  std::vector<ModelStatus> statuses{};  // of all models, for the administrator
};

/// What an administrator wants done with a model.
struct ModelCommand {
  enum class Action : std::uint8_t { load, unload, swap } action = Action::load;
  ModelSpec spec;
  std::optional<std::chrono::milliseconds> drain{};  // unload: for running requests
  SwapLimits limits{};                               // swap
};

struct Dialect {
  std::string_view name;
  std::string_view method;
  /// "/v1/models/{model}": a last element in braces takes the rest of the path, slashes and all.
  std::string_view path;
  bool needs_key = true;
  bool admin = false;  // the key needs the scope of administrators

  // One of the three: these two …
  OrApiError<GenerationCall> (*decode)(const ApiCall& call) = nullptr;
  std::unique_ptr<ReplyEncoder> (*encode)(const GenerationCall& call,
                                          const ReplyHead& head) = nullptr;
  // … an answer at once (`rest` is what the braces took) …
  Reply (*answer)(const ServiceView& view, std::string_view rest) = nullptr;
  // … or something to be done.
  OrApiError<ModelCommand> (*command)(const ApiCall& call) = nullptr;

  bool generates() const { return decode != nullptr; }
};

/// All dialects, sorted by file name.
std::span<const Dialect* const> all_api();

struct Route {
  const Dialect* dialect = nullptr;
  std::string rest;
};

/// The dialect of a path; 404 for a path that is none, 405 for another method (`allow` names those
/// there are). HEAD is answered as GET, its body dropped by the server.
OrApiError<Route> find_route(std::string_view method, std::string_view path,
                             std::string* allow = nullptr);

}  // namespace premise
