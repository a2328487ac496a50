#include "cli/sizing_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/printable.h"
#include "base/units.h"
#include "cli/table.h"
#include "planning/devices.h"

namespace premise {
namespace {

using Row = std::vector<std::string>;

// "7.9", "52", "1,560": as many figures as a prediction deserves.
std::string rate(double per_second) {
  if (!(per_second > 0)) return "0";
  if (per_second < 10) return fmt::format("{:.2g}", per_second);
  const double unit = std::pow(10.0, std::floor(std::log10(per_second)) - 1);
  return fmt::format("{:.0f}", std::round(per_second / unit) * unit);
}

// 1.54e12 → "1.5 T", 3.6e10 → "36 G": operations.
std::string operations(double per_second) {
  return per_second >= 1e12 ? fmt::format("{:.3g} T", per_second / 1e12)
                            : fmt::format("{:.3g} G", per_second / 1e9);
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "";
  const double share = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return share < 1 ? "<1 %" : fmt::format("{:.0f} %", share);
}

// "7.62 billion", "268 million"; Chinese counts in 10^8.
std::string people_count(std::uint64_t parameters, Language language) {
  const auto n = static_cast<double>(parameters);
  if (n < 1e6) return fmt::format("{}", parameters);
  if (language == Language::chinese) return fmt::format("{:.3g} 亿", n / 1e8);
  return n >= 1e9 ? fmt::format("{:.3g} billion", n / 1e9) : fmt::format("{:.3g} million", n / 1e6);
}

class Page {
 public:
  Page(const SizingReport& report, Language language, bool colour)
      : report_(report), language_(language), colour_(colour) {}

  std::string write() const {
    return head() + "\n" + memory() + "\n" + speed() + "\n" + suggestions() + history();
  }

 private:
  std::string say(const Text& text) const { return text.in(language_); }

  std::string coloured(const char* code, const std::string& words) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, words) : words;
  }

  std::string head() const {
    const SizedModel& model = report_.model;
    std::string out = coloured("1", printable(model.title));
    out += say(text({": {}, {} parameters, {}", "：{}，{}参数，{}"},
                    printable(model.plan.architecture), people_count(model.parameters, language_),
                    model.type_name)) +
           (model.as_stored ? say(text({" as stored", "（文件中的类型）"})) : "") + "\n";
    for (const Text& note : model.notes) out += "  " + printable(say(note)) + "\n";
    const Workload& work = report_.work;
    out += say(text({"{} tokens of context, {} at a time, {} cache, on {}",
                     "上下文 {} 个词元，并发 {}，缓存 {}，设备：{}"},
                    work.context, work.concurrency, traits(work.cache).name, machine_name())) +
           "\n";
    if (report_.machine.gpu)
      out += "  " +
             say(text({"Premise computes on the CPU today; for a card this is arithmetic",
                       "Premise 目前只在 CPU 上计算，显卡数据仅为估算"})) +
             "\n";
    return out;
  }

  std::string machine_name() const {
    const Capacity& machine = report_.machine;
    if (machine.id != "this") return machine.name;
    return say(text({"this machine ({} threads)", "本机（{} 个线程）"}, machine.threads));
  }

  std::string memory() const {
    const MemoryNeed& need = report_.prediction.need;
    const std::uint64_t capacity = report_.machine.memory_bytes;
    const auto row = [&](const Text& name, std::uint64_t bytes, std::string more = "") {
      return Row{"  " + say(name), format_bytes(bytes), percent(bytes, capacity), std::move(more)};
    };
    std::vector<Row> rows{
        {say(text({"MEMORY", "内存"})), say(text({"BYTES", "字节"})),
         say(text({"OF CAPACITY", "占容量"}))},
        row(text({"weights", "权重"}), need.weights,
            say(text({"{:.2f} bits each", "平均 {:.2f} 位"}, bits()))),
        row(text({"KV cache", "KV 缓存"}), need.cache),
        row(text({"working memory", "工作内存"}), need.activation),
        row(report_.machine.gpu ? text({"driver", "驱动"}) : text({"process", "进程"}),
            need.process),
        row(text({"total", "合计"}), need.total),
        row(text({"capacity", "容量"}), capacity)};
    std::string out = aligned_table(rows, "lrrl") + verdict() + "\n";
    const auto available = report_.available_bytes;
    if (report_.prediction.fits && available && need.total > *available)
      out += say(text({"of it only {} are free now: other programs hold the rest",
                       "其中目前仅 {} 空闲，其余被其他程序占用"},
                      format_bytes(*available))) +
             "\n";
    return out;
  }

  double bits() const {
    return 8.0 * static_cast<double>(report_.prediction.need.weights) /
           static_cast<double>(std::max<std::uint64_t>(1, report_.model.parameters));
  }

