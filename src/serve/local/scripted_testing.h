// An engine that says what a test tells it to, and a tokenizer of bytes to say it with.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>

#include "model/tokenizer/tokenizer.h"
#include "serve/local/step_engine.h"

namespace premise::testing {

/// GPT-2's byte letters, ids 0 … 255 being the bytes; 256 ends generation.
inline std::string byte_tokenizer_json() {
  std::string vocabulary;
  int other = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const bool itself = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    const int point = itself ? byte : 256 + other++;
    char letter[8];
    std::snprintf(letter, sizeof letter, "\\u%04x", static_cast<unsigned>(point));
    vocabulary += "\"" + std::string(letter) + "\":" + std::to_string(byte) + ",";
  }
  return R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":256,)"
         R"("content":"<|endoftext|>","single_word":false,"lstrip":false,"rstrip":false,)"
         R"("normalized":false,"special":true}],"normalizer":null,"pre_tokenizer":{"type":)"
         R"("ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},)"
         R"("post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":false,)"
         R"("trim_offsets":true,"use_regex":true},"model":{"type":"BPE","dropout":null,)"
         R"("unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,)"
         R"("fuse_unk":false,"byte_fallback":false,"vocab":{)" +
         vocabulary + R"("<|endoftext|>":256},"merges":[]}})";
}

/// Says `script(prompt)` byte by byte, one a step for every request, then ends it (stop). The
/// first step of a request reads its prompt. All settings are made before the endpoint starts.
class ScriptedEngine final : public StepEngine {
 public:
  std::function<std::string(const StepRequest&)> script = [](const StepRequest&) {
    return std::string("hello");
  };
  std::size_t context_tokens = 64;
  std::size_t at_once = 4;
  std::size_t throw_at_step = SIZE_MAX;
  bool fail_numbers = false;  // the model draws nothing

  /// Steps wait while the gate is shut.
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = true;
    void set(bool value) {
      const std::lock_guard lock(mutex);
      open = value;
      changed.notify_all();
    }
    void pass() {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return open; });
    }
  };
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  std::shared_ptr<std::vector<StepRequest>> seen = std::make_shared<std::vector<StepRequest>>();
  std::shared_ptr<std::size_t> leaked = std::make_shared<std::size_t>(0);

  ~ScriptedEngine() override { *leaked = live_.size() - cancelled(); }

  std::size_t context() const override { return context_tokens; }
  std::size_t vocabulary() const override { return 257; }
  std::size_t sequences() const override { return at_once; }
  bool idle() const override { return live_.empty(); }

  Result<RequestId> submit(StepRequest request) override {
    if (request.owner == "refused by the engine")
      return error(ErrorCode::usage, {"not this one", "这个不行"});
    seen->push_back(request);
    live_[++last_] = {std::move(request), {}, 0, false};
    live_[last_].say = script(live_[last_].request);
    return last_;
  }
  void cancel(RequestId id) override {
    if (const auto found = live_.find(id); found != live_.end()) found->second.cancelled = true;
  }
  StepState state() const override {  // a block for each request
    return {live_.size(), 0, context_tokens, 0, 0, 0, 0, 0};
  }
  void step(StepReport& report) override {
    gate->pass();
    if (++steps_ > throw_at_step) throw std::runtime_error("out of paper");
    std::size_t running = 0;
    for (auto it = live_.begin(); it != live_.end();) {
      const bool over = it->second.cancelled || (running++ < at_once && say(it->first, report));
      if (it->second.cancelled) report.events.push_back(end(it->first, FinishReason::cancelled));
      it = over ? live_.erase(it) : std::next(it);
    }
  }

 private:
  struct Live {
    StepRequest request;
    std::string say;
    std::size_t said = 0;
    bool cancelled = false;
    bool begun = false;
  };
  static TokenEvent end(RequestId id, FinishReason reason) {
    TokenEvent event;
    event.request = id;
    event.finish = reason;
    return event;
  }
  bool say(RequestId id, StepReport& report) {
    Live& live = live_.at(id);
    if (!live.begun) {
      live.begun = true;
      report.begun.push_back({id, std::chrono::steady_clock::now()});
      if (live.request.request.max_tokens > 0) return false;
    }
    if (fail_numbers) return report.events.push_back(end(id, FinishReason::failed)), true;
    const std::size_t most = live.request.request.max_tokens;
    if (live.said == most) return report.events.push_back(end(id, FinishReason::length)), true;
    if (live.said == live.say.size())
      return report.events.push_back(end(id, FinishReason::stop)), true;
    TokenEvent event;
    event.request = id;
    event.cached_tokens = live.request.prefix_scope.size();
    event.token = static_cast<unsigned char>(live.say[live.said++]);
    event.logprob = -0.5f;
    if (live.request.request.logprobs)
      for (std::size_t i = 0; i < live.request.request.top_logprobs; ++i)
        event.top.push_back({static_cast<TokenId>('a' + i), -1.0f - static_cast<float>(i)});
    if (live.said == most) event.finish = FinishReason::length;
    report.events.push_back(std::move(event));
    return live.said == most;
  }
  std::size_t cancelled() const {
    std::size_t count = 0;
    for (const auto& [id, live] : live_) count += live.cancelled ? 1 : 0;
    return count;
  }

  std::map<RequestId, Live> live_;
  RequestId last_ = 0;
  std::size_t steps_ = 0;
};

}  // namespace premise::testing
