// nvml.json, both ways. The fields of a card are named once, in visit_fields(), and walked by a
// writer and by a reader, so that the two cannot drift apart.
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "machine/gpu/nvml_report.h"

namespace premise {
namespace {

using Json = nlohmann::json;

constexpr std::size_t gpus_max = 256;
constexpr std::size_t list_max = 1024;  // links or processes of one card
constexpr std::size_t text_max = 256;
constexpr std::int64_t format_newest = 1;

constexpr NvmlState states[] = {NvmlState::ok,
                                NvmlState::driver_not_loaded,
                                NvmlState::version_mismatch,
                                NvmlState::no_permission,
                                NvmlState::timed_out,
                                NvmlState::failed};

constexpr std::pair<NvmlLink::Peer, std::string_view> peers[] = {
    {NvmlLink::Peer::unknown, "unknown"},
    {NvmlLink::Peer::gpu, "gpu"},
    {NvmlLink::Peer::nvswitch, "switch"},
    {NvmlLink::Peer::processor, "processor"}};

template <typename Gpu, typename Visitor>
void visit_fields(Gpu& gpu, Visitor&& visit) {
  visit("error", gpu.error);
  visit("name", gpu.name);
  visit("bus_id", gpu.bus_id);
  visit("compute_capability", gpu.capability);
  visit("memory_total_bytes", gpu.memory_total_bytes);
  visit("memory_used_bytes", gpu.memory_used_bytes);
  visit("memory_bus_bits", gpu.memory_bus_bits);
  visit("memory_clock_mhz_max", gpu.memory_clock_mhz_max);
  visit("power_limit_watts", gpu.power_limit_watts);
  visit("power_default_watts", gpu.power_default_watts);
  visit("power_max_watts", gpu.power_max_watts);
  visit("temperature_celsius", gpu.temperature_celsius);
  visit("slowdown_celsius", gpu.slowdown_celsius);
  visit("throttle_reasons", gpu.throttle_reasons);
  visit("pcie_generation", gpu.pcie_generation);
  visit("pcie_width", gpu.pcie_width);
  visit("pcie_generation_max", gpu.pcie_generation_max);
  visit("pcie_width_max", gpu.pcie_width_max);
  visit("ecc", gpu.ecc);
  visit("ecc_corrected", gpu.ecc_corrected);
  visit("ecc_uncorrected", gpu.ecc_uncorrected);
  visit("ecc_uncorrected_total", gpu.ecc_uncorrected_total);
  visit("remap_pending", gpu.remap_pending);
  visit("remap_failed", gpu.remap_failed);
  visit("persistence", gpu.persistence);
  visit("mig", gpu.mig);
  visit("compute_mode", gpu.compute_mode);
}

// ---- writing

Json json_of(const Version& version) { return major_minor(version); }
Json json_of(const std::string& text) { return printable(text); }
template <typename Plain>
Json json_of(const Plain& value) {
  return value;
}

template <typename Value>
void put(Json& object, const char* key, const std::optional<Value>& value) {
  if (value) object[key] = json_of(*value);
}

Json json_of(const NvmlLink& link) {
  Json object{{"link", link.link}, {"active", link.active}};
  for (const auto& [peer, name] : peers) {
    if (peer == link.peer) object["peer"] = name;
  }
  if (!link.peer_bus_id.empty()) object["peer_bus_id"] = printable(link.peer_bus_id);
  return object;
}

Json json_of(const NvmlProcess& process) {
  Json object{{"pid", process.pid}, {"name", printable(process.name)}};
  put(object, "memory_bytes", process.memory_bytes);
  return object;
}

Json json_of(const NvmlGpu& gpu) {
  Json object = Json::object();
  visit_fields(gpu, [&](const char* key, const auto& value) { put(object, key, value); });
  for (const NvmlLink& link : gpu.links) object["nvlinks"].push_back(json_of(link));
  for (const NvmlProcess& process : gpu.processes) object["processes"].push_back(json_of(process));
  return object;
}

// ---- reading

Error wrong(std::string_view field, const Text& expected) {
  Text what = text({"nvml.json: {}: expected ", "nvml.json：{}：应为"}, field);
  return {ErrorCode::bad_input, {what.en + expected.en, what.zh + expected.zh}};
}

Status read_value(const Json& json, std::string_view field, std::string& value) {
  if (!json.is_string() || json.get_ref<const std::string&>().size() > text_max) {
    return wrong(field, {"a text of at most 256 bytes", "不超过 256 字节的文本"});
  }
  value = printable(json.get_ref<const std::string&>());
  return {};
}

Status read_value(const Json& json, std::string_view field, Version& value) {
  std::string text;
  PREMISE_CHECK(read_value(json, field, text));
  const std::optional<Version> version = parse_version(text);
  if (!version) return wrong(field, {"a version such as \"12.4\"", "版本号，例如 \"12.4\""});
  value = *version;
  return {};
}

Status read_value(const Json& json, std::string_view field, bool& value) {
  if (!json.is_boolean()) return wrong(field, {"true or false", "true 或 false"});
  value = json.get<bool>();
  return {};
}

Status read_value(const Json& json, std::string_view field, double& value) {
  // 1e6 W, and no room for the infinities that a large exponent parses to.
  if (!json.is_number() || !(json.get<double>() >= 0 && json.get<double>() <= 1e6)) {
    return wrong(field, {"a number from 0 to 1000000", "0 到 1000000 之间的数"});
  }
  value = json.get<double>();
  return {};
}

Status read_value(const Json& json, std::string_view field, std::uint64_t& value) {
  if (!json.is_number_unsigned()) return wrong(field, {"a whole number, not negative", "非负整数"});
  value = json.get<std::uint64_t>();
  return {};
}

Status read_value(const Json& json, std::string_view field, std::uint32_t& value) {
  std::uint64_t wide = 0;
  PREMISE_CHECK(read_value(json, field, wide));
  if (wide > UINT32_MAX) return wrong(field, {"a number below 2^32", "小于 2^32 的数"});
  value = static_cast<std::uint32_t>(wide);
  return {};
}

Status read_value(const Json& json, std::string_view field, std::int64_t& value) {
  if (!json.is_number_integer() || json < -1'000'000'000 || json > 1'000'000'000) {
    return wrong(field, {"a whole number of at most ten digits", "不超过十位的整数"});
  }
  value = json.get<std::int64_t>();
  return {};
}

template <typename Value>
Status read_field(const Json& object, const char* key, std::string_view place, Value& value) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  return read_value(*found, fmt::format("{}{}", place, key), value);
}

template <typename Value>
Status read_field(const Json& object, const char* key, std::string_view place,
                  std::optional<Value>& value) {
  if (!object.contains(key)) return {};
  Value read{};
  PREMISE_CHECK(read_field(object, key, place, read));
  value = std::move(read);
  return {};
}

// The list at `key`, each element read by `read(object, place)`; an absent list is an empty one.
template <typename Element, typename Read>
Status read_list(const Json& object, const char* key, const std::string& place, std::size_t max,
                 std::vector<Element>& list, Read read) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  const std::string name = place + key;
  if (!found->is_array()) return wrong(name, {"a list", "列表"});
  if (found->size() > max) return wrong(name, {"a shorter list", "更短的列表"});
  for (std::size_t i = 0; i < found->size(); ++i) {
    const std::string inner = fmt::format("{}[{}]", name, i);
    if (!(*found)[i].is_object()) return wrong(inner, {"an object", "对象"});
    PREMISE_TRY(Element element, read((*found)[i], inner + "."));
    list.push_back(std::move(element));
  }
  return {};
}

