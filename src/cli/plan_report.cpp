#include "cli/plan_report.h"

#include <algorithm>
#include <cassert>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "base/units.h"
#include "cli/table.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

const char* pairing_name(RopeTable::Pairing pairing) {
  return pairing == RopeTable::Pairing::half ? "half" : "adjacent";
}

// Bytes of keys and values that a token leaves in all layers of a group.
std::uint64_t bytes_per_token(const CacheGroup& group, DType kv_type) {
  return kv_block_bytes(group, kv_type) / static_cast<std::uint64_t>(kv_block_tokens);
}

// What an op does beyond its name, as fields: {"group": 0}.
Json settings_of(const OpBody& body) {
  struct Visitor {
    Json operator()(const EmbedOp& op) const { return {{"scale", op.scale}}; }
    Json operator()(const RmsNormOp& op) const { return {{"heads", op.heads}, {"eps", op.eps}}; }
    Json operator()(const RopeOp& op) const { return {{"table", op.table}, {"heads", op.heads}}; }
    Json operator()(const KvWriteOp& op) const { return {{"group", op.group}}; }
    Json operator()(const AttentionOp& op) const {
      Json fields{{"group", op.group}, {"heads", op.heads}, {"scale", op.scale}};
      if (op.softcap > 0.0f) fields["softcap"] = op.softcap;
      return fields;
    }
    Json operator()(const GluOp& op) const {
      const bool silu = op.activation == GluOp::Activation::silu;
      return {{"activation", silu ? "silu" : "gelu_tanh"}};
    }
    Json operator()(const ScaleOp& op) const { return {{"factor", op.factor}}; }
    Json operator()(const SoftcapOp& op) const { return {{"cap", op.cap}}; }
    Json operator()(const SliceOp& op) const { return {{"offset", op.offset}}; }
    Json operator()(const LinearOp& op) const {
      return op.bias ? Json{{"bias", true}} : Json::object();
    }
    Json operator()(const AddOp&) const { return Json::object(); }
    Json operator()(const SelectRowsOp&) const { return Json::object(); }
  };
  return std::visit(Visitor{}, body);
}

// "group 0, heads 4"; what all models have alike (eps) or nobody compares is left to the JSON.
std::string settings_text(const OpBody& body) {
  std::string out;
  const Json settings = settings_of(body);
  for (const auto& [key, value] : settings.items()) {
    if (key == "eps" || (key == "heads" && value == 1)) continue;
    std::string shown = value.is_number_float() ? fmt::format("{:.6g}", value.get<double>())
                        : value.is_string()     ? value.get<std::string>()
                                                : value.dump();
    out += (out.empty() ? "" : ", ") + (value == true ? key : key + " " + shown);
  }
  return out;
}

// A weight's name inside its layer: "attn_q.weight" of "blk.3.attn_q.weight".
std::string name_in_layer(const OpReport& op) {
  const std::string prefix = fmt::format("blk.{}.", op.layer);
  const bool own = op.layer >= 0 && op.weight.starts_with(prefix);
  return printable(own ? op.weight.substr(prefix.size()) : op.weight);
}

Row op_row(const Op& op, const OpReport& report) {
  return {"  " + report.op,
          name_in_layer(report),
          report.type,
          report.kernel,
          report.weight_bytes == 0 ? "" : format_bytes(report.weight_bytes),
          settings_text(op.body)};
}

// Ops of one layer, or a run of ops outside the layers, as the table shows them.
struct Section {
  std::vector<std::int32_t> layers;  // empty: outside the layers
  std::vector<Row> rows;
};

std::vector<Section> sections_of(const PlanReport& report) {
  assert(report.ops.size() == report.plan.ops.size());
  std::vector<Section> runs;
  std::int32_t last = -2;
  for (std::size_t i = 0; i < report.ops.size(); ++i) {
    const std::int32_t layer = report.ops[i].layer;
    if (layer != last) {
      runs.emplace_back();
      if (layer >= 0) runs.back().layers.push_back(layer);
      last = layer;
    }
    runs.back().rows.push_back(op_row(report.plan.ops[i], report.ops[i]));
  }
  std::vector<Section> folded;
  for (Section& run : runs) {
    const auto alike = std::ranges::find_if(folded, [&](const Section& earlier) {
      return !run.layers.empty() && !earlier.layers.empty() && earlier.rows == run.rows;
    });
    if (alike == folded.end()) {
      folded.push_back(std::move(run));
    } else {
      alike->layers.push_back(run.layers.front());
    }
  }
  return folded;
}

// "0–4, 6, 8–10" of ascending numbers.
std::string ranges(const std::vector<std::int32_t>& numbers) {
  std::string out;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    out += out.empty() ? "" : ", ";
    out += end - i == 1 ? fmt::format("{}", numbers[i])
                        : fmt::format("{}–{}", numbers[i], numbers[end - 1]);
    i = end;
  }
  return out;
}

std::string heading(const Section& section, bool first, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  if (section.layers.empty())
    return first ? say({"before the layers", "各层之前"}) : say({"after the layers", "各层之后"});
  const std::string numbers = ranges(section.layers);
  return section.layers.size() == 1 ? text({"layer {}", "第 {} 层"}, numbers).in(language)
                                    : text({"layers {}", "第 {} 层"}, numbers).in(language);
}