  std::string verdict() const {
    const std::uint64_t budget = budget_bytes(report_.machine);
    if (report_.prediction.fits)
      return coloured(
          "32",
          say(text({"fits: {} needed, {} may be used (80 %)", "可容纳：需 {}，可用上限 {}（80 %）"},
                   format_bytes(report_.prediction.need.total), format_bytes(budget))));
    return coloured("31",
                    say(text({"does not fit: {} needed, {} may be used (80 %)",
                              "无法容纳：需 {}，可用上限 {}（80 %）"},
                             format_bytes(report_.prediction.need.total), format_bytes(budget))));
  }

  std::string speed() const {
    const Speed& speed = report_.prediction.speed;
    const bool several = report_.work.concurrency > 1;
    std::vector<Row> rows{
        {say(text({"SPEED", "速度"})), say(text({"PREDICTED", "预测"}))},
        {"  " + say(text({"first token", "首个词元"})),
         say(format_duration(speed.first_token_seconds)),
         say(text({"prompt of {} tokens, nothing else running", "提示 {} 个词元，无其他请求"},
                  speed.prompt_tokens))},
        {"  " + say(text({"prefill", "预填充"})),
         rate(speed.prefill_tokens_per_second) + say(text({" tok/s", " 词元/秒"}))},
        {"  " + say(text({"decode", "解码"})),
         rate(speed.decode_tokens_per_second) + say(text({" tok/s", " 词元/秒"})),
         several
             ? say(text({"{} a request, each with {} tokens in the cache",
                         "每个请求 {}，各缓存 {} 个词元"},
                        rate(speed.decode_per_request), speed.cached_tokens))
             : say(text({"with {} tokens in the cache", "缓存 {} 个词元"}, speed.cached_tokens))}};
    return aligned_table(rows, "lrl") + sources();
  }

  // Where the figures behind the prediction come from.
  std::string sources() const {
    const Capacity& m = report_.machine;
    const auto with_source = [&](std::string value, const Figure& f) {
      return std::move(value) + " (" + say(premise::name_of(f.source)) + ")";
    };
    std::string rates = "bf16 " + with_source(operations(m.bf16_flops_per_second.value) + "FLOPS",
                                              m.bf16_flops_per_second);
    if (!m.gpu)
      rates = "int8 " +
              with_source(operations(m.int8_ops_per_second.value) + "OPS", m.int8_ops_per_second) +
              ", " + rates;
    const std::string reading =
        with_source(format_byte_rate(m.read_bytes_per_second.value), m.read_bytes_per_second);
    std::string out = "  " +
                      say(text({"decode from memory at {} x {:g}", "解码依据：内存读取 {} × {:g}"},
                               reading, m.decode_efficiency)) +
                      "\n  " +
                      say(text({"prefill from {} x {:g}", "预填充依据：{} × {:g}"}, rates,
                               m.prefill_efficiency)) +
                      "\n";
    if (!m.sheet.empty()) out += "  " + m.sheet + "\n";
    return out;
  }

  // No single card holds it: how many of the largest would.
  std::string several_cards() const {
    const Capacity* largest = nullptr;
    for (const Capacity& device : all_devices())
      if (device.gpu && (largest == nullptr || device.memory_bytes > largest->memory_bytes))
        largest = &device;
    const std::uint64_t budget = budget_bytes(*largest);
    const std::uint64_t count = (report_.prediction.need.total + budget - 1) / budget;
    return say(text({"no single card of the table holds it; {} x {} would",
                     "设备表中没有单张显卡可容纳；需要 {} × {}"},
                    count, largest->name)) +
           "\n";
  }

  std::string suggestions() const {
    const auto& list = report_.suggestions;
    const bool card = std::ranges::count(list, Suggestion::Kind::device, &Suggestion::kind) > 0;
    const std::string cards = card ? "" : several_cards();
    if (list.empty())
      return say(text({"nothing of this model fits here", "该模型的任何配置都无法在此容纳"})) +
             "\n" + cards;
    std::vector<Row> rows{{say(text({"SUGGESTIONS", "建议"})), say(text({"TYPE", "类型"})),
                           say(text({"CONTEXT", "上下文"})), say(text({"REQUESTS", "并发"})),
                           say(text({"MEMORY", "内存"})), say(text({"DECODE", "解码"})),
                           say(text({"WHY", "理由"}))}};
    int number = 0;
    for (const Suggestion& s : list)
      rows.push_back({fmt::format("{:>3} {}", ++number, place_of(s)), s.type,
                      fmt::format("{}", s.context), fmt::format("{}", s.concurrency),
                      format_bytes(s.prediction.need.total),
                      rate(s.prediction.speed.decode_tokens_per_second) + "/s", say(s.reason)});
    return aligned_table(rows, "llrrrrl") + cards;
  }

