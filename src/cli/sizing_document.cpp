// The JSON of `premise plan`: bytes, seconds and rates a second, SPEC section 8. docs/sizing.md
// lists the fields.
#include <nlohmann/json.hpp>

#include "cli/sizing_report.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json figure(const Figure& f) { return {{"value", f.value}, {"source", id_of(f.source)}}; }

Json machine_of(const Capacity& machine) {
  return {{"id", machine.id},
          {"name", machine.name},
          {"gpu", machine.gpu},
          {"threads", machine.threads},
          {"read_bytes_per_second", figure(machine.read_bytes_per_second)},
          {"int8_ops_per_second", figure(machine.int8_ops_per_second)},
          {"bf16_flops_per_second", figure(machine.bf16_flops_per_second)},
          {"decode_efficiency", machine.decode_efficiency},
          {"prefill_efficiency", machine.prefill_efficiency},
          {"attention_efficiency", machine.attention_efficiency},
          {"sheet", machine.sheet.empty() ? Json() : Json(machine.sheet)}};
}

void add_need(Json& object, const MemoryNeed& need) {
  object["weights_bytes"] = need.weights;
  object["kv_cache_bytes"] = need.cache;
  object["activation_bytes"] = need.activation;
  object["process_bytes"] = need.process;
  object["total_bytes"] = need.total;
}

void add_speed(Json& object, const Speed& speed) {
  object["prefill_tokens_per_second"] = speed.prefill_tokens_per_second;
  object["decode_tokens_per_second"] = speed.decode_tokens_per_second;
  object["time_to_first_token_seconds"] = speed.first_token_seconds;
  object["prompt_tokens"] = speed.prompt_tokens;
  object["cached_tokens"] = speed.cached_tokens;
}

Json suggestions_of(const std::vector<Suggestion>& suggestions, Language language) {
  Json list = Json::array();
  for (const Suggestion& s : suggestions) {
    Json row{{"kind", id_of(s.kind)},
             {"type", s.type},
             {"context", s.context},
             {"concurrency", s.concurrency},
             {"device", s.device.empty() ? Json() : Json(s.device)}};
    row["total_bytes"] = s.prediction.need.total;
    row["fits"] = s.prediction.fits;
    row["prefill_tokens_per_second"] = s.prediction.speed.prefill_tokens_per_second;
    row["decode_tokens_per_second"] = s.prediction.speed.decode_tokens_per_second;
    row["reason"] = s.reason.in(language);
    list.push_back(std::move(row));
  }
  return list;
}

Json compared_of(const Compared& compared) {
  return {{"predicted", compared.predicted},
          {"measured", compared.measured},
          {"error", compared.error()}};
}

Json history_of(const std::vector<PredictionRecord>& history) {
  Json list = Json::array();
  for (const PredictionRecord& r : history)
    list.push_back({{"time", r.time},
                    {"model", r.model},
                    {"type", r.type},
                    {"isa", r.isa},
                    {"threads", r.threads},
                    {"memory_bytes", compared_of(r.memory_bytes)},
                    {"prefill_tokens_per_second", compared_of(r.prefill_tokens_per_second)},
                    {"decode_tokens_per_second", compared_of(r.decode_tokens_per_second)}});
  return list;
}

}  // namespace

std::string sizing_document(const SizingReport& report, Language language) {
  const SizedModel& model = report.model;
  Json notes = Json::array();
  for (const Text& note : model.notes) notes.push_back(note.in(language));
  Json document{{"model", model.title},
                {"architecture", model.plan.architecture},
                {"parameters", model.parameters},
                {"type", model.type_name},
                {"context", report.work.context},
                {"concurrency", report.work.concurrency},
                {"kv_type", traits(report.work.cache).name}};
  add_need(document, report.prediction.need);
  document["capacity_bytes"] = report.machine.memory_bytes;
  document["budget_bytes"] = budget_bytes(report.machine);
  document["available_bytes"] = report.available_bytes ? Json(*report.available_bytes) : Json();
  document["fits"] = report.prediction.fits;
  add_speed(document, report.prediction.speed);
  document["suggestions"] = suggestions_of(report.suggestions, language);
  document["machine"] = machine_of(report.machine);
  document["notes"] = std::move(notes);
  document["history"] = history_of(report.history);
  return dumped(document);
}

std::string rules_document(const std::vector<RuleRow>& rows, const Workload& work,
                           Language language) {
  Json list = Json::array();
  for (const RuleRow& row : rows) {
    Json entry{{"size", row.size}, {"model", row.model}, {"type", row.type}};
    add_need(entry, row.card);
    entry["bits_per_weight"] = row.bits;
    entry["card_bytes"] = row.card_bytes;
    entry["device"] = row.device.empty() ? Json() : Json(row.device);
    entry["cpu_total_bytes"] = row.cpu.total;
    entry["cpu_memory_bytes"] = row.cpu_bytes;
    entry["rule"] = row.rule.empty() ? Json() : Json(row.rule);
    entry["comparison"] = row.why.empty() ? Json() : Json(row.why.in(language));
    list.push_back(std::move(entry));
  }
  return dumped(
      {{"context", work.context}, {"concurrency", work.concurrency}, {"rows", std::move(list)}});
}

}  // namespace premise
