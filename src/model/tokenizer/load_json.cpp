// The tokenizer of a Hugging Face tokenizer.json: vocabulary, merges and added tokens; the steps
// around the model are read in json_pipeline.cpp. simdjson, since such a file has up to 35 MB.
// Source: the files themselves and the documentation of the tokenizers library.
#include <algorithm>

#include "model/tokenizer/bpe.h"
#include "model/tokenizer/json_pipeline.h"
#include "model/tokenizer/tokenizer_parts.h"
#include "model/tokenizer/trusted_only.h"
#include "model/tokenizer/unigram.h"

namespace premise {
namespace {

using simdjson::dom::array;
using simdjson::dom::key_value_pair;
using simdjson::dom::object;

Error missing(std::string_view what) {
  return error(ErrorCode::bad_input,
               {"tokenizer.json: \"{}\" is missing or of the wrong kind",
                "tokenizer.json：缺少“{}”或其类型错误"},
               what);
}

Error unsupported(std::string_view what) {
  return error(ErrorCode::bad_input,
               {"tokenizer.json: {} is not supported", "tokenizer.json：不支持 {}"}, what);
}

// Puts a piece at its id. `limit` keeps a hostile id from asking for the memory of a million
// others.
Status place(TokenizerParts& parts, std::int64_t id, std::string_view piece, TokenKind kind,
             std::size_t limit) {
  Vocabulary& vocabulary = parts.vocabulary;
  if (id < 0 || static_cast<std::uint64_t>(id) >= limit) {
    return error(ErrorCode::bad_input,
                 {"tokenizer.json: token \"{}\" has the id {}, but there are only some {} tokens",
                  "tokenizer.json：词元“{}”的编号为 {}，而词元总共约 {} 个"},
                 piece, id, limit / 4);
  }
  const auto at = static_cast<std::size_t>(id);
  if (at >= vocabulary.pieces.size()) {
    vocabulary.pieces.resize(at + 1);
    vocabulary.kinds.resize(at + 1, TokenKind::unused);
  }
  if (!vocabulary.pieces[at].empty() && vocabulary.pieces[at] != piece) {
    return error(ErrorCode::bad_input,
                 {"tokenizer.json: \"{}\" and \"{}\" have the same id {}",
                  "tokenizer.json：“{}”和“{}”的编号同为 {}"},
                 vocabulary.pieces[at], piece, id);
  }
  vocabulary.pieces[at] = piece;
  vocabulary.kinds[at] = kind;
  return {};
}

std::size_t length_of(JsonElement parent, std::string_view key) {
  array list;
  object map;
  if (parent[key].get(list) == simdjson::SUCCESS) return list.size();
  if (parent[key].get(map) == simdjson::SUCCESS) {
    return static_cast<std::size_t>(std::distance(map.begin(), map.end()));
  }
  return 0;
}

Status read_map(JsonElement model, std::size_t limit, TokenizerParts& parts) {
  object vocab;
  if (model["vocab"].get(vocab) != simdjson::SUCCESS) return missing("model.vocab");
  for (const key_value_pair entry : vocab) {
    std::int64_t id = -1;
    if (entry.value.get(id) != simdjson::SUCCESS) return missing("model.vocab");
    PREMISE_CHECK(place(parts, id, entry.key, TokenKind::normal, limit));
  }
  return {};
}

// Unigram: [["▁the", -3.2], …], ids in order.
Status read_scored_list(JsonElement model, std::size_t limit, TokenizerParts& parts) {
  array vocab;
  if (model["vocab"].get(vocab) != simdjson::SUCCESS) return missing("model.vocab");
  std::int64_t id = 0;
  for (const JsonElement entry : vocab) {
    array pair;
    std::string_view piece;
    double score = 0;
    if (entry.get(pair) != simdjson::SUCCESS || pair.at(0).get(piece) != simdjson::SUCCESS ||
        pair.at(1).get(score) != simdjson::SUCCESS) {
      return missing("model.vocab");
    }
    PREMISE_CHECK(place(parts, id++, piece, TokenKind::normal, limit));
    parts.vocabulary.scores.push_back(static_cast<float>(score));
  }
  return {};
}

Status read_added_tokens(JsonElement root, std::size_t limit, TokenizerParts& parts,
                         std::vector<SpecialToken>& raw, std::vector<SpecialToken>& normalized) {
  array added;
  if (root["added_tokens"].get(added) != simdjson::SUCCESS) return {};
  for (const JsonElement item : added) {
    std::int64_t id = -1;
    std::string_view content;
    if (item["id"].get(id) != simdjson::SUCCESS ||
        item["content"].get(content) != simdjson::SUCCESS) {
      return missing("added_tokens");
    }
    const bool control = json_bool(item, "special", false);
    PREMISE_CHECK(
        place(parts, id, content, control ? TokenKind::control : TokenKind::user_defined, limit));
    auto& list = json_bool(item, "normalized", !control) ? normalized : raw;
    list.push_back({std::string(content), static_cast<TokenId>(id), control,
                    json_bool(item, "single_word", false), json_bool(item, "lstrip", false),
                    json_bool(item, "rstrip", false), !control && !is_open_to_data(content)});
  }
  return {};
}

Result<BpeMerge> read_merge(JsonElement item, const PieceIndex& index, std::size_t rank) {
  std::string_view left, right, line;
  array pair;
  if (item.get(line) == simdjson::SUCCESS) {
    const std::size_t space = line.find(' ');
    left = line.substr(0, space);
    right = space == line.npos ? std::string_view() : line.substr(space + 1);
  } else if (item.get(pair) != simdjson::SUCCESS || pair.size() != 2 ||
             pair.at(0).get(left) != simdjson::SUCCESS ||
             pair.at(1).get(right) != simdjson::SUCCESS) {
    return missing("model.merges");
  }
  const BpeMerge merge{index.find(left), index.find(right),
                       index.find(std::string(left) + std::string(right))};
  if (left.empty() || right.empty() || merge.left < 0 || merge.right < 0 || merge.result < 0) {
    return error(ErrorCode::bad_input,
                 {"tokenizer.json: merge {} (\"{}\" + \"{}\") is not of pieces of the vocabulary",
                  "tokenizer.json：第 {} 条合并规则（“{}”+“{}”）不是由词表中的词元组成"},
                 rank, left, right);
  }
  return merge;
}

Result<std::vector<BpeMerge>> read_merges(JsonElement model, const Vocabulary& vocabulary) {
  array list;
  if (model["merges"].get(list) != simdjson::SUCCESS) return missing("model.merges");
  const PieceIndex index(vocabulary.pieces);
  std::vector<BpeMerge> merges;
  merges.reserve(list.size());
  for (const JsonElement item : list) {
    PREMISE_TRY(const BpeMerge merge, read_merge(item, index, merges.size()));
    merges.push_back(merge);
  }
  return merges;
}

// The id of model.unk_token, which takes the kind `unknown`.
Status read_unknown(JsonElement model, Vocabulary& vocabulary) {
  JsonElement name;
  if (!json_member(model, "unk_token", name)) return {};
  const std::string_view piece = json_string(model, "unk_token");
  const auto found = std::find(vocabulary.pieces.begin(), vocabulary.pieces.end(), piece);
  if (piece.empty() || found == vocabulary.pieces.end()) return missing("model.unk_token");
  vocabulary.unknown = static_cast<TokenId>(found - vocabulary.pieces.begin());
  vocabulary.kinds[static_cast<std::size_t>(*vocabulary.unknown)] = TokenKind::unknown;
  return {};
}

void mark_byte_pieces(Vocabulary& vocabulary) {
  for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id) {
    const std::string& piece = vocabulary.pieces[id];
    if (vocabulary.kinds[id] == TokenKind::normal && piece.size() == 6 &&
        piece.starts_with("<0x") && piece.ends_with('>')) {
      vocabulary.kinds[id] = TokenKind::byte;
    }
  }
}

Status set_bpe_options(JsonElement model, const JsonPipeline& pipeline, BpeOptions& options) {
  using Where = BpeOptions::PrefixWhere;
  using Prepend = JsonPipeline::Prepend;
  for (const auto* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!json_string(model, key).empty()) return unsupported(key);
  }
  double dropout = 0;
  if (model["dropout"].get(dropout) == simdjson::SUCCESS && dropout != 0) {
    return unsupported("dropout");
  }
  if (pipeline.has_charsmap || pipeline.bert_normalizer || pipeline.bert_words ||
      pipeline.whitespace_split) {
    return unsupported("BPE with the normalizer or pre_tokenizer of another model");
  }
  options.symbols =
      pipeline.byte_level ? BpeOptions::Symbols::bytes : BpeOptions::Symbols::characters;
  options.pretokenizer = pipeline.pretokenizer;
  options.ignore_merges = json_bool(model, "ignore_merges", false);
  options.byte_fallback = json_bool(model, "byte_fallback", false);
  options.fuse_unknown = json_bool(model, "fuse_unk", false);
  if (pipeline.prefix_space) {
    options.prefix = " ";
    options.prefix_where = Where::every_fragment;
  } else if (pipeline.metaspace) {
    options.prefix = "▁";
    options.prefix_where = pipeline.metaspace_prepend == Prepend::always  ? Where::every_fragment
                           : pipeline.metaspace_prepend == Prepend::first ? Where::text_start
                                                                          : Where::nowhere;
    if (pipeline.metaspace_splits) options.pretokenizer.add(split_metaspace);
  }
  return {};
}

