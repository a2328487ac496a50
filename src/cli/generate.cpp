#include "cli/generate.h"

#include <chrono>

#include "model/tokenizer/detokenizer.h"
#include "model/tokenizer/stop_strings.h"

namespace premise {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace

double GenerationTimings::prompt_tokens_per_second() const {
  return prompt_seconds > 0.0 ? static_cast<double>(prompt_tokens) / prompt_seconds : 0.0;
}

double GenerationTimings::tokens_per_second() const {
  if (generated_tokens < 2 || generation_seconds <= 0.0) return 0.0;
  return static_cast<double>(generated_tokens - 1) / generation_seconds;
}

std::string_view name_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop:
      return "stop";
    case FinishReason::length:
      return "length";
    case FinishReason::cancelled:
      return "cancelled";
    case FinishReason::failed:
      return "failed";
  }
  return "";
}

Result<GeneratedAnswer> generate(Engine& engine, const Tokenizer& tokenizer, Request request,
                                 const std::vector<std::string>& stop_strings, Interrupt& interrupt,
                                 const std::function<bool(std::string_view)>& sink) {
  GeneratedAnswer result;
  result.timings.prompt_tokens = request.prompt.size();
  IncrementalDetokenizer detokenizer(tokenizer);
  const StopStrings stops(stop_strings);
  StopMatcher matcher(stops);
  bool open = true;  // the sink takes more, and no stop string came
  const auto emit = [&](std::string_view piece) {
    if (piece.empty() || !open) return;
    result.text += piece;
    open = sink(piece);
  };

  const auto begin = Clock::now();
  PREMISE_TRY(const RequestId id, engine.submit(std::move(request)));
  std::vector<TokenEvent> events;
  Clock::time_point first{};
  while (!engine.idle()) {
    if (interrupt.requested() || !open || matcher.stopped()) engine.cancel(id);
    events.clear();
    engine.step(events);
    for (const TokenEvent& event : events) {
      if (event.token && !matcher.stopped()) {
        if (result.tokens.empty()) first = Clock::now();
        result.tokens.push_back(*event.token);
        emit(matcher.push(detokenizer.push(*event.token)));
      }
      if (event.finish) result.reason = *event.finish;
    }
  }
  if (!matcher.stopped()) {
    emit(matcher.push(detokenizer.flush()));
    emit(matcher.flush());
  }
  if (matcher.stopped()) result.reason = FinishReason::stop;
  if (result.reason == FinishReason::failed)
    return error(ErrorCode::no, {"the model gives no finite number to draw a token from",
                                 "模型没有给出可用于抽取词元的有限值"})
        .with_hint(
            text({"its weights may be damaged: premise verify", "权重可能已损坏：premise verify"}));
  result.timings.generated_tokens = result.tokens.size();
  const auto end = Clock::now();
  if (result.tokens.empty()) first = end;
  result.timings.prompt_seconds = seconds_between(begin, first);
  result.timings.generation_seconds = seconds_between(first, end);
  return result;
}

}  // namespace premise
