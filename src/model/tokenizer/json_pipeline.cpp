#include "model/tokenizer/json_pipeline.h"

#include <array>

namespace premise {
namespace {

using simdjson::dom::array;
using StepKind = NormalizerStep::Kind;

Error not_understood(std::string_view part, std::string_view what) {
  return error(ErrorCode::bad_input,
               {"tokenizer.json: this {} is not supported: {}", "tokenizer.json：不支持此 {}：{}"},
               part, what.substr(0, 400));
}

// Calls `each` for every element of the member `key`, which must be an array.
template <typename Each>
Status for_each(JsonElement object, std::string_view key, std::string_view part, Each each) {
  array list;
  if (object[key].get(list) != simdjson::SUCCESS) {
    return error(ErrorCode::bad_input,
                 {"tokenizer.json: the {} has no list \"{}\"", "tokenizer.json：{} 中缺少列表“{}”"},
                 part, key);
  }
  for (const JsonElement item : list) PREMISE_CHECK(each(item));
  return {};
}

Result<std::string> decode_base64(std::string_view text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == alphabet.npos) return not_understood("normalizer", "Precompiled (bad base64)");
    bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xFFFFFF;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return out;
}

std::string_view pattern_of(JsonElement step, std::string_view kind) {
  JsonElement pattern;
  if (!json_member(step, "pattern", pattern)) return {};
  return json_string(pattern, kind);
}

Status read_replace(JsonElement step, JsonPipeline& pipeline) {
  const std::string to(json_string(step, "content"));
  const std::string_view from = pattern_of(step, "String");
  const std::string_view regex = pattern_of(step, "Regex");
  if (!from.empty()) {
    pipeline.normalizer.push_back({StepKind::replace, std::string(from), to});
  } else if (regex == " {2,}") {
    pipeline.normalizer.push_back({StepKind::collapse_spaces, {}, to});
  } else {
    return not_understood("normalizer", simdjson::to_string(step));
  }
  return {};
}

Status read_normalizer(JsonElement step, JsonPipeline& pipeline, int depth) {
  constexpr std::pair<std::string_view, StepKind> plain[] = {
      {"NFC", StepKind::nfc},
      {"NFD", StepKind::nfd},
      {"NFKC", StepKind::nfkc},
      {"NFKD", StepKind::nfkd},
      {"Lowercase", StepKind::lowercase},
      {"StripAccents", StepKind::strip_accents},
  };
  const std::string_view type = json_string(step, "type");
  for (const auto& [name, kind] : plain) {
    if (type == name) {
      pipeline.normalizer.push_back({kind});
      return {};
    }
  }
  if (type == "Sequence" && depth < 8) {
    return for_each(step, "normalizers", "normalizer",
                    [&](JsonElement item) { return read_normalizer(item, pipeline, depth + 1); });
  }
  if (type == "Replace") return read_replace(step, pipeline);
  if (type == "Prepend") {
    pipeline.normalizer.push_back(
        {StepKind::prepend, {}, std::string(json_string(step, "prepend"))});
    return {};
  }
  if (type == "Strip") {
    if (json_bool(step, "strip_left", false)) pipeline.normalizer.push_back({StepKind::strip_left});
    if (json_bool(step, "strip_right", false))
      pipeline.normalizer.push_back({StepKind::strip_right});
    return {};
  }
  if (type == "Precompiled" && pipeline.normalizer.empty() && !pipeline.has_charsmap) {
    pipeline.has_charsmap = true;
    PREMISE_TRY(pipeline.charsmap, decode_base64(json_string(step, "precompiled_charsmap")));
    return {};
  }
  if (type == "BertNormalizer" && pipeline.normalizer.empty() && !pipeline.bert_normalizer) {
    pipeline.bert_normalizer = true;
    pipeline.bert.lowercase = json_bool(step, "lowercase", true);
    pipeline.bert.strip_accents = json_bool(step, "strip_accents", pipeline.bert.lowercase);
    pipeline.bert.split_chinese = json_bool(step, "handle_chinese_chars", true);
    pipeline.bert.clean_text = json_bool(step, "clean_text", true);
    return {};
  }
  return not_understood("normalizer", simdjson::to_string(step));
}

Status read_split(JsonElement step, JsonPipeline& pipeline) {
  const std::string_view behavior = json_string(step, "behavior");
  const bool invert = json_bool(step, "invert", false);
  if (const std::string_view text = pattern_of(step, "String"); !text.empty()) {
    // A string that the normalizer has replaced is nowhere to be found (Gemma's " ").
    const bool gone = !pipeline.normalizer.empty() &&
                      pipeline.normalizer.back().kind == StepKind::replace &&
                      pipeline.normalizer.back().from == text &&
                      pipeline.normalizer.back().to.find(text) == std::string::npos;
    return gone ? Status() : not_understood("pre_tokenizer", simdjson::to_string(step));
  }
  const KnownPattern* known = find_pattern(pattern_of(step, "Regex"));
  const bool isolates = (behavior == "Isolated" && !invert) ||
                        (behavior == "Removed" && invert && known && known->covers_all);
  // Behind ByteLevel the text is spelled in byte letters; of the patterns only this one reads the
  // same there.
  const bool in_place = !pipeline.byte_level || (known && known->splitter == split_three_digits);
  if (!known || !isolates || !in_place) {
    return not_understood("pre_tokenizer", simdjson::to_string(step));
  }
  pipeline.pretokenizer.add(known->splitter);
  return {};
}

Status read_metaspace(JsonElement step, JsonPipeline& pipeline) {
  using Prepend = JsonPipeline::Prepend;
  if (pipeline.byte_level || pipeline.metaspace ||
      json_string(step, "replacement", "▁") != std::string_view("▁")) {
    return not_understood("pre_tokenizer", simdjson::to_string(step));
  }
  const bool old_style = json_bool(step, "add_prefix_space", true);
  const std::string_view scheme =
      json_string(step, "prepend_scheme", old_style ? "always" : "never");
  pipeline.metaspace = true;
  pipeline.metaspace_splits = json_bool(step, "split", true);
  pipeline.metaspace_prepend = scheme == "always"  ? Prepend::always
                               : scheme == "first" ? Prepend::first
                                                   : Prepend::never;
  return {};
}

Status read_pretokenizer(JsonElement step, JsonPipeline& pipeline, bool first, int depth) {
  const std::string_view type = json_string(step, "type");
  if (type == "Sequence" && depth < 8) {
    bool first_item = first;
    return for_each(step, "pretokenizers", "pre_tokenizer", [&](JsonElement item) {
      const Status status = read_pretokenizer(item, pipeline, first_item, depth + 1);
      first_item = false;
      return status;
    });
  }
  if (type == "Split") return read_split(step, pipeline);
  if (type == "Metaspace") return read_metaspace(step, pipeline);
  if (type == "ByteLevel" && !pipeline.byte_level && !pipeline.metaspace) {
    pipeline.byte_level = true;
    pipeline.prefix_space = json_bool(step, "add_prefix_space", true);
    if (json_bool(step, "use_regex", true)) pipeline.pretokenizer.add(split_gpt2);
    // As a later step it would put a space in front of every word.
    if (!pipeline.prefix_space || first) return {};
  }
  if (type == "Digits") {
    const bool individual = json_bool(step, "individual_digits", false);
    if (!pipeline.byte_level) {
      pipeline.pretokenizer.add(individual ? split_number : split_numbers);
      return {};
    }
    if (!individual) {
      pipeline.pretokenizer.add(split_spelled_numbers);
      return {};
    }
  }
  if (type == "Punctuation" && json_string(step, "behavior") == "Contiguous" &&
      !pipeline.byte_level) {
    pipeline.pretokenizer.add(split_punctuation_runs);
    return {};
  }
  if (type == "BertPreTokenizer" && first) {
    pipeline.bert_words = true;
    return {};
  }
  if (type == "WhitespaceSplit" && first) {
    pipeline.whitespace_split = true;
    return {};
  }
  return not_understood("pre_tokenizer", simdjson::to_string(step));
}

Status read_template(JsonElement processor, JsonPipeline& pipeline) {
  bool behind = false;
  return for_each(processor, "single", "post_processor", [&](JsonElement item) -> Status {
    JsonElement part, ids;
    if (json_member(item, "Sequence", part)) {
      if (behind) return not_understood("post_processor", simdjson::to_string(item));
      behind = true;
      return {};
    }
    if (!json_member(item, "SpecialToken", part)) {
      return not_understood("post_processor", simdjson::to_string(item));
    }
    const std::string_view name = json_string(part, "id");
    if (!json_member(processor, "special_tokens", ids) || !json_member(ids, name, ids)) {
      return not_understood("post_processor", name);
    }
    return for_each(ids, "ids", "post_processor", [&](JsonElement id) -> Status {
      std::int64_t value = -1;
      if (id.get(value) != simdjson::SUCCESS || value < 0 || value > 0x7FFFFFFF) {
        return not_understood("post_processor", name);
      }
      (behind ? pipeline.after : pipeline.before).push_back(static_cast<TokenId>(value));
      return {};
    });
  });
}

// ["</s>", 2]
Result<TokenId> read_named_id(JsonElement processor, std::string_view key) {
  array pair;
  std::int64_t id = -1;
  if (processor[key].get(pair) != simdjson::SUCCESS || pair.at(1).get(id) != simdjson::SUCCESS ||
      id < 0 || id > 0x7FFFFFFF) {
    return not_understood("post_processor", key);
  }
  return static_cast<TokenId>(id);
}

Status read_postprocessor(JsonElement processor, JsonPipeline& pipeline, int depth) {
  const std::string_view type = json_string(processor, "type");
  if (type == "ByteLevel") return {};  // concerns offsets only
  if (type == "Sequence" && depth < 8) {
    return for_each(processor, "processors", "post_processor", [&](JsonElement item) {
      return read_postprocessor(item, pipeline, depth + 1);
    });
  }
  if (type == "TemplateProcessing" && pipeline.before.empty() && pipeline.after.empty()) {
    return read_template(processor, pipeline);
  }
  if (type == "BertProcessing" || type == "RobertaProcessing") {
    PREMISE_TRY(const TokenId first, read_named_id(processor, "cls"));
    PREMISE_TRY(const TokenId last, read_named_id(processor, "sep"));
    pipeline.before.push_back(first);
    pipeline.after.push_back(last);
    return {};
  }
  return not_understood("post_processor", simdjson::to_string(processor));
}

// Of the decoder only one question is left open by the model: is the first space taken off?
bool drops_first_space(JsonElement decoder, int depth) {
  const std::string_view type = json_string(decoder, "type");
  if (type == "Strip") return json_string(decoder, "content") == " ";
  if (type == "Metaspace") {
    return json_string(decoder, "prepend_scheme", "always") != std::string_view("never") &&
           json_bool(decoder, "add_prefix_space", true);
  }
  if (type == "WordPiece") return true;
  array list;
  if (type != "Sequence" || depth > 8 || decoder["decoders"].get(list) != simdjson::SUCCESS) {
    return false;
  }
  for (const JsonElement item : list) {
    if (drops_first_space(item, depth + 1)) return true;
  }
  return false;
}

}  // namespace

