// The models being served, by name, while they come, go and change.
//
// A swap loads the new version beside the old one, has it checked, and then exchanges one pointer:
// requests that began with the old version end with it, the next ones get the new. Nobody waits and
// nobody is refused. The old version stays loaded while the new one is watched; if too many of the
// new one's requests fail, the pointer goes back. Unloading first and loading then would need less
// memory and lose every request in between; where memory does not hold both, a swap is refused.
//
// A version lives as long as somebody uses it, told by ModelUse and not by the endpoint: between
// looking a model up and submitting to it lie milliseconds of encoding, in which an endpoint that
// counts only what was submitted would look idle.
//
// Threads. One loads and checks, an action after the other. One keeps the time: ends what was not
// drained in its limit, lets old versions go, tells news. Lookups take a mutex for a moment.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "base/result.h"
#include "serve/endpoint/endpoint.h"
#include "serve/models/model_status.h"

namespace premise {

class ModelTable;
struct ModelVersion;

struct LoadedVersion {
  std::shared_ptr<ModelEndpoint> endpoint;  // its last owner is the table: never its own thread
  std::string digest{};
  std::string identity{};  // equal for equal answers to equal requests, also after a restart
};

/// Takes the time of loading; no_resources where memory does not hold it beside what is loaded.
using ModelFactory = std::function<Result<LoadedVersion>(const ModelSpec& spec)>;

/// Something happened to a model. Told on the table's thread, in order.
struct ModelNews {
  std::string name;
  ModelState state = ModelState::ready;  // from now on; meaningless with `gone`
  bool gone = false;
  bool bad = false;  // worth a warning
  std::optional<SwapResult> swap{};
  Text what;  // a sentence for the log
};

/// A request's hold on one version. Lives until nothing of the request touches the endpoint.
class ModelUse {
 public:
  ~ModelUse();
  ModelUse(const ModelUse&) = delete;
  ModelUse& operator=(const ModelUse&) = delete;

  ModelEndpoint& endpoint() const;
  const std::string& identity() const;
  /// To be called when the version is to go and the request has not ended in time: it must end it.
  /// Called at most once, perhaps at once, on any thread.
  void on_cut(std::function<void()> cut);
  /// How the request ended, for the watch after a swap. Failed is what is the model's fault.
  void ended(bool failed);

 private:
  friend class ModelTable;
  ModelUse(ModelTable& table, ModelVersion& version) : table_(table), version_(version) {}

  ModelTable& table_;
  ModelVersion& version_;        // kept by the table as long as it has uses
  std::function<void()> cut_{};  // under the table's mutex
};

/// The table's own: what it knows of a loaded version.
struct ModelVersion {
  ModelSpec spec;
  LoadedVersion loaded;
  std::uint64_t number = 0;
  std::vector<ModelUse*> uses{};
  std::uint64_t ended = 0, failed = 0;
  std::chrono::steady_clock::time_point limit{};  // for its requests, once it is to go
  bool cut = false;                               // the limit has passed
};

class ModelTable {
 public:
  struct Options {
    ModelFactory factory;
    std::function<Status(ModelEndpoint&)> check;  // of a version before it replaces another
    std::function<void(const ModelNews&)> tell;
    ModelLimits limits{};  // of models whose own were never set
  };
  /// What an action came to: told once, on the table's thread. Empty: nobody wants to know.
  using Done = std::function<void(const Status& status)>;

  explicit ModelTable(Options options);
  /// Cuts what is left and waits for it, however long that takes: see close(). Nobody may look up a
  /// model any more.
  ~ModelTable();

  /// Cuts what is left and waits until all of it is gone, `limit` at most. False: a model is still
  /// being loaded, a request does not end though it was told to, or an engine does not. The
  /// destructor would wait for it, perhaps for ever.
  bool close(std::chrono::milliseconds limit);

  /// A version that was loaded before the table was there.
  void add(ModelSpec spec, LoadedVersion version);

  /// From now on, for the model of that name, whether it is there or comes later. A watch that runs
  /// goes on as it began.
  void set_limits(const std::string& name, const ModelLimits& limits);

  // Actions are begun at once and go on by themselves; those of one name do not overlap.
  std::optional<ModelRefusal> load(ModelSpec spec, Done done = {});
  std::optional<ModelRefusal> unload(std::string_view name,
                                     std::optional<std::chrono::milliseconds> drain,
                                     Done done = {});
  std::optional<ModelRefusal> swap(ModelSpec spec, Done done = {}, SwapLimits limits = {});

  /// The model of that name, or of any (empty: the first that was loaded). Null: there is none;
  /// `state` then says in which state it is instead, if there is such a model at all.
  std::shared_ptr<ModelUse> use(std::string_view name, std::optional<ModelState>* state = nullptr);

  std::vector<ModelStatus> list() const;
  std::optional<ModelStatus> find(std::string_view name) const;
  /// Of the models that take requests.
  std::vector<ModelCard> cards() const;

 private:
  friend class ModelUse;
  using Clock = std::chrono::steady_clock;

  using Version = ModelVersion;
  struct Entry {
    std::string name;
    ModelSpec spec{};
    ModelState state = ModelState::loading;
    std::int64_t since = 0;
    std::shared_ptr<Version> current{};
    std::shared_ptr<Version> previous{};  // while `current` is watched
    ModelLimits watched{};                // as they were when the watch began
    Clock::time_point watch_until{};
    std::vector<std::shared_ptr<Version>> leaving{};
    std::optional<ModelSpec> next{};
    Text why{};
    Done unloaded{};
  };
  struct Job {
    ModelSpec spec;
    bool swap = false;
    Done done;
    SwapLimits limits{};
  };
  struct Finished {
    Done done;
    Status status;
  };

  // All under mutex_.
  Entry* entry(std::string_view name);
  const Entry* entry(std::string_view name) const;
  ModelStatus status_of(const Entry& entry) const;
  void set_state(Entry& entry, ModelState state);
  void leave(Entry& entry, std::shared_ptr<Version> version, std::chrono::milliseconds limit);
  void return_to_previous(Entry& entry);
  void news(const Entry& entry, Text what, bool bad = false, std::optional<SwapResult> swap = {});
  std::shared_ptr<Version> make_version(ModelSpec spec, LoadedVersion loaded);
  Status commit_load(Entry& entry, const ModelSpec& spec, Result<LoadedVersion>& loaded);
  Status commit_swap(Entry& entry, const Job& job, Result<LoadedVersion>& loaded,
                     const Status& checked);
  const ModelLimits& limits_of(const std::string& name) const;
  void stop();
  Clock::time_point next_moment() const;
  void look_after(Entry& entry, std::vector<std::shared_ptr<Version>>& gone,
                  std::vector<std::function<void()>>& cuts);

  bool keep_time(std::unique_lock<std::mutex>& lock);

  void run_job(Job job);
  void release(ModelUse& use);
  void request_ended(ModelUse& use, bool failed);
  void run_loader();
  void run_keeper();

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_loader_, wake_keeper_, closed_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::map<std::string, ModelLimits, std::less<>> limits_;
  std::deque<Job> jobs_;
  std::vector<ModelNews> news_;
  std::vector<Finished> finished_;
  std::uint64_t versions_ = 0;
  bool stopping_ = false, loader_gone_ = false, keeper_gone_ = false;
  std::thread loader_, keeper_;
};

}  // namespace premise
