#include "planning/advice.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "planning/devices.h"

namespace premise {
namespace {

constexpr std::uint64_t context_unit = 256;
constexpr std::uint64_t concurrency_max = 256;

bool fits_in(const MemoryNeed& need, const Capacity& machine) {
  return need.total <= budget_bytes(machine);
}

bool fits(const SizedModel& model, const Workload& work, const Capacity& machine) {
  const auto need = memory_need(model, work, machine);
  return need.ok() && fits_in(*need, machine);
}

// The largest n in [1, most] for which `good` holds, which it does up to some n; 0: for none.
std::uint64_t largest(std::uint64_t most, const std::function<bool(std::uint64_t)>& good) {
  std::uint64_t low = 0;
  std::uint64_t high = most;
  while (low < high) {
    const std::uint64_t middle = low + (high - low + 1) / 2;
    if (good(middle))
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

std::uint64_t longest_context(const SizedModel& model, Workload work, const Capacity& machine) {
  const std::uint64_t units = std::max<std::uint64_t>(1, model.plan.context_length / context_unit);
  const std::uint64_t found = largest(units, [&](std::uint64_t n) {
    work.context = n * context_unit;
    return fits(model, work, machine);
  });
  return std::min(found * context_unit, model.plan.context_length);
}

// Slower than people read, more requests help nobody.
constexpr double readable_tokens_per_second = 5.0;

std::uint64_t most_requests(const SizedModel& model, Workload work, const Capacity& machine,
                            bool readable) {
  return largest(concurrency_max, [&](std::uint64_t n) {
    work.concurrency = n;
    if (!fits(model, work, machine)) return false;
    const auto speed = predict_speed(model, work, machine);
    return !readable || (speed.ok() && speed->decode_per_request >= readable_tokens_per_second);
  });
}

// Gives a model its types back, whatever was tried meanwhile.
class KeepTypes {
 public:
  explicit KeepTypes(SizedModel& model)
      : model_(model), types_(model.types), name_(model.type_name), stored_(model.as_stored) {}
  ~KeepTypes() {
    model_.types = std::move(types_);
    model_.type_name = std::move(name_);
    model_.as_stored = stored_;
  }
  KeepTypes(const KeepTypes&) = delete;
  KeepTypes& operator=(const KeepTypes&) = delete;

 private:
  SizedModel& model_;
  std::vector<DType> types_;
  std::string name_;
  bool stored_;
};

class Adviser {
 public:
  Adviser(SizedModel& model, const Workload& work, const Capacity& machine)
      : model_(model), work_(work), machine_(machine) {}

  Status suggest(Suggestion::Kind kind, const Workload& work, Text reason) {
    PREMISE_TRY(const Prediction prediction, predict(model_, work, machine_));
    Suggestion s;
    s.kind = kind;
    s.type = model_.type_name;
    s.context = work.context;
    s.concurrency = work.concurrency;
    s.prediction = prediction;
    s.reason = std::move(reason);
    found_.push_back(std::move(s));
    return {};
  }

  // Other types: the richest that fits, if it is richer than the wish, or if the wish does not fit.
  // Past eight bits weights only get slower: what they lose is hardly measurable.
  Status types(bool wish_fits) {
    const KeepTypes keep(model_);
    const bool stored = model_.as_stored;
    PREMISE_TRY(const MemoryNeed wished, memory_need(model_, work_, machine_));
    for (const WeightRecipe& recipe : all_recipes()) {
      if (traits(recipe.base).block_elements == 1) continue;
      retype(model_, recipe);
      const auto need = memory_need(model_, work_, machine_);
      if (!need.ok() || !fits_in(*need, machine_)) continue;
      const bool leaner = wish_fits && need->weights <= wished.weights;
      if (leaner && wished.weights < need->weights * 3 / 2) return {};
      return suggest(Suggestion::Kind::type, work_,
                     leaner ? text({"hardly measurable loss; faster, less is read for each token",
                                    "损失几乎无法测出；每个词元读取更少数据，速度更快"})
                            : why_type(wish_fits, stored));
    }
    return {};
  }

  Status context(bool wish_fits) {
    Workload work = work_;
    work.context = longest_context(model_, work_, machine_);
    if (work.context == 0 || (wish_fits && work.context <= work_.context)) return {};
    const bool whole = work.context == model_.plan.context_length;
    return suggest(Suggestion::Kind::context, work,
                   whole ? text({"the whole context that the model was made for fits",
                                 "可容纳模型支持的全部上下文"})
                         : text({"the longest context that fits with these weights",
                                 "在此权重类型下可容纳的最长上下文"}));
  }

  Status concurrency(bool wish_fits) {
    Workload work = work_;
    work.concurrency = most_requests(model_, work_, machine_, wish_fits);
    if (work.concurrency == 0 || (wish_fits && work.concurrency <= work_.concurrency)) return {};
    return suggest(
        Suggestion::Kind::concurrency, work,
        wish_fits ? text({"the most requests that fit and decode at {:g} tokens/s each or more",
                          "可容纳且每个请求每秒至少解码 {:g} 个词元的最大并发数"},
                         readable_tokens_per_second)
                  : text({"the most requests that fit with this context",
                          "在此上下文下可容纳的最大并发数"}));
  }

  static Text why_type(bool wish_fits, bool stored) {
    if (!wish_fits)
      return text({"the richest weights that fit with this context and these requests",
                   "在此上下文和并发数下可容纳的最高精度"});
    return stored ? text({"richer weights fit, made from the original ones; slower, more is read",
                          "可容纳更高精度（需由原始权重转换）；读取更多数据，速度更慢"})
                  : text({"richer weights fit; slower, more is read for each token",
                          "可容纳更高精度；每个词元读取更多数据，速度更慢"});
  }

  // Nothing that changes one wish alone fits: fewest bits, one request, what context is left.
  Status smallest() {
    if (!found_.empty()) return {};
    const KeepTypes keep(model_);
    for (const WeightRecipe& recipe : all_recipes()) {
      retype(model_, recipe);
      Workload work = work_;
      work.concurrency = 1;
      work.context = std::min(longest_context(model_, work, machine_), work_.context);
      if (work.context < context_unit) continue;
      return suggest(Suggestion::Kind::smallest, work,
                     text({"only with other weights, a shorter context and one request at a time",
                           "只能改用其他权重类型、缩短上下文并单独处理请求"}));
    }
    return {};
  }

  std::vector<Suggestion> take() { return std::move(found_); }

 private:
  SizedModel& model_;
  const Workload& work_;
  const Capacity& machine_;
  std::vector<Suggestion> found_;
};

}  // namespace

std::string_view id_of(Suggestion::Kind kind) {
  switch (kind) {
    case Suggestion::Kind::type:
      return "type";
    case Suggestion::Kind::context:
      return "context";
    case Suggestion::Kind::concurrency:
      return "concurrency";
    case Suggestion::Kind::smallest:
      return "smallest";
    case Suggestion::Kind::device:
      break;
  }
  return "device";
}

std::uint64_t budget_bytes(const Capacity& machine) {
  return static_cast<std::uint64_t>(static_cast<double>(machine.memory_bytes) * memory_share_max);
}

Result<Prediction> predict(const SizedModel& model, const Workload& work, const Capacity& machine) {
  Prediction prediction;
  PREMISE_TRY(prediction.need, memory_need(model, work, machine));
  PREMISE_TRY(prediction.speed, predict_speed(model, work, machine));
  prediction.fits = fits_in(prediction.need, machine);
  return prediction;
}

Result<std::vector<Suggestion>> suiting_cards(const SizedModel& model, const Workload& work,
                                              std::size_t most) {
  std::vector<Suggestion> cards;
  for (const Capacity& device : all_devices()) {
    if (!device.gpu || cards.size() == most) continue;
    PREMISE_TRY(const Prediction prediction, predict(model, work, device));
    if (!prediction.fits) continue;
    Suggestion s;
    s.kind = Suggestion::Kind::device;
    s.type = model.type_name;
    s.context = work.context;
    s.concurrency = work.concurrency;
    s.device = device.id;
    s.prediction = prediction;
    s.reason = cards.empty() ? text({"the smallest card of the table on which this fits",
                                     "设备表中可容纳的最小显卡"})
                             : text({"the next larger or faster one", "更大或更快的下一档"});
    cards.push_back(std::move(s));
  }
  return cards;
}

Result<std::vector<Suggestion>> advise(SizedModel& model, const Workload& work,
                                       const Capacity& machine, bool wish_fits) {
  Adviser adviser(model, work, machine);
  PREMISE_CHECK(adviser.types(wish_fits));
  PREMISE_CHECK(adviser.context(wish_fits));
  PREMISE_CHECK(adviser.concurrency(wish_fits));
  PREMISE_CHECK(adviser.smallest());
  std::vector<Suggestion> all = adviser.take();
  PREMISE_TRY(std::vector<Suggestion> cards, suiting_cards(model, work, 3));
  std::ranges::move(cards, std::back_inserter(all));
  return all;
}

}  // namespace premise