Result<NvmlLink> read_link(const Json& object, const std::string& place) {
  NvmlLink link;
  PREMISE_CHECK(read_field(object, "link", place, link.link));
  PREMISE_CHECK(read_field(object, "active", place, link.active));
  PREMISE_CHECK(read_field(object, "peer_bus_id", place, link.peer_bus_id));
  std::string name = "unknown";
  PREMISE_CHECK(read_field(object, "peer", place, name));
  for (const auto& [peer, known] : peers) {
    if (name == known) link.peer = peer;
  }
  return link;
}

Result<NvmlProcess> read_process(const Json& object, const std::string& place) {
  NvmlProcess process;
  PREMISE_CHECK(read_field(object, "pid", place, process.pid));
  PREMISE_CHECK(read_field(object, "name", place, process.name));
  PREMISE_CHECK(read_field(object, "memory_bytes", place, process.memory_bytes));
  return process;
}

Result<NvmlGpu> read_gpu(const Json& object, const std::string& place) {
  NvmlGpu gpu;
  Status status;
  visit_fields(gpu, [&](const char* key, auto& value) {
    if (status.ok()) status = read_field(object, key, place, value);
  });
  PREMISE_CHECK(status);
  PREMISE_CHECK(read_list(object, "nvlinks", place, list_max, gpu.links, read_link));
  PREMISE_CHECK(read_list(object, "processes", place, list_max, gpu.processes, read_process));
  return gpu;
}

Status read_state(const Json& object, NvmlReport& report) {
  std::string name;
  PREMISE_CHECK(read_field(object, "state", "", name));
  for (const NvmlState state : states) {
    if (name != name_of(state)) continue;
    report.state = state;
    return read_field(object, "error", "", report.error);
  }
  return wrong("state", {"\"ok\", \"version_mismatch\" or another known state",
                         "\"ok\"、\"version_mismatch\" 等已知状态"});
}

}  // namespace

std::string nvml_to_json(const NvmlReport& report) {
  Json object{{"format", format_newest}, {"state", name_of(report.state)}};
  if (report.error != 0) object["error"] = report.error;
  put(object, "driver_version", report.driver_version);
  put(object, "library_version", report.library_version);
  put(object, "cuda_version", report.cuda_version);
  object["gpus"] = Json::array();
  for (const NvmlGpu& gpu : report.gpus) object["gpus"].push_back(json_of(gpu));
  return object.dump(1) + "\n";
}

Result<NvmlReport> parse_nvml_json(std::string_view text) {
  const Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return wrong("document", {"a JSON object; is the file complete?", "JSON 对象；文件是否完整？"});
  }
  std::int64_t format = 0;
  PREMISE_CHECK(read_field(object, "format", "", format));
  if (format != format_newest) {
    return wrong("format", {"1, the only one this version of Premise knows",
                            "1，即本版 Premise 唯一支持的格式"});
  }
  NvmlReport report;
  PREMISE_CHECK(read_state(object, report));
  PREMISE_CHECK(read_field(object, "driver_version", "", report.driver_version));
  PREMISE_CHECK(read_field(object, "library_version", "", report.library_version));
  PREMISE_CHECK(read_field(object, "cuda_version", "", report.cuda_version));
  PREMISE_CHECK(read_list(object, "gpus", "", gpus_max, report.gpus, read_gpu));
  return report;
}

}  // namespace premise
