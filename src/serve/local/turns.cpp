#include "serve/local/turns.h"

#include <utility>

namespace premise {
namespace {

class TurnTakingEngine final : public StepEngine {
 public:
  TurnTakingEngine(std::unique_ptr<StepEngine> engine, std::shared_ptr<Turns> turns)
      : engine_(std::move(engine)), turns_(std::move(turns)) {}

  std::size_t context() const override { return engine_->context(); }
  std::size_t vocabulary() const override { return engine_->vocabulary(); }
  std::size_t sequences() const override { return engine_->sequences(); }
  Result<RequestId> submit(StepRequest request) override {
    return engine_->submit(std::move(request));
  }
  void cancel(RequestId id) override { engine_->cancel(id); }
  bool idle() const override { return engine_->idle(); }
  StepState state() const override { return engine_->state(); }
  void step(StepReport& report) override {
    struct Turn {
      explicit Turn(Turns& of) : turns(of) { turns.take(); }
      ~Turn() { turns.give_back(); }  // also when the engine throws
      Turns& turns;
    } turn(*turns_);
    engine_->step(report);
  }

 private:
  std::unique_ptr<StepEngine> engine_;
  std::shared_ptr<Turns> turns_;
};

}  // namespace

void Turns::take() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = next_++;
  changed_.wait(lock, [&] { return serving_ == mine; });
}

void Turns::give_back() {
  {
    const std::lock_guard lock(mutex_);
    ++serving_;
  }
  changed_.notify_all();
}

std::unique_ptr<StepEngine> taking_turns(std::unique_ptr<StepEngine> engine,
                                         std::shared_ptr<Turns> turns) {
  return std::make_unique<TurnTakingEngine>(std::move(engine), std::move(turns));
}

}  // namespace premise