bool json_member(JsonElement object, std::string_view key, JsonElement& member) {
  JsonElement found;
  if (object[key].get(found) != simdjson::SUCCESS || found.is_null()) return false;
  member = found;
  return true;
}

bool json_bool(JsonElement object, std::string_view key, bool fallback) {
  bool value = fallback;
  return object[key].get(value) == simdjson::SUCCESS ? value : fallback;
}

std::string_view json_string(JsonElement object, std::string_view key, std::string_view fallback) {
  std::string_view value;
  return object[key].get(value) == simdjson::SUCCESS ? value : fallback;
}

Result<JsonPipeline> read_json_pipeline(JsonElement root) {
  JsonPipeline pipeline;
  JsonElement part;
  if (json_member(root, "normalizer", part)) PREMISE_CHECK(read_normalizer(part, pipeline, 0));
  if (json_member(root, "pre_tokenizer", part)) {
    PREMISE_CHECK(read_pretokenizer(part, pipeline, true, 0));
  }
  if (json_member(root, "post_processor", part)) {
    PREMISE_CHECK(read_postprocessor(part, pipeline, 0));
  }
  if (json_member(root, "decoder", part)) {
    pipeline.decode_drops_first_space = drops_first_space(part, 0);
  }
  return pipeline;
}

}  // namespace premise
