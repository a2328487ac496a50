// The tokenizer of a GGUF file: keys tokenizer.ggml.* as llama.cpp's converter writes them.
// Source: docs/gguf.md of the ggml project, and the converter's habits where that is silent
// (defaults of add_bos_token by model, "▁" already turned into spaces in user-defined pieces).
#include <limits>

#include "model/tokenizer/bpe.h"
#include "model/tokenizer/pretokenizer.h"
#include "model/tokenizer/sentencepiece.h"
#include "model/tokenizer/special_characters.h"
#include "model/tokenizer/tokenizer_parts.h"
#include "model/tokenizer/trusted_only.h"
#include "model/tokenizer/unigram.h"
#include "model/tokenizer/wordpiece.h"

namespace premise {
namespace {

constexpr std::string_view key_tokens = "tokenizer.ggml.tokens";

Status read_pieces(const Metadata& metadata, Vocabulary& vocabulary) {
  PREMISE_TRY(auto tokens, metadata.strings(key_tokens));
  if (tokens.empty() || tokens.size() > std::numeric_limits<TokenId>::max() / 2) {
    return error(ErrorCode::bad_input,
                 {"{} has {} entries, which is no vocabulary", "{} 有 {} 项，不是有效的词表"},
                 key_tokens, tokens.size());
  }
  vocabulary.pieces.assign(tokens.begin(), tokens.end());
  return {};
}

Error wrong_length(std::string_view key, std::size_t found, std::size_t expected) {
  return error(ErrorCode::bad_input,
               {"{} has {} entries for {} tokens", "{} 有 {} 项，而词元有 {} 个"}, key, found,
               expected);
}

Status read_kinds(const Metadata& metadata, Vocabulary& vocabulary) {
  constexpr std::string_view key = "tokenizer.ggml.token_type";
  const std::size_t count = vocabulary.pieces.size();
  vocabulary.kinds.assign(count, TokenKind::normal);
  if (!metadata.has(key)) return {};
  PREMISE_TRY(auto kinds, metadata.integers(key));
  if (kinds.size() != count) return wrong_length(key, kinds.size(), count);
  for (std::size_t id = 0; id < count; ++id) {
    if (kinds[id] < 0 || kinds[id] > 6) {
      return error(
          ErrorCode::bad_input,
          {"{}[{}] is {}; kinds of tokens are 1 to 6", "{}[{}] 为 {}；词元类型应为 1 到 6"}, key,
          id, kinds[id]);
    }
    // 0 stands for "undefined" in files of old converters.
    vocabulary.kinds[id] = kinds[id] == 0 ? TokenKind::normal : static_cast<TokenKind>(kinds[id]);
  }
  return {};
}

Status read_scores(const Metadata& metadata, bool required, Vocabulary& vocabulary) {
  constexpr std::string_view key = "tokenizer.ggml.scores";
  if (!required && !metadata.has(key)) return {};
  PREMISE_TRY(auto scores, metadata.numbers(key));
  if (scores.size() != vocabulary.pieces.size()) {
    return wrong_length(key, scores.size(), vocabulary.pieces.size());
  }
  vocabulary.scores.assign(scores.begin(), scores.end());
  return {};
}

Result<std::optional<TokenId>> read_id(const Metadata& metadata, std::string_view key,
                                       std::size_t count) {
  if (!metadata.has(key)) return std::optional<TokenId>{};
  PREMISE_TRY(const std::uint64_t id, metadata.u64(key));
  // Converters write the largest 32-bit number for "none".
  if (id == 0xFFFFFFFF) return std::optional<TokenId>{};
  if (id >= count) {
    return error(ErrorCode::bad_input,
                 {"{} is {}, but the vocabulary ends at {}", "{} 为 {}，但词表只到 {}"}, key, id,
                 count - 1);
  }
  return std::optional<TokenId>(static_cast<TokenId>(id));
}

Status read_special_ids(const Metadata& metadata, Vocabulary& vocabulary) {
  const std::size_t count = vocabulary.pieces.size();
  const std::pair<std::string_view, std::optional<TokenId>*> ids[] = {
      {"tokenizer.ggml.bos_token_id", &vocabulary.bos},
      {"tokenizer.ggml.eos_token_id", &vocabulary.eos},
      {"tokenizer.ggml.unknown_token_id", &vocabulary.unknown},
      {"tokenizer.ggml.seperator_token_id", &vocabulary.separator},  // the format's own spelling
      {"tokenizer.ggml.separator_token_id", &vocabulary.separator},
      {"tokenizer.ggml.padding_token_id", &vocabulary.padding},
      {"tokenizer.ggml.cls_token_id", &vocabulary.cls},
      {"tokenizer.ggml.mask_token_id", &vocabulary.mask},
  };
  for (const auto& [key, id] : ids) {
    PREMISE_TRY(const auto found, read_id(metadata, key, count));
    if (found) *id = found;
  }
  // A file without token types names its control tokens by these ids alone.
  if (!metadata.has("tokenizer.ggml.token_type")) {
    for (const auto& id : {vocabulary.bos, vocabulary.eos, vocabulary.padding, vocabulary.separator,
                           vocabulary.cls, vocabulary.mask}) {
      if (id) vocabulary.kinds[static_cast<std::size_t>(*id)] = TokenKind::control;
    }
    if (vocabulary.unknown) {
      vocabulary.kinds[static_cast<std::size_t>(*vocabulary.unknown)] = TokenKind::unknown;
    }
  }
  return {};
}

Result<std::vector<BpeMerge>> read_merges(const Metadata& metadata, const Vocabulary& vocabulary) {
  constexpr std::string_view key = "tokenizer.ggml.merges";
  PREMISE_TRY(auto lines, metadata.strings(key));
  const PieceIndex index(vocabulary.pieces);
  std::vector<BpeMerge> merges;
  merges.reserve(lines.size());
  for (const std::string& line : lines) {
    const std::size_t space = line.find(' ', 1);
    const std::string_view left = std::string_view(line).substr(0, space);
    const std::string_view right =
        space == line.npos ? std::string_view() : std::string_view(line).substr(space + 1);
    const BpeMerge merge{index.find(left), index.find(right),
                         index.find(std::string(left) + std::string(right))};
    if (right.empty() || merge.left < 0 || merge.right < 0 || merge.result < 0) {
      return error(ErrorCode::bad_input,
                   {"{}[{}] (\"{}\") is no merge of two pieces of the vocabulary into a third",
                    "{}[{}]（“{}”）不是由词表中两个词元合并成第三个词元的规则"},
                   key, merges.size(), line);
    }
    merges.push_back(merge);
  }
  return merges;
}

Status check_bounds(const TokenizerParts& parts, bool bos, bool eos) {
  if (bos && parts.before.empty()) {
    return error(
        ErrorCode::bad_input,
        {"the tokenizer wants a token before the text, but names none "
         "(tokenizer.ggml.bos_token_id is missing)",
         "分词器要求在文本前加入词元，但未指明是哪一个（缺少 tokenizer.ggml.bos_token_id）"});
  }
  if (eos && parts.after.empty()) {
    return error(
        ErrorCode::bad_input,
        {"the tokenizer wants a token after the text, but names none "
         "(tokenizer.ggml.eos_token_id is missing)",
         "分词器要求在文本后加入词元，但未指明是哪一个（缺少 tokenizer.ggml.eos_token_id）"});
  }
  return {};
}

struct Defaults {
  bool bos = false, eos = false, separator = false, space_prefix = false;
};

Status read_text_bounds(const Metadata& metadata, const Defaults& defaults, TokenizerParts& parts) {
  Vocabulary& vocabulary = parts.vocabulary;
  PREMISE_TRY(vocabulary.add_bos,
              metadata.boolean_or("tokenizer.ggml.add_bos_token", defaults.bos));
  PREMISE_TRY(vocabulary.add_eos,
              metadata.boolean_or("tokenizer.ggml.add_eos_token", defaults.eos));
  PREMISE_TRY(const bool add_separator,
              metadata.boolean_or("tokenizer.ggml.add_sep_token", defaults.separator));
  PREMISE_TRY(vocabulary.add_space_prefix,
              metadata.boolean_or("tokenizer.ggml.add_space_prefix", defaults.space_prefix));
  const auto first = vocabulary.bos ? vocabulary.bos : vocabulary.cls;
  if (vocabulary.add_bos && first) parts.before.push_back(*first);
  if (add_separator && vocabulary.separator) {
    parts.after.push_back(*vocabulary.separator);
  } else if ((vocabulary.add_eos || add_separator) && vocabulary.eos) {
    parts.after.push_back(*vocabulary.eos);
  }
  return check_bounds(parts, vocabulary.add_bos, vocabulary.add_eos);
}

std::string with_replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

void collect_specials(bool spaces_are_symbols, TokenizerParts& parts) {
  const Vocabulary& vocabulary = parts.vocabulary;
  std::vector<SpecialToken> tokens;
  for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id) {
    const TokenKind kind = vocabulary.kinds[id];
    const bool control = kind == TokenKind::control || kind == TokenKind::unknown;
    if (!control && kind != TokenKind::user_defined) continue;
    SpecialToken token{vocabulary.pieces[id], static_cast<TokenId>(id), control};
    token.trusted_only = vocabulary.is_trusted_only(id);
    tokens.push_back(token);
    // A mark of the chat is not left to the model, which alone takes "▁" for a space.
    if (!spaces_are_symbols || control || !token.trusted_only) continue;
    for (const auto& [from, to] :
         {std::pair<std::string_view, std::string_view>{space_symbol, " "}, {" ", space_symbol}}) {
      token.text = with_replaced(vocabulary.pieces[id], from, to);
      if (token.text != vocabulary.pieces[id]) tokens.push_back(token);
    }
  }
  parts.raw_specials = SpecialTokens(std::move(tokens));
}

Status load_bpe(const Metadata& metadata, TokenizerParts& parts) {
  PREMISE_TRY(const std::string name, metadata.string("tokenizer.ggml.pre"));
  const NamedPreTokenizer* named = find_pretokenizer(name);
  if (!named) {
    return error(ErrorCode::bad_input,
                 {"unknown pre-tokenizer \"{}\" (tokenizer.ggml.pre)",
                  "未知的预分词器“{}”（tokenizer.ggml.pre）"},
                 name)
        .with_hint(text({"Splitting text by another rule would give other ids than the model was "
                         "trained on.",
                         "若按其他规则切分文本，得到的词元将与模型训练时不同。"}));
  }
  // RoBERTa's kin close the text with a separator.
  const bool separator = name == "roberta-bpe" || name == "jina-v2-code";
  PREMISE_CHECK(read_text_bounds(metadata, {named->add_bos, false, separator, false}, parts));
  PREMISE_TRY(const auto merges, read_merges(metadata, parts.vocabulary));
  spell_out_bytes(parts);
  BpeOptions options;
  options.pretokenizer = PreTokenizer(named->steps);
  options.ignore_merges = named->ignore_merges;
  if (named->nfc) parts.normalizer = Normalizer({{NormalizerStep::Kind::nfc}});
  if (parts.vocabulary.add_space_prefix) {
    options.prefix = " ";
    options.prefix_where = BpeOptions::PrefixWhere::every_fragment;
  }
  PREMISE_TRY(parts.model, make_bpe(parts.vocabulary, parts.texts, merges, std::move(options)));
  return {};
}

Status load_sentencepiece(const Metadata& metadata, TokenizerParts& parts) {
  PREMISE_CHECK(read_text_bounds(metadata, {true, false, false, true}, parts));
  spell_out_sentencepiece(parts);
  parts.decode_drops_first_space = parts.vocabulary.add_space_prefix;
  parts.model = make_sentencepiece(parts.vocabulary);
  return {};
}

Status load_unigram(const Metadata& metadata, TokenizerParts& parts) {
  constexpr std::string_view key = "tokenizer.ggml.precompiled_charsmap";
  PREMISE_CHECK(read_text_bounds(metadata, {false, true, false, true}, parts));
  UnigramOptions options;
  options.add_space_prefix = parts.vocabulary.add_space_prefix;
  PREMISE_TRY(options.remove_extra_whitespaces,
              metadata.boolean_or("tokenizer.ggml.remove_extra_whitespaces", false));
  PREMISE_TRY(options.escape_whitespaces,
              metadata.boolean_or("tokenizer.ggml.escape_whitespaces", true));
  if (metadata.has(key)) {
    PREMISE_TRY(const auto bytes, metadata.integers(key));
    for (const std::int64_t byte : bytes) {
      // Written as signed or unsigned bytes, depending on the converter.
      if (byte < -128 || byte > 255) {
        return error(ErrorCode::bad_input,
                     {"{} holds {}, which is no byte", "{} 含有 {}，不是字节"}, key, byte);
      }
      options.precompiled_charsmap += static_cast<char>(byte);
    }
  }
  spell_out_sentencepiece(parts);
  parts.decode_drops_first_space = parts.vocabulary.add_space_prefix;
  PREMISE_TRY(parts.model, make_unigram(parts.vocabulary, std::move(options)));
  return {};
}

Status load_wordpiece(const Metadata& metadata, TokenizerParts& parts) {
  PREMISE_CHECK(read_text_bounds(metadata, {true, false, true, false}, parts));
  WordPieceOptions options;
  options.gguf_phantom_space = true;
  PREMISE_TRY(options.lowercase, metadata.boolean_or("tokenizer.ggml.normalizer.lowercase", true));
  PREMISE_TRY(options.strip_accents,
              metadata.boolean_or("tokenizer.ggml.normalizer.strip_accents", options.lowercase));
  spell_out_sentencepiece(parts);
  parts.decode_drops_first_space = true;
  PREMISE_TRY(parts.model, make_wordpiece(parts.vocabulary, std::move(options)));
  return {};
}

}  // namespace

