// What the service asks of a model, wherever it runs: count, submit, cancel, hear events.
//
// Messages arrive as parts, not as a rendered string, because template and tokenizer belong to the
// model's version, and because a gateway passes parts on. A request is taken in two steps, prepare
// and submit: between the two its tokens are known, so that a budget can be reserved before any
// computing begins. The alternative, one call that does both, would hide the count until too late.
//
// Law: a request that submit() accepted ends in exactly one event `Ended`, whatever happens.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/text.h"
#include "engine/request/request.h"
#include "model/chat/message.h"

namespace premise {

struct Conversation {
  std::vector<Message> messages;
  std::vector<Value> tools{};  // JSON schemas of the functions on offer
};

/// A conversation for the chat template, or a raw prompt as text or as token ids.
using Prompt = std::variant<Conversation, std::string, std::vector<TokenId>>;

struct GenerationRequest {
  std::vector<Prompt> prompts;          // at least one
  std::size_t choices = 1;              // answers to each prompt; numbered prompt by prompt
  SamplingParams sampling{};            // its seed is replaced by `seed`
  std::optional<std::uint64_t> seed{};  // choice i of a prompt draws with seed + i; unset: random
  std::optional<std::size_t> max_tokens{};  // of each choice; unset: what the context leaves
  std::vector<std::string> stop{};          // generation ends before the first of these
  bool logprobs = false;
  std::size_t top_logprobs = 0;
  bool ignore_eos = false;  // go on after the model's own end
  bool echo = false;        // each choice begins with the text of its prompt

  std::string owner{};         // whose request it is: the scheduler is fair between owners
  std::string prefix_scope{};  // requests of one scope share computed prefixes
};

/// Visits every text that a person wrote: what a word filter reads, and may replace. An error of a
/// visit is the caller's to remember.
void for_each_text(GenerationRequest& request, const std::function<void(std::string&)>& visit);

enum class RefusalReason : std::uint8_t {
  bad_request,  // a value that this model cannot take
  too_long,     // over the context
  queue_full,   // try again later
  unavailable,  // the model is being loaded or unloaded
};
std::string_view name_of(RefusalReason reason);

/// Why a request was not accepted. Nothing more comes for it.
struct Refusal {
  RefusalReason reason = RefusalReason::bad_request;
  Text what;
  std::string param{};                  // the field that is wrong, where there is one
  std::chrono::seconds retry_after{0};  // for queue_full and unavailable: when to try again
};

/// A value, or why not.
template <typename T>
using Accepted = std::variant<T, Refusal>;

struct PreparedPrompt {
  std::vector<TokenId> tokens;
  std::size_t max_tokens = 0;  // of each of its choices
  std::string text{};          // where it is to be echoed
};

/// A request with its tokens counted; nothing has been computed yet.
struct PreparedRequest {
  GenerationRequest request;  // its prompts have become `prompts`
  std::vector<PreparedPrompt> prompts;
  std::vector<TokenId> stop_tokens;
  bool keep_leading_space = true;

  std::size_t prompt_tokens() const;
  /// All that it may cost: prompts and the longest answers.
  std::size_t tokens_max() const;
  std::size_t choices() const { return prompts.size() * request.choices; }
};

struct TokenUsage {
  std::size_t prompt_tokens = 0;
  std::size_t completion_tokens = 0;  // computed, also those a stop string cut away
  std::size_t cached_tokens = 0;      // of the prompt: computed for an earlier request
};

struct TokenChance {
  TokenId id = 0;
  std::string bytes;  // what the token stands for; perhaps part of a character only
  float logprob = 0.0f;
};
/// Characters of UTF-8, as text offsets count them.
std::size_t text_characters(std::string_view text);

struct GeneratedToken {
  TokenChance token;
  std::size_t text_offset = 0;  // characters of the choice before it
  std::vector<TokenChance> top;
};

/// More text of a choice: whole characters, no part of a stop string.
struct TextEvent {
  std::size_t choice = 0;
  std::string text;
  std::vector<GeneratedToken> tokens;  // where logprobs are wanted; each is told once
};
/// `filtered` comes from who stands between endpoint and client: an endpoint tells the others.
enum class ChoiceEnding : std::uint8_t { stop, length, filtered };
struct ChoiceEnd {
  std::size_t choice = 0;
  ChoiceEnding ending = ChoiceEnding::stop;
};
/// The last event of a request.
struct Ended {
  enum class How : std::uint8_t { complete, cancelled, failed };
  How how = How::complete;
  TokenUsage usage;
  Text why{};  // for failed
};
using EndpointEvent = std::variant<TextEvent, ChoiceEnd, Ended>;

/// Called on the endpoint's thread, in order; returns soon, does not throw, and may call cancel().
using EndpointListener = std::function<void(EndpointEvent event)>;
using EndpointRequestId = std::uint64_t;

struct ModelCard {
  std::string name;
  std::int64_t created = 0;  // seconds since 1970, UTC
  std::size_t context = 0;   // tokens of prompt and answer together
};

struct EndpointLoad {
  std::size_t accepted = 0;  // choices that have not ended
  std::size_t running = 0;   // of them being computed at once, at most
};

/// Any thread may call any member.
class ModelEndpoint {
 public:
  virtual ~ModelEndpoint() = default;

  virtual const ModelCard& card() const = 0;
  virtual bool ready() const = 0;
  virtual EndpointLoad load() const = 0;

  /// Renders, encodes and counts. Takes the time of encoding; computes no model.
  virtual Accepted<PreparedRequest> prepare(GenerationRequest request) const = 0;

  /// From here on exactly one Ended comes, perhaps before this returns. Refusals call nothing.
  virtual Accepted<EndpointRequestId> submit(PreparedRequest request,
                                             EndpointListener listener) = 0;

  /// Ended (cancelled) follows, unless the request has ended. Unknown ids are ignored.
  virtual void cancel(EndpointRequestId id) = 0;
};

}  // namespace premise
