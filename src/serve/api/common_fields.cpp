#include "serve/api/common_fields.h"

#include <charconv>

namespace premise {
namespace {

using nlohmann::json;

void read_stop(Fields& fields, GenerationRequest& request) {
  const json* stop = fields.find("stop");
  if (stop == nullptr) return;
  const auto wrong = [&] {
    fields.fail("stop",
                text({"'stop' must be a string or a list of up to {} strings, none of them "
                      "empty or over {} bytes",
                      "“stop”必须是字符串，或最多 {} 个字符串的列表，均不得为空或超过 {} 字节"},
                     stop_strings_most, stop_string_bytes_most));
  };
  const json one = stop->is_string() ? json::array({*stop}) : json();
  const json& list = stop->is_string() ? one : *stop;
  if (!list.is_array() || list.size() > stop_strings_most) return wrong();
  for (const json& item : list) {
    if (!item.is_string()) return wrong();
    const auto& string = item.get_ref<const std::string&>();
    if (string.empty() || string.size() > stop_string_bytes_most) return wrong();
    request.stop.push_back(string);
  }
}

void read_logit_bias(Fields& fields, SamplingParams& sampling) {
  const json* bias = fields.object("logit_bias");
  if (bias == nullptr) return;
  for (const auto& [name, value] : bias->items()) {
    TokenId token = -1;
    const char* end = name.data() + name.size();
    const auto [stopped, problem] = std::from_chars(name.data(), end, token);
    const bool number = value.is_number();
    const double amount = number ? value.get<double>() : 0.0;
    if (problem != std::errc{} || stopped != end || token < 0 || !number || amount < -100.0 ||
        amount > 100.0)
      return fields.fail(
          "logit_bias",
          text({"'logit_bias' must give a number between -100 and 100 for each token id",
                "“logit_bias”必须为每个词元编号给出 -100 到 100 之间的数字"}));
    sampling.logit_bias.emplace_back(token, static_cast<float>(amount));
  }
}

void read_sampling(Fields& fields, GenerationRequest& request) {
  SamplingParams& sampling = request.sampling;
  const auto value = [&](std::string_view name, double least, double most, double otherwise) {
    return static_cast<float>(fields.number(name, least, most).value_or(otherwise));
  };
  sampling.temperature = value("temperature", 0.0, 2.0, 1.0);
  sampling.top_p = value("top_p", 0.0, 1.0, 1.0);
  sampling.min_p = value("min_p", 0.0, 1.0, 0.0);
  sampling.frequency_penalty = value("frequency_penalty", -2.0, 2.0, 0.0);
  sampling.presence_penalty = value("presence_penalty", -2.0, 2.0, 0.0);
  sampling.repetition_penalty = value("repetition_penalty", 0.01, 100.0, 1.0);
  sampling.penalty_window = 0;  // OpenAI's penalties look at the whole text so far
  // -1 is how vLLM's clients say "off".
  const std::int64_t top_k = fields.integer("top_k", -1, INT32_MAX).value_or(0);
  sampling.top_k = static_cast<std::size_t>(std::max<std::int64_t>(0, top_k));
  read_logit_bias(fields, sampling);
  if (const auto seed = fields.integer("seed", INT64_MIN))
    request.seed = static_cast<std::uint64_t>(*seed);
}

void read_stream(Fields& fields, GenerationCall& call) {
  call.stream = fields.boolean("stream").value_or(false);
  const json* options = fields.object("stream_options");
  if (options == nullptr) return;
  if (!call.stream)
    return fields.fail("stream_options", text({"'stream_options' needs 'stream': true",
                                               "“stream_options”需要“stream”: true"}));
  Fields inner(*options, fields.path_of("stream_options."), fields.failure());
  call.include_usage = inner.boolean("include_usage").value_or(false);
  inner.ignore({"include_obfuscation"});
  inner.finish();
}

}  // namespace

void read_common(Fields& fields, GenerationCall& call) {
  if (const std::string* model = fields.string("model"))
    call.model = *model;
  else
    fields.missing("model");
  const auto n = fields.integer("n", 1, choices_most);
  call.request.choices = static_cast<std::size_t>(n.value_or(1));
  read_sampling(fields, call.request);
  read_stop(fields, call.request);
  read_stream(fields, call);
  call.request.ignore_eos = fields.boolean("ignore_eos").value_or(false);
  call.result_cache = fields.boolean("cache").value_or(true);
  fields.ignore({"user", "metadata", "store", "service_tier", "safety_identifier",
                 "prompt_cache_key", "prompt_cache_retention"});
}

}  // namespace premise