Status load_bpe(JsonElement model, JsonPipeline& pipeline, TokenizerParts& parts) {
  BpeOptions options;
  PREMISE_CHECK(set_bpe_options(model, pipeline, options));
  PREMISE_CHECK(read_unknown(model, parts.vocabulary));
  PREMISE_TRY(const auto merges, read_merges(model, parts.vocabulary));
  if (pipeline.metaspace) {
    pipeline.normalizer.push_back({NormalizerStep::Kind::replace, " ", "▁"});
  }
  const bool bytes = options.symbols == BpeOptions::Symbols::bytes;
  if (bytes) {
    spell_out_bytes(parts);
  } else {
    if (options.byte_fallback) mark_byte_pieces(parts.vocabulary);
    spell_out_sentencepiece(parts);
  }
  PREMISE_TRY(parts.model, make_bpe(parts.vocabulary, bytes ? parts.texts : parts.vocabulary.pieces,
                                    merges, std::move(options)));
  return {};
}

Status load_unigram(JsonElement model, JsonPipeline& pipeline, TokenizerParts& parts) {
  using Kind = NormalizerStep::Kind;
  if (pipeline.byte_level || pipeline.bert_words || pipeline.bert_normalizer ||
      !pipeline.metaspace) {
    return unsupported("Unigram without Metaspace, or with the steps of another model");
  }
  UnigramOptions options;
  options.precompiled_charsmap = pipeline.charsmap;
  options.add_space_prefix = pipeline.metaspace_prepend != JsonPipeline::Prepend::never;
  options.remove_extra_whitespaces = pipeline.whitespace_split;
  for (const NormalizerStep& step : pipeline.normalizer) {
    const bool spaces = step.kind == Kind::strip_left || step.kind == Kind::strip_right ||
                        step.kind == Kind::collapse_spaces;
    if (!spaces) return unsupported("Unigram with a normalizer beside its own");
    if (step.kind == Kind::collapse_spaces) options.remove_extra_whitespaces = true;
  }
  pipeline.normalizer.clear();  // the model does all of it, …
  if (pipeline.metaspace_prepend == JsonPipeline::Prepend::first ||
      (pipeline.whitespace_split && pipeline.charsmap.empty())) {
    return unsupported(
        "Unigram with prepend_scheme \"first\", or WhitespaceSplit without a charsmap");
  }
  if (options.add_space_prefix && !options.remove_extra_whitespaces) {
    // … but for this: Metaspace adds no second "▁" to text that starts with a space.
    pipeline.normalizer.push_back({NormalizerStep::Kind::replace, " ", "▁"});
    pipeline.normalizer.push_back({NormalizerStep::Kind::prepend_once, {}, "▁"});
    options.add_space_prefix = false;
  }
  Vocabulary& vocabulary = parts.vocabulary;
  vocabulary.scores.resize(vocabulary.pieces.size(), 0.0F);
  std::int64_t unknown = -1;
  if (model["unk_id"].get(unknown) == simdjson::SUCCESS) {
    if (unknown < 0 || static_cast<std::size_t>(unknown) >= vocabulary.pieces.size()) {
      return missing("model.unk_id");
    }
    vocabulary.unknown = static_cast<TokenId>(unknown);
    vocabulary.kinds[static_cast<std::size_t>(unknown)] = TokenKind::unknown;
  }
  vocabulary.add_space_prefix = pipeline.metaspace_prepend != JsonPipeline::Prepend::never;
  if (json_bool(model, "byte_fallback", false)) mark_byte_pieces(vocabulary);
  spell_out_sentencepiece(parts);
  PREMISE_TRY(parts.model, make_unigram(vocabulary, std::move(options)));
  return {};
}

