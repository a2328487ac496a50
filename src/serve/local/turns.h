// Engines of one machine compute in turns.
//
// A step uses every thread of its team, so two at once would have twice as many threads as
// processors, and a team that waits for one of its own threads to get a processor wastes the time
// of all others. Splitting the processors between models instead would leave half of them idle
// whenever one model has nothing to do. A turn is one step: tens of milliseconds, so that models
// share the machine evenly while all are busy, and one alone has all of it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "serve/local/step_engine.h"

namespace premise {

/// Who asks first is served first. Thread-safe; a thread holds one turn at most.
class Turns {
 public:
  void take();
  void give_back();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t next_ = 0;     // number of the next who asks
  std::uint64_t serving_ = 0;  // number of who may go, or goes
};

/// The same engine, each of whose steps waits for its turn.
std::unique_ptr<StepEngine> taking_turns(std::unique_ptr<StepEngine> engine,
                                         std::shared_ptr<Turns> turns);

}  // namespace premise
