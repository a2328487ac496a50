// Which requests have one answer, and what tells such requests apart.
//
// Kept are requests that reproduce: greedy ones, and ones that name a seed. Does a seed reproduce
// where batches change? Only with [engine] deterministic = true bit by bit: otherwise a request
// computed beside others may differ in the last bits of a sum, and so, seldom, in a token. That is
// true of greedy requests as well, and is no reason against keeping either. An answer from the
// cache is one that the model gave to this very request; with it repetition is exact where it was
// nearly so. A request that names no seed wants another answer each time and is never kept.
//
// A key is the SHA-256 over everything that decides the answer, each part with its length in
// front, so that no two requests write the same bytes. The writer takes every struct apart by
// structured bindings, which must name all members: a field that is added does not compile until
// it is decided here whether it belongs to the key.
//
// Who may share an answer is part of the key: a hit is answered in no time, and so tells who asks
// that somebody has asked the same before. The scope is that of prefixes ("key", "group",
// "server"), for the same reason.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "serve/endpoint/endpoint.h"

namespace premise {

/// Whether the same request has the same answer. To be asked before prepare(), which gives every
/// request a seed.
bool cacheable(const GenerationRequest& request);

/// Who answers, and for whom.
struct ResultSource {
  /// Name and version of the weights, and whatever else of the configuration changes tokens (type
  /// of the KV cache, chat template): another text, another cache.
  std::string_view model;
  /// Whose answers these are. Empty: nobody's, and there is no key.
  std::string_view scope;
};

struct ResultKey {
  std::string digest;       // 64 hexadecimal digits
  std::size_t choices = 0;  // that an answer must have
};

/// The key of a request that is cacheable(). An Error where the source has no scope, or where the
/// endpoint left prompts unread, so that nobody knows what was asked.
Result<ResultKey> result_key(const ResultSource& source, const PreparedRequest& prepared);

}  // namespace premise
