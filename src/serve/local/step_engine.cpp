#include "serve/local/step_engine.h"

#include <sys/random.h>

#include <random>

#include "base/hash.h"
#include "engine/engine.h"

namespace premise {
namespace {

/// 32 bytes that nobody can guess.
std::string make_secret() {
  std::string secret(32, '\0');
  if (getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size())) {
    std::random_device device;  // reads the same source
    for (char& byte : secret) byte = static_cast<char>(device());
  }
  return secret;
}

class OwnedEngine final : public StepEngine {
 public:
  explicit OwnedEngine(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  std::size_t context() const override { return engine_->context(); }
  std::size_t vocabulary() const override { return engine_->plan().vocabulary; }
  std::size_t sequences() const override { return engine_->sequences(); }

  Result<RequestId> submit(StepRequest request) override {
    request.request.owner = number_of("owner ", request.owner);
    request.request.prefix_salt = number_of("scope ", request.prefix_scope);
    return engine_->submit(std::move(request.request));
  }
  void cancel(RequestId id) override { engine_->cancel(id); }
  bool idle() const override { return engine_->idle(); }
  void step(StepReport& report) override {
    const auto now = std::chrono::steady_clock::now();
    begun_.clear();
    engine_->step(report.events, &begun_);
    for (const RequestId id : begun_) report.begun.push_back({id, now});
  }
  StepState state() const override {
    const EngineStats stats = engine_->stats();
    StepState state;
    for (const EngineStats::Group& group : stats.groups) {
      state.kv_blocks_used += group.blocks_used;
      state.kv_blocks_kept += group.blocks_kept;
      state.kv_blocks_total += group.blocks_total;
    }
    state.preemptions = stats.counters.preemptions;
    state.guessed_tokens = stats.counters.guessed_tokens;
    state.guessed_right = stats.counters.guessed_right;
    state.prompt_tokens = stats.prompt_tokens;
    state.decode_rows = stats.decode_rows;
    return state;
  }

 private:
  /// 0 for an empty name and nothing else.
  std::uint64_t number_of(std::string_view kind, const std::string& name) const {
    if (name.empty()) return 0;
    const auto digest = hash_of(HashKind::sha256, secret_ + std::string(kind) + name);
    if (!digest.ok()) return 0;  // nothing shared rather than too much
    const std::uint64_t number = std::stoull(digest.value().substr(0, 16), nullptr, 16);
    return number == 0 ? 1 : number;
  }

  const std::string secret_ = make_secret();
  std::vector<RequestId> begun_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace

std::unique_ptr<StepEngine> step_engine(std::unique_ptr<Engine> engine) {
  return std::make_unique<OwnedEngine>(std::move(engine));
}

}  // namespace premise
