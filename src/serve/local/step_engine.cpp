#include "serve/local/step_engine.h"

#include "engine/engine.h"

namespace premise {
namespace {

class OwnedEngine final : public StepEngine {
 public:
  explicit OwnedEngine(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  std::size_t context() const override { return engine_->context(); }
  std::size_t vocabulary() const override { return engine_->plan().vocabulary; }
  std::size_t sequences() const override { return engine_->sequences(); }

  Result<RequestId> submit(StepRequest request) override {
    return engine_->submit(std::move(request.request));
  }
  void cancel(RequestId id) override { engine_->cancel(id); }
  bool idle() const override { return engine_->idle(); }
  void step(StepReport& report) override { engine_->step(report.events); }

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace

std::unique_ptr<StepEngine> step_engine(std::unique_ptr<Engine> engine) {
  return std::make_unique<OwnedEngine>(std::move(engine));
}

}  // namespace premise