  std::string place_of(const Suggestion& s) const {
    switch (s.kind) {
      case Suggestion::Kind::type:
        return say(text({"other weights", "更换权重类型"}));
      case Suggestion::Kind::context:
        return say(text({"other context", "调整上下文"}));
      case Suggestion::Kind::concurrency:
        return say(text({"more or fewer requests", "调整并发"}));
      case Suggestion::Kind::smallest:
        return say(text({"several changes", "多项调整"}));
      case Suggestion::Kind::device:
        break;
    }
    return s.device;
  }

  std::string history() const {
    if (report_.machine.id != "this") return "";
    if (report_.history.empty())
      return "\n" +
             say(text({"no prediction was compared here yet: premise bench engine MODEL does it",
                       "本机尚无预测对比记录：运行 premise bench engine MODEL 即可"})) +
             "\n";
    std::vector<Row> rows{{say(text({"PREDICTED / MEASURED HERE", "本机预测 / 实测"})),
                           say(text({"TYPE", "类型"})), say(text({"MEMORY", "内存"})), "",
                           say(text({"PREFILL", "预填充"})), "", say(text({"DECODE", "解码"})),
                           ""}};
    constexpr std::size_t shown = 3;
    const std::size_t first = report_.history.size() - std::min(shown, report_.history.size());
    for (std::size_t i = report_.history.size(); i > first; --i) {
      const PredictionRecord& r = report_.history[i - 1];
      rows.push_back({"  " + printable(r.model), printable(r.type), bytes_pair(r.memory_bytes),
                      off(r.memory_bytes), rate_pair(r.prefill_tokens_per_second),
                      off(r.prefill_tokens_per_second), rate_pair(r.decode_tokens_per_second),
                      off(r.decode_tokens_per_second)});
    }
    return "\n" + aligned_table(rows, "llrrrrrr");
  }

  static std::string bytes_pair(const Compared& c) {
    return format_bytes(static_cast<std::uint64_t>(c.predicted)) + " / " +
           format_bytes(static_cast<std::uint64_t>(c.measured));
  }
  static std::string rate_pair(const Compared& c) {
    return rate(c.predicted) + " / " + rate(c.measured);
  }
  static std::string off(const Compared& c) {
    return c.measured == 0 ? "" : fmt::format("{:+.0f} %", 100.0 * c.error());
  }

  const SizingReport& report_;
  Language language_;
  bool colour_;
};

}  // namespace

std::string sizing_page(const SizingReport& report, Language language, bool colour) {
  return Page(report, language, colour).write();
}

std::string rules_page(const std::vector<RuleRow>& rows, const Workload& work, Language language) {
  const auto say = [language](const Text& text) { return text.in(language); };
  std::vector<Row> table{
      {say(text({"MODEL", "模型"})), say(text({"TYPE", "类型"})), say(text({"WEIGHTS", "权重"})),
       say(text({"TOTAL", "合计"})), say(text({"CARD", "所需显存"})), say(text({"RULE", "经验值"})),
       say(text({"SMALLEST CARD", "最小显卡"})), say(text({"CPU", "所需内存"})),
       say(text({"CPU RULE", "CPU 经验值"})), say(text({"AGAINST THE RULE", "与经验值相比"}))}};
  const auto sold = [](std::uint64_t bytes) {
    return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / 1073741824.0);
  };
  const auto cpu_rule = [](std::uint64_t weights) {
    const double gibibytes = static_cast<double>(weights) / 1073741824.0;
    return fmt::format("{:.0f}–{:.0f} GiB", 2 * gibibytes, 3 * gibibytes);
  };
  std::string last;
  for (const RuleRow& row : rows) {
    table.push_back({row.model == last ? "" : row.model, row.type, format_bytes(row.card.weights),
                     format_bytes(row.card.total), sold(row.card_bytes), row.rule,
                     row.device.empty() ? say(text({"none", "无"})) : row.device,
                     sold(row.cpu_bytes), cpu_rule(row.card.weights), say(row.why)});
    last = row.model;
  }
  std::string out = aligned_table(table, "llrrrrlrrl") + "\n";
  out +=
      say(text({"{} tokens of context (fewer where a model was made for fewer), {} at a time. CARD "
                "and CPU are filled to 80 %. Rules are passed on in GB as cards are sold, which "
                "are GiB.",
                "上下文 {} 个词元（模型支持更少时取其上限），并发 {}。所需显存与内存按占用 80 % "
                "计算。经验值的 GB 与显卡标称一致，即 GiB。"},
               work.context, work.concurrency)) +
      "\n";
  out +=
      say(text({"CPU, by rule: 2 to 3 times the weights, for programs that hold the file and a "
                "converted copy. Premise packs a piece at a time and gives the file's pages back, "
                "so its CPU figure is the weights once, the cache and the reserve.",
                "CPU 经验值为权重的 2 至 3 倍，适用于同时保留文件和转换副本的程序。Premise "
                "分块打包并立即归还文件页面，因此只计一份权重、缓存与预留。"})) +
      "\n";
  return out;
}

}  // namespace premise
