// The JSON form of what was measured. Rates that a script wants first stand at the top, by the
// names of SPEC section 8; how they came about stands beside them.
#include <nlohmann/json.hpp>

#include "machine/measure/measured.h"

namespace premise {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson number(const std::optional<double>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

OrderedJson list_of(const std::vector<IsaRate>& rates) {
  OrderedJson list = OrderedJson::array();
  for (const IsaRate& rate : rates)
    list.push_back({{"isa", rate.isa}, {"per_second", rate.per_second}});
  return list;
}

Error wrong(std::string_view field) {
  return error(ErrorCode::bad_input,
               {"measured: field \"{}\" is of another type or out of range",
                "measured：字段“{}”类型不符或超出范围"},
               field);
}

std::optional<double> rate_of(const OrderedJson& object, const char* key) {
  const auto place = object.find(key);
  if (place == object.end() || !place->is_number()) return std::nullopt;
  const double value = place->get<double>();
  return value > 0 && value < 1e18 ? std::optional(value) : std::nullopt;
}

Result<std::vector<IsaRate>> isa_rates(const OrderedJson& document, const char* key) {
  std::vector<IsaRate> rates;
  const auto list = document.find(key);
  if (list == document.end()) return rates;
  if (!list->is_array()) return wrong(key);
  for (const OrderedJson& entry : *list) {
    if (!entry.is_object()) return wrong(key);
    const auto isa = entry.find("isa");
    const auto rate = rate_of(entry, "per_second");
    if (isa == entry.end() || !isa->is_string() || !rate) return wrong(key);
    rates.push_back({isa->get<std::string>(), *rate});
  }
  return rates;
}

Result<std::vector<ThreadRate>> thread_rates(const OrderedJson& document) {
  constexpr const char* key = "memory_read_by_threads";
  std::vector<ThreadRate> rates;
  const auto list = document.find(key);
  if (list == document.end()) return rates;
  if (!list->is_array()) return wrong(key);
  for (const OrderedJson& entry : *list) {
    if (!entry.is_object()) return wrong(key);
    const auto threads = rate_of(entry, "threads");
    const auto rate = rate_of(entry, "bytes_per_second");
    if (!threads || *threads < 1 || *threads > 1e6 || !rate) return wrong(key);
    rates.push_back({static_cast<int>(*threads), *rate});
  }
  return rates;
}

Result<std::optional<StoreRate>> store_rate(const OrderedJson& document) {
  constexpr const char* key = "store_read";
  const auto object = document.find(key);
  if (object == document.end() || object->is_null()) return std::optional<StoreRate>();
  if (!object->is_object()) return wrong(key);
  const auto rate = rate_of(*object, "bytes_per_second");
  const auto text_at = [&](const char* name) {
    const auto place = object->find(name);
    return place != object->end() && place->is_string() ? place->get<std::string>() : "";
  };
  const auto yes_at = [&](const char* name) {
    const auto place = object->find(name);
    return place != object->end() && place->is_boolean() && place->get<bool>();
  };
  if (!rate) return wrong(key);
  StoreRate found{.folder = text_at("folder"), .bytes_per_second = *rate};
  found.bytes = static_cast<std::uint64_t>(rate_of(*object, "bytes").value_or(0));
  found.direct = yes_at("direct");
  found.own_file = yes_at("own_file");
  found.cached_share = std::min(1.0, rate_of(*object, "cached_share").value_or(0));
  return std::optional(found);
}

}  // namespace

std::string to_json(const Measured& measured) {
  OrderedJson document{
      {"memory_read_bytes_per_second", number(measured.memory_read_bytes_per_second())},
      {"int8_ops_per_second", number(measured.int8_ops_per_second())},
      {"bf16_flops_per_second", number(measured.bf16_flops_per_second())},
      {"store_read_bytes_per_second", measured.store_read
                                          ? OrderedJson(measured.store_read->bytes_per_second)
                                          : OrderedJson(nullptr)},
      {"seconds", measured.seconds},
      {"memory_read_by_threads", OrderedJson::array()},
      {"int8_by_isa", list_of(measured.int8_ops)},
      {"bf16_by_isa", list_of(measured.bf16_flops)},
      {"store_read", nullptr}};
  for (const ThreadRate& rate : measured.memory_read) {
    document["memory_read_by_threads"].push_back(
        {{"threads", rate.threads}, {"bytes_per_second", rate.bytes_per_second}});
  }
  if (const auto& store = measured.store_read) {
    document["store_read"] = {{"folder", store->folder},
                              {"bytes_per_second", store->bytes_per_second},
                              {"bytes", store->bytes},
                              {"direct", store->direct},
                              {"cached_share", store->cached_share},
                              {"own_file", store->own_file}};
  }
  return document.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
}

Result<Measured> measured_from_json(std::string_view text) {
  const OrderedJson document = OrderedJson::parse(text, nullptr, false);
  if (!document.is_object()) {
    return error(ErrorCode::bad_input, {"measured: is no JSON object", "measured：不是 JSON 对象"});
  }
  Measured measured;
  PREMISE_TRY(measured.memory_read, thread_rates(document));
  PREMISE_TRY(measured.int8_ops, isa_rates(document, "int8_by_isa"));
  PREMISE_TRY(measured.bf16_flops, isa_rates(document, "bf16_by_isa"));
  PREMISE_TRY(measured.store_read, store_rate(document));
  measured.seconds = rate_of(document, "seconds").value_or(0);
  return measured;
}

}  // namespace premise
