// A table of models over a factory of scripts.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "serve/models/model_table.h"
#include "serve/models/scripted_endpoint_testing.h"
#include "serve/models/self_check.h"

namespace premise::testing {

using std::chrono::milliseconds;

inline constexpr milliseconds enough{10'000};

/// A table whose factory makes what the path says: "good", "mute", "refused" (no memory), "throws".
class ModelTableTest : public ::testing::Test {
 protected:
  void start(milliseconds watch = enough, milliseconds drain = enough) {
    ModelTable::Options options;
    options.factory = [this](const ModelSpec& spec) { return make(spec); };
    options.check = [](ModelEndpoint& endpoint) { return self_check(endpoint, milliseconds(200)); };
    options.tell = [this](const ModelNews& news) {
      const std::lock_guard lock(mutex_);
      if (news.swap) swaps_.push_back(*news.swap);
    };
    options.limits = {watch, 4, 0.5, drain};
    table_ = std::make_unique<ModelTable>(std::move(options));
    table_->add({"m", "good 1"}, *make({"m", "good 1"}));
  }
  Result<LoadedVersion> make(const ModelSpec& spec) {
    if (spec.path == "throws") throw std::bad_alloc();
    if (spec.path == "refused")
      return error(ErrorCode::no_resources, {"not enough memory", "内存不足"});
    if (spec.path == "slow") {
      loading_ = true;
      slow_.get_future().wait();
    }
    auto endpoint = std::make_shared<ScriptedEndpoint>(spec.name);
    if (spec.path == "mute") endpoint->says.clear();
    const std::lock_guard lock(mutex_);
    made_[spec.path] = endpoint;
    return LoadedVersion{std::move(endpoint), "digest of " + spec.path};
  }
  /// Begins an action and waits for its end.
  template <typename Begin>
  Status wait(Begin begin) {
    std::promise<Status> over;
    const auto refusal = begin([&](const Status& status) { over.set_value(status); });
    EXPECT_FALSE(refusal) << refusal->what.en;
    if (refusal) return {};
    return over.get_future().get();
  }
  Status swap(const std::string& path, SwapLimits limits = {}) {
    return wait(
        [&](ModelTable::Done done) { return table_->swap({"m", path}, std::move(done), limits); });
  }
  bool alive(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return !made_[path].expired();
  }
  std::string serving() { return table_->find("m")->spec.path; }
  /// Waits for what a thread of the table is about to do.
  template <typename Condition>
  static bool soon(Condition condition) {
    for (int i = 0; i < 2000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(1));
    return condition();
  }
  std::vector<SwapResult> swaps() {
    const std::lock_guard lock(mutex_);
    return swaps_;
  }

  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<ScriptedEndpoint>> made_;
  std::vector<SwapResult> swaps_;
  std::promise<void> slow_;  // lets "slow" be loaded
  std::atomic<bool> loading_ = false;
  std::unique_ptr<ModelTable> table_;
};

}  // namespace premise::testing
