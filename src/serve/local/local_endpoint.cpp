#include "serve/local/local_endpoint.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

namespace premise {
namespace {

// A moment's guess must not send clients away for hours, nor bring them all back at once.
constexpr std::chrono::seconds retry_least{1}, retry_most{120};
constexpr double newest_weight = 0.1;  // of the mean time that a request takes

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

LocalEndpoint::LocalEndpoint(std::unique_ptr<StepEngine> engine,
                             std::shared_ptr<const Tokenizer> tokenizer,
                             std::shared_ptr<const PromptEncoder> encoder,
                             LocalEndpointOptions options)
    : card_{options.name, options.created, engine->context()},
      options_(std::move(options)),
      engine_(std::move(engine)),
      tokenizer_(std::move(tokenizer)),
      encoder_(std::move(encoder)),
      context_(engine_->context()),
      vocabulary_(engine_->vocabulary()),
      sequences_(engine_->sequences()) {
  stop_tokens_ = tokenizer_->vocabulary().end_of_generation;
  tell_state();  // here, so that whoever finds the endpoint finds its gauges too
  thread_ = std::thread([this] { run(); });
}

LocalEndpoint::~LocalEndpoint() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void LocalEndpoint::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

bool LocalEndpoint::ready() const {
  const std::lock_guard lock(mutex_);
  return !closed_ && !broken_;
}

EndpointLoad LocalEndpoint::load() const {
  const std::lock_guard lock(mutex_);
  return {accepted_, sequences_};
}

// Everything before the new request, at the rate at which requests ended lately.
std::chrono::seconds LocalEndpoint::retry_after() const {
  const double turns = static_cast<double>(accepted_) / static_cast<double>(sequences_);
  const double seconds = std::min(std::ceil(mean_seconds_ * turns), 1e6);
  return std::clamp(std::chrono::seconds(static_cast<std::int64_t>(seconds)), retry_least,
                    retry_most);
}

Accepted<EndpointRequestId> LocalEndpoint::submit(PreparedRequest request,
                                                  EndpointListener listener) {
  auto job = std::make_unique<Job>();
  job->stops = StopStrings(request.request.stop);
  job->prepared = std::move(request);
  job->listener = std::move(listener);
  job->open = job->prepared.choices();
  job->usage.prompt_tokens = job->prepared.prompt_tokens();
  std::unique_lock lock(mutex_);
  if (closed_ || broken_) {
    lock.unlock();
    return refuse({RefusalReason::unavailable,
                   text({"the model {} takes no requests now: it is being unloaded or has failed",
                         "模型 {} 目前不接受请求：正在卸载或已发生故障"},
                        card_.name),
                   "", std::chrono::seconds(5)});
  }
  if (accepted_ + job->open > sequences_ + options_.queue && accepted_ > 0) {
    const auto wait = retry_after();
    lock.unlock();
    return refuse({RefusalReason::queue_full,
                   text({"the queue of the model {} is full; try again in {} s",
                         "模型 {} 的队列已满；请在 {} 秒后重试"},
                        card_.name, wait.count()),
                   "", wait});
  }
  const EndpointRequestId id = job->id = next_id_++;
  accepted_ += job->open;
  job->accepted = Clock::now();
  inbox_.push_back(std::move(job));
  lock.unlock();
  wake_.notify_one();
  return id;
}

void LocalEndpoint::cancel(EndpointRequestId id) {
  {
    const std::lock_guard lock(mutex_);
    cancels_.push_back(id);
  }
  wake_.notify_one();
}

void LocalEndpoint::run() {
  std::vector<std::unique_ptr<Job>> jobs;
  std::vector<EndpointRequestId> cancels;
  StepReport report;
  while (true) {
    const bool go_on = take(jobs, cancels);
    for (auto& job : jobs) start(std::move(job));
    for (const EndpointRequestId id : cancels) end(id, Ended::How::cancelled);
    jobs.clear();
    cancels.clear();
    if (!go_on) break;
    step(report);
  }
  end_all(text({"the server is being shut down", "服务器正在关闭"}));
}

bool LocalEndpoint::take(std::vector<std::unique_ptr<Job>>& jobs,
                         std::vector<EndpointRequestId>& cancels) {
  std::unique_lock lock(mutex_);
  if (engine_->idle() || broken_)
    wake_.wait(lock, [&] { return stopping_ || !inbox_.empty() || !cancels_.empty(); });
  jobs.swap(inbox_);
  cancels.swap(cancels_);
  return !stopping_;
}

void LocalEndpoint::start(std::unique_ptr<Job> owned) {
  Job& job = *owned;
  const EndpointRequestId id = job.id;
  jobs_.emplace(id, std::move(owned));
  const GenerationRequest& asked = job.prepared.request;
  job.choices.reserve(job.prepared.choices());
  for (const PreparedPrompt& prompt : job.prepared.prompts) {
    for (std::size_t i = 0; i < asked.choices; ++i) {
      const std::size_t index = job.choices.size();
      TextEvent echo{index, prompt.text, {}};
      const std::size_t offset = text_characters(echo.text);
      job.choices.push_back({ChoiceStream(
          *tokenizer_, job.stops, {job.prepared.keep_leading_space, asked.logprobs, offset})});
      StepRequest request{{}, asked.owner, asked.prefix_scope};
      request.request = {prompt.tokens,  asked.sampling,     prompt.max_tokens,
                         asked.logprobs, asked.top_logprobs, job.prepared.stop_tokens};
      request.request.sampling.seed = asked.seed.value_or(0) + i;
      auto sequence = engine_->submit(std::move(request));
      if (!sequence) return end(id, Ended::How::failed, std::move(sequence).error().what);
      job.choices.back().sequence = *sequence;
      places_.emplace(*sequence, Place{id, index});
      if (!echo.text.empty()) job.listener(std::move(echo));
    }
  }
}

// An engine that throws (memory ran out) is not stepped again: its state is unknown.
void LocalEndpoint::step(StepReport& report) {
  const Text failed = text({"the engine has failed", "推理引擎已发生故障"});
  {
    std::unique_lock lock(mutex_);
    if (broken_) {  // what came in while it failed
      lock.unlock();
      return end_all(failed);
    }
  }
  report.begun.clear();
  report.events.clear();
  try {
    engine_->step(report);
  } catch (const std::exception& thrown) {
    {
      const std::lock_guard lock(mutex_);
      broken_ = true;
    }
    return end_all(text({"the engine failed: {}", "推理引擎发生故障：{}"}, thrown.what()));
  }
  hear(report);
}

void LocalEndpoint::hear(const StepReport& report) {
  for (const StepReport::Begun& begun : report.begun) {
    const auto place = places_.find(begun.request);
    if (place == places_.end()) continue;
    Job& job = *jobs_.at(place->second.job);
    Choice& choice = job.choices[place->second.choice];
    if (std::exchange(choice.begun, true)) continue;  // again, after preemption
    if (options_.observer != nullptr)
      options_.observer->queued(std::chrono::duration<double>(begun.at - job.accepted).count());
  }
  for (const TokenEvent& event : report.events) hear(event);
  tell_state();
}

void LocalEndpoint::hear(const TokenEvent& event) {
  const auto found = places_.find(event.request);
  if (found == places_.end()) return;  // the choice has ended: a stop string, a cancellation
  const Place place = found->second;
  Job& job = *jobs_.at(place.job);
  Choice& choice = job.choices[place.choice];
  TextEvent out{place.choice, {}, {}};
  // The choices of one prompt share it; only the first may have found it in the cache.
  if (!choice.last_token && place.choice % job.prepared.request.choices == 0)
    job.usage.cached_tokens += event.cached_tokens;
  if (event.token) {
    ++job.usage.completion_tokens;
    time_token(job, choice);
    choice.stream.push(event, out);
  }
  const auto finish = event.finish;
  if (finish == FinishReason::stop || finish == FinishReason::length) choice.stream.finish(out);
  if (!out.text.empty() || !out.tokens.empty()) job.listener(std::move(out));
  if (choice.stream.stopped()) {
    if (!finish) engine_->cancel(event.request);
    end_choice(job, place.choice, ChoiceEnding::stop);
  } else if (finish == FinishReason::stop) {
    end_choice(job, place.choice, ChoiceEnding::stop);
  } else if (finish == FinishReason::length) {
    end_choice(job, place.choice, ChoiceEnding::length);
  } else if (finish == FinishReason::cancelled) {
    end(place.job, Ended::How::cancelled);
  } else if (finish == FinishReason::failed) {
    end(place.job, Ended::How::failed,
        text({"the model gives no finite number to draw a token from",
              "模型没有给出可用于抽取词元的有限值"}));
  }
}

void LocalEndpoint::time_token(const Job& job, Choice& choice) {
  const Clock::time_point now = Clock::now();
  const auto before = std::exchange(choice.last_token, now);
  if (options_.observer == nullptr) return;
  if (before)
    options_.observer->between_tokens(std::chrono::duration<double>(now - *before).count());
  else
    options_.observer->first_token(seconds_since(job.accepted));
}

void LocalEndpoint::end_choice(Job& job, std::size_t index, ChoiceEnding ending) {
  Choice& choice = job.choices[index];
  choice.ended = true;
  places_.erase(*choice.sequence);
  job.listener(ChoiceEnd{index, ending});
  if (--job.open == 0) end(job.id, Ended::How::complete);
}

// The one place where an Ended is told: the job leaves jobs_ before it hears.
void LocalEndpoint::end(EndpointRequestId id, Ended::How how, Text why) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  const std::unique_ptr<Job> job = std::move(found->second);
  jobs_.erase(found);
  for (Choice& choice : job->choices) {
    if (choice.ended || !choice.sequence) continue;
    places_.erase(*choice.sequence);
    engine_->cancel(*choice.sequence);
  }
  const double seconds = seconds_since(job->accepted);
  {
    const std::lock_guard lock(mutex_);
    accepted_ -= job->prepared.choices();
    if (how == Ended::How::complete) mean_seconds_ += newest_weight * (seconds - mean_seconds_);
  }
  if (options_.observer != nullptr)
    options_.observer->ended({id, job->prepared.request.owner, how, job->usage, seconds});
  job->listener(Ended{how, job->usage, std::move(why)});
}

// What the engine held serves nobody any more: gauges must not tell it for ever. Told before the
// ends, so that who hears of one finds nothing running.
void LocalEndpoint::end_all(const Text& why) {
  if (options_.observer != nullptr) options_.observer->stepped({});
  while (!jobs_.empty()) end(jobs_.begin()->first, Ended::How::failed, why);
}

void LocalEndpoint::tell_state() {
  if (options_.observer == nullptr) return;
  std::size_t begun = 0, open = 0;
  for (const auto& [id, job] : jobs_)
    for (const Choice& choice : job->choices) {
      open += choice.ended ? 0 : 1;
      begun += !choice.ended && (choice.begun || choice.last_token) ? 1 : 0;
    }
  options_.observer->stepped({begun, open - begun, engine_->state()});
}

}  // namespace premise
