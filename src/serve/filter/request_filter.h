// The word filter on what is asked.
#pragma once

#include <cstddef>

#include "serve/endpoint/endpoint.h"
#include "serve/filter/stream_filter.h"

namespace premise {

struct RequestFindings {
  std::size_t matches = 0;         // words found; reject stops at the first
  bool rejected = false;           // the request must not run
  std::size_t unread_prompts = 0;  // given as token ids, which this cannot read
};

/// Reads every text of the request that a person wrote (for_each_text). A message's text in several
/// parts is also read as one text, since a template joins the parts. For mask the texts are masked
/// in place; reject and log change nothing.
RequestFindings filter_request(const WordList& words, FilterAction action,
                               GenerationRequest& request);

/// What a client whose request was rejected is told: neither word nor place.
Text rejected_request_text();

}  // namespace premise
