// What stands between a model and its client where an organisation wants a say, as stages of an
// answer.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "serve/answer_stage.h"
#include "serve/filter/answer_filter.h"
#include "serve/filter/word_filter.h"
#include "serve/observe/service_metrics.h"

namespace premise {

/// The word filter.
class WordStage final : public AnswerStage {
 public:
  WordStage(const WordFilter::Rules& rules, std::size_t choices, ServiceMetrics& metrics)
      : filter_(rules.words, rules.action, choices), metrics_(metrics) {}

  void take(EndpointEvent event, std::vector<EndpointEvent>& out) override {
    AnswerFilter::Filtered filtered = filter_.take(std::move(event));
    for (EndpointEvent& each : filtered.events) out.push_back(std::move(each));
    enough_ = enough_ || filtered.cancel;
    if (const std::size_t found = filter_.matches(); found > counted_)
      metrics_.filtered_words.add({"answer"}, found - std::exchange(counted_, found));
  }
  bool wants_more() const override { return !enough_; }

 private:
  AnswerFilter filter_;
  ServiceMetrics& metrics_;
  std::size_t counted_ = 0;
  bool enough_ = false;
};

/// Keeps what the client was told, for the audit log.
class TranscriptStage final : public AnswerStage {
 public:
  /// More of an answer is not kept (an audit line holds no more).
  static constexpr std::size_t bytes_max = std::size_t{4} << 20;

  explicit TranscriptStage(std::shared_ptr<std::string> transcript)
      : transcript_(std::move(transcript)) {}

  void take(EndpointEvent event, std::vector<EndpointEvent>& out) override {
    if (const auto* said = std::get_if<TextEvent>(&event)) {
      if (said->choice >= choices_.size()) choices_.resize(said->choice + 1);
      std::string& text = choices_[said->choice];
      if (text.size() < bytes_max) text += said->text;
    } else if (std::holds_alternative<Ended>(event)) {
      for (const std::string& text : choices_)
        *transcript_ += (transcript_->empty() ? "" : "\n") + text;
    }
    out.push_back(std::move(event));
  }

 private:
  std::vector<std::string> choices_;
  std::shared_ptr<std::string> transcript_;
};

}  // namespace premise