std::string summary(const PlanReport& report, Language language) {
  const Plan& plan = report.plan;
  const Text model =
      text({"{}: {} layers, vocabulary of {}, made for {} tokens",
            "{}：{} 层，词表 {}，最长支持 {} 个词元"},
           printable(plan.architecture), plan.layers, plan.vocabulary, plan.context_length);
  const Text here =
      text({"{} with {} threads: weights {}, cache {} for {} tokens, working memory {}",
            "{}，{} 个线程：权重 {}，缓存 {}（{} 个词元），工作内存 {}"},
           report.isa, report.threads, format_bytes(report.weight_bytes),
           format_bytes(report.cache_bytes), report.context, format_bytes(report.workspace_bytes));
  return model.in(language) + "\n" + here.in(language) + "\n";
}

std::string cache_table(const Plan& plan, DType kv_type, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  std::vector<Row> rows{{say({"CACHE GROUP", "缓存组"}), say({"LAYERS", "层数"}),
                         say({"WINDOW", "窗口"}), say({"KV HEADS", "KV 头"}),
                         say({"HEAD SIZE", "头维度"}), say({"TYPE", "类型"}),
                         say({"PER TOKEN", "每词元"})}};
  for (std::size_t i = 0; i < plan.groups.size(); ++i) {
    const CacheGroup& g = plan.groups[i];
    rows.push_back({fmt::format("{}", i), fmt::format("{}", g.layers),
                    g.window == 0 ? say({"none", "无"}) : fmt::format("{}", g.window),
                    fmt::format("{}", g.kv_heads), fmt::format("{}", g.head_dim),
                    std::string(traits(kv_type).name), format_bytes(bytes_per_token(g, kv_type))});
  }
  return aligned_table(rows, "lrrrrlr");
}

std::string rope_table(const Plan& plan, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  std::vector<Row> rows{{say({"ROTARY TABLE", "旋转位置表"}), say({"DIMENSIONS", "维数"}),
                         say({"PAIRS", "配对"}), say({"FREQUENCIES", "频率"}),
                         say({"MAGNITUDE", "幅度"})}};
  for (std::size_t i = 0; i < plan.ropes.size(); ++i) {
    const RopeTable& r = plan.ropes[i];
    const std::string frequencies =
        r.frequencies.empty()
            ? ""
            : fmt::format("{:.4g} … {:.4g}", r.frequencies.front(), r.frequencies.back());
    rows.push_back({fmt::format("{}", i), fmt::format("{}", 2 * r.frequencies.size()),
                    pairing_name(r.pairing), frequencies, fmt::format("{:.4g}", r.magnitude)});
  }
  return aligned_table(rows, "lrllr");
}

}  // namespace

std::string plan_page(const PlanReport& report, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  std::vector<Row> rows{{say({"OP", "运算"}), say({"WEIGHT", "权重"}), say({"TYPE", "类型"}),
                         say({"KERNEL", "内核"}), say({"SIZE", "大小"}),
                         say({"SETTINGS", "参数"})}};
  bool first = true;
  for (Section& section : sections_of(report)) {
    rows.push_back({heading(section, first, language)});
    std::ranges::move(section.rows, std::back_inserter(rows));
    first = false;
  }
  std::string out = summary(report, language);
  if (!report.plan.groups.empty()) out += "\n" + cache_table(report.plan, report.kv_type, language);
  if (!report.plan.ropes.empty()) out += "\n" + rope_table(report.plan, language);
  return out + "\n" + aligned_table(rows, "llllrl");
}

std::string plan_document(const PlanReport& report) {
  const Plan& plan = report.plan;
  Json groups = Json::array();
  for (const CacheGroup& g : plan.groups)
    groups.push_back({{"window", g.window == 0 ? Json() : Json(g.window)},
                      {"layers", g.layers},
                      {"kv_heads", g.kv_heads},
                      {"head_dim", g.head_dim},
                      {"type", traits(report.kv_type).name},
                      {"bytes_per_token", bytes_per_token(g, report.kv_type)}});
  Json ropes = Json::array();
  for (const RopeTable& r : plan.ropes)
    ropes.push_back({{"pairing", pairing_name(r.pairing)},
                     {"dimensions", 2 * r.frequencies.size()},
                     {"magnitude", r.magnitude},
                     {"frequencies", r.frequencies}});
  Json ops = Json::array();
  for (std::size_t i = 0; i < report.ops.size(); ++i) {
    const OpReport& op = report.ops[i];
    Json row{{"layer", op.layer < 0 ? Json() : Json(op.layer)}, {"op", op.op}};
    if (!op.weight.empty()) row["weight"] = op.weight;
    if (!op.type.empty()) row["type"] = op.type;
    row["kernel"] = op.kernel;
    row["bytes"] = op.weight_bytes;
    row["settings"] = settings_of(plan.ops[i].body);
    ops.push_back(std::move(row));
  }
  const Json all = {{"architecture", plan.architecture},
                    {"layers", plan.layers},
                    {"vocabulary", plan.vocabulary},
                    {"context_length", plan.context_length},
                    {"context", report.context},
                    {"isa", report.isa},
                    {"threads", report.threads},
                    {"weight_bytes", report.weight_bytes},
                    {"cache_bytes", report.cache_bytes},
                    {"workspace_bytes", report.workspace_bytes},
                    {"cache_groups", std::move(groups)},
                    {"ropes", std::move(ropes)},
                    {"ops", std::move(ops)}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace premise
