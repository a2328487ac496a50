// The parts of a tokenizer.json around its model: normalizer, pre-tokenizer, post-processor,
// decoder. Internal to this room.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/tokenizer/normalizer.h"
#include "model/tokenizer/pretokenizer.h"
#include "model/tokenizer/token_model.h"
#include "model/tokenizer/wordpiece.h"

namespace premise {

using JsonElement = simdjson::dom::element;

// Members of an object: the fallback where they are missing or null, or of another kind.
bool json_bool(JsonElement object, std::string_view key, bool fallback);
std::string_view json_string(JsonElement object, std::string_view key,
                             std::string_view fallback = {});
/// The member, unless missing or null.
bool json_member(JsonElement object, std::string_view key, JsonElement& member);

struct JsonPipeline {
  std::vector<NormalizerStep> normalizer;
  bool has_charsmap = false;
  std::string charsmap;  // SentencePiece's, decoded
  bool bert_normalizer = false;
  WordPieceOptions bert;

  PreTokenizer pretokenizer;
  bool byte_level = false;
  bool prefix_space = false;  // of ByteLevel
  bool bert_words = false;    // BertPreTokenizer
  bool whitespace_split = false;
  bool metaspace = false, metaspace_splits = false;
  enum class Prepend { never, first, always } metaspace_prepend = Prepend::never;

  std::vector<TokenId> before, after;
  bool decode_drops_first_space = false;
};

/// Whatever is not understood is an Error (bad_input) that names it.
Result<JsonPipeline> read_json_pipeline(JsonElement root);

}  // namespace premise