Status load_wordpiece(JsonElement model, JsonPipeline& pipeline, TokenizerParts& parts) {
  if (!pipeline.bert_normalizer || !pipeline.bert_words || !pipeline.normalizer.empty()) {
    return unsupported("WordPiece without BertNormalizer and BertPreTokenizer");
  }
  PREMISE_CHECK(read_unknown(model, parts.vocabulary));
  WordPieceOptions options = pipeline.bert;
  options.continuation_prefix = json_string(model, "continuing_subword_prefix", "##");
  std::int64_t longest = options.max_word_characters;
  if (model["max_input_chars_per_word"].get(longest) == simdjson::SUCCESS &&
      (longest < 1 || longest > 1'000'000)) {
    return missing("model.max_input_chars_per_word");
  }
  options.max_word_characters = static_cast<int>(longest);
  const Vocabulary& vocabulary = parts.vocabulary;
  for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id) {
    const std::string& piece = vocabulary.pieces[id];
    const bool continues =
        !options.continuation_prefix.empty() && piece.starts_with(options.continuation_prefix);
    parts.texts.push_back(continues ? piece.substr(options.continuation_prefix.size())
                                    : " " + piece);
  }
  PREMISE_TRY(parts.model, make_wordpiece(vocabulary, std::move(options)));
  return {};
}