Result<std::unique_ptr<TokenizerParts>> load_gguf_tokenizer(const Metadata& metadata) {
  auto parts = std::make_unique<TokenizerParts>();
  PREMISE_TRY(const std::string model, metadata.string("tokenizer.ggml.model"));
  const bool known = model == "gpt2" || model == "llama" || model == "t5" || model == "bert";
  if (!known) {
    return error(ErrorCode::bad_input,
                 {"tokenizers of the kind \"{}\" (tokenizer.ggml.model) are not supported",
                  "不支持“{}”类型的分词器（tokenizer.ggml.model）"},
                 model)
        .with_hint(text({"Supported: gpt2 (byte-level BPE), llama (SentencePiece), t5 (Unigram), "
                         "bert (WordPiece).",
                         "支持：gpt2（字节级 BPE）、llama（SentencePiece）、t5（Unigram）、"
                         "bert（WordPiece）。"}));
  }
  PREMISE_CHECK(read_pieces(metadata, parts->vocabulary));
  PREMISE_CHECK(read_kinds(metadata, parts->vocabulary));
  PREMISE_CHECK(read_scores(metadata, model == "llama" || model == "t5", parts->vocabulary));
  PREMISE_CHECK(read_special_ids(metadata, parts->vocabulary));
  mark_trusted_only(parts->vocabulary);
  if (model == "gpt2") {
    PREMISE_CHECK(load_bpe(metadata, *parts));
  } else if (model == "llama") {
    PREMISE_CHECK(load_sentencepiece(metadata, *parts));
  } else if (model == "t5") {
    PREMISE_CHECK(load_unigram(metadata, *parts));
  } else {
    PREMISE_CHECK(load_wordpiece(metadata, *parts));
  }
  collect_specials(model == "llama" || model == "t5", *parts);
  std::vector<TokenId> ends;
  for (const auto* key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    PREMISE_TRY(const auto id, read_id(metadata, key, parts->vocabulary.pieces.size()));
    if (id) ends.push_back(*id);
  }
  finish_tokenizer(*parts, ends);
  return parts;
}

}  // namespace premise
