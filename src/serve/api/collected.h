// An answer's events gathered, for replies that are sent whole; and what all encoders share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api/api_call.h"
#include "serve/endpoint/endpoint.h"

namespace premise {

struct CollectedChoice {
  std::string text;
  std::vector<GeneratedToken> tokens;
  std::optional<ChoiceEnding> ending;
};

/// One thread at a time.
struct CollectedAnswer {
  std::vector<CollectedChoice> choices;
  std::optional<Ended> ended;

  void take(const EndpointEvent& event);
};

/// "stop", "length", "content_filter".
std::string_view finish_reason(ChoiceEnding ending);

/// What went wrong, for an Ended that is not complete: 500, or 503 where it was cancelled.
ApiError ending_error(const Ended& ended);

/// {"prompt_tokens":…,"completion_tokens":…,"total_tokens":…,"prompt_tokens_details":{…}}
void append_usage(std::string& out, const TokenUsage& usage);

/// "data: <json>\n\n".
void append_event(std::string& out, std::string_view json);
/// The end of a stream that went wrong: the error as an event, and no [DONE], so that a client
/// cannot take half an answer for a whole one.
void append_error_event(std::string& out, const Ended& ended, Language language);

Reply stream_head(std::string body);

}  // namespace premise