Status check_bounds(const TokenizerParts& parts) {
  for (const auto* ids : {&parts.before, &parts.after}) {
    for (const TokenId id : *ids) {
      if (static_cast<std::size_t>(id) >= parts.vocabulary.pieces.size()) {
        return missing("post_processor");
      }
    }
  }
  return {};
}

void name_bounds(TokenizerParts& parts) {
  Vocabulary& vocabulary = parts.vocabulary;
  if (!parts.before.empty()) vocabulary.bos = parts.before.front();
  if (!parts.after.empty()) vocabulary.eos = parts.after.back();
  vocabulary.add_bos = !parts.before.empty();
  vocabulary.add_eos = !parts.after.empty();
}

// "type" is absent in old files; the other members tell.
std::string_view kind_of(JsonElement model) {
  JsonElement member;
  array list;
  if (json_member(model, "type", member)) return json_string(model, "type");
  if (json_member(model, "merges", member)) return "BPE";
  return model["vocab"].get(list) == simdjson::SUCCESS ? "Unigram" : "WordPiece";
}

}  // namespace

Result<std::unique_ptr<TokenizerParts>> load_json_tokenizer(std::string_view json) {
  simdjson::dom::parser parser;
  JsonElement root, model;
  if (const auto code = parser.parse(json.data(), json.size()).get(root)) {
    return error(ErrorCode::bad_input,
                 {"tokenizer.json is no JSON: {}", "tokenizer.json 不是 JSON：{}"},
                 simdjson::error_message(code));
  }
  if (!json_member(root, "model", model)) return missing("model");
  auto parts = std::make_unique<TokenizerParts>();
  const std::string_view kind = kind_of(model);
  const std::size_t limit = (length_of(model, "vocab") + length_of(root, "added_tokens") + 256) * 4;
  if (kind == "BPE" || kind == "WordPiece") {
    PREMISE_CHECK(read_map(model, limit, *parts));
  } else if (kind == "Unigram") {
    PREMISE_CHECK(read_scored_list(model, limit, *parts));
  } else {
    return unsupported(fmt::format("the model \"{}\"", kind));
  }
  std::vector<SpecialToken> raw, normalized;
  PREMISE_CHECK(read_added_tokens(root, limit, *parts, raw, normalized));
  mark_trusted_only(parts->vocabulary);
  PREMISE_TRY(JsonPipeline pipeline, read_json_pipeline(root));
  PREMISE_CHECK(kind == "BPE"       ? load_bpe(model, pipeline, *parts)
                : kind == "Unigram" ? load_unigram(model, pipeline, *parts)
                                    : load_wordpiece(model, pipeline, *parts));
  parts->before = std::move(pipeline.before);
  parts->after = std::move(pipeline.after);
  parts->decode_drops_first_space = pipeline.decode_drops_first_space;
  PREMISE_CHECK(check_bounds(*parts));
  name_bounds(*parts);
  parts->normalizer = Normalizer(std::move(pipeline.normalizer));
  std::string storage;
  for (SpecialToken& token : normalized) {
    token.text = std::string(parts->normalizer.apply(token.text, storage));
  }
  parts->raw_specials = SpecialTokens(std::move(raw));
  parts->normalized_specials = SpecialTokens(std::move(normalized));
  finish_tokenizer(*parts);
  return parts;
}

}  // namespace premise
