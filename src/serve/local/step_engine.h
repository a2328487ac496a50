// The part of an engine that a LocalEndpoint drives, as a seam: a test steps one made of a script.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/request/request.h"

namespace premise {

class Engine;

struct StepRequest {
  Request request;
  std::string owner;         // the scheduler is fair between owners
  std::string prefix_scope;  // requests of one scope share computed prefixes
};

/// What one step brought.
struct StepReport {
  /// A request left the queue.
  struct Begun {
    RequestId request = 0;
    std::chrono::steady_clock::time_point at{};
  };
  std::vector<Begun> begun;  // before the first token of the request
  std::vector<TokenEvent> events;
};

/// Where an engine stands after a step; counts without another word are since its start.
struct StepState {
  std::size_t kv_blocks_used = 0;   // held by running requests, of all cache groups
  std::size_t kv_blocks_kept = 0;   // held by nobody, kept for their content
  std::size_t kv_blocks_total = 0;  // used, kept and empty ones
  std::uint64_t preemptions = 0;
  std::uint64_t guessed_tokens = 0;
  std::uint64_t guessed_right = 0;
  std::size_t prompt_tokens = 0;  // that the step read; 0 with no decode_rows: it computed nothing
  std::size_t decode_rows = 0;    // sequences that generated in it
};

/// One thread at a time. Every accepted request ends in exactly one event with a finish reason.
class StepEngine {
 public:
  virtual ~StepEngine() = default;

  virtual std::size_t context() const = 0;     // tokens of one request
  virtual std::size_t vocabulary() const = 0;  // ids are below
  virtual std::size_t sequences() const = 0;   // computed at the same time

  virtual Result<RequestId> submit(StepRequest request) = 0;
  virtual void cancel(RequestId id) = 0;
  virtual bool idle() const = 0;
  virtual void step(StepReport& report) = 0;  // appends
  virtual StepState state() const = 0;
};

/// An Engine behind the seam. Owners and scopes become numbers by a hash with a secret of this
/// process: no client can choose a scope whose number is another's.
std::unique_ptr<StepEngine> step_engine(std::unique_ptr<Engine> engine);

}  // namespace premise
