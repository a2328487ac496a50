#include "model/tokenizer/tokenizer_parts.h"

#include <algorithm>

#include "model/tokenizer/byte_level.h"

namespace premise {
namespace {

// Control tokens that end a turn or a text, by the names that model makers gave them.
constexpr std::string_view ending_pieces[] = {
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<end_of_turn>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|eot|>",
    "<|eom|>",
    "<|end_of_turn|>",
    "<EOT>",
    "</s>",
    "<eos>",
    "<｜end▁of▁sentence｜>",
    "<|END_OF_TURN_TOKEN|>",
    "<|user|>",
    "<|observation|>",
    "[EOS]",
};

bool literal(TokenKind kind) {
  return kind == TokenKind::control || kind == TokenKind::user_defined ||
         kind == TokenKind::unknown;
}

}  // namespace

void spell_out_bytes(TokenizerParts& parts) {
  const Vocabulary& vocabulary = parts.vocabulary;
  parts.texts.resize(vocabulary.pieces.size());
  for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id) {
    const std::string& piece = vocabulary.pieces[id];
    auto bytes = literal(vocabulary.kinds[id]) ? std::nullopt : bytes_of_spelling(piece);
    parts.texts[id] = bytes ? std::move(*bytes) : piece;
  }
}

void spell_out_sentencepiece(TokenizerParts& parts) {
  const Vocabulary& vocabulary = parts.vocabulary;
  constexpr std::string_view space = "▁";
  const auto hex = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  parts.texts.resize(vocabulary.pieces.size());
  for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id) {
    const std::string& piece = vocabulary.pieces[id];
    std::string& text = parts.texts[id];
    if (literal(vocabulary.kinds[id]) && vocabulary.kinds[id] != TokenKind::user_defined) {
      text = piece;
    } else if (vocabulary.kinds[id] == TokenKind::byte && piece.size() == 6 &&
               piece.starts_with("<0x") && piece[5] == '>' && hex(piece[3]) >= 0 &&
               hex(piece[4]) >= 0) {
      text = static_cast<char>(hex(piece[3]) * 16 + hex(piece[4]));
    } else {
      for (std::size_t at = 0; at < piece.size();) {
        const bool is_space = piece.compare(at, space.size(), space) == 0;
        text += is_space ? ' ' : piece[at];
        at += is_space ? space.size() : 1;
      }
    }
  }
}

void finish_tokenizer(TokenizerParts& parts, const std::vector<TokenId>& more) {
  Vocabulary& vocabulary = parts.vocabulary;
  parts.index = std::make_unique<PieceIndex>(vocabulary.pieces);
  parts.ends_generation.assign(vocabulary.pieces.size(), false);
  // Some files mark even the end of a turn as merely user-defined.
  const auto is_mark = [&](std::size_t id) {
    return vocabulary.kinds[id] == TokenKind::control || vocabulary.is_trusted_only(id);
  };
  const auto control = [&](std::string_view piece) {
    const TokenId id = parts.index->find(piece);
    return id >= 0 && is_mark(static_cast<std::size_t>(id)) ? id : -1;
  };
  const auto mark = [&](TokenId id) {
    if (id >= 0) parts.ends_generation[static_cast<std::size_t>(id)] = true;
  };
  // Where a model returns and calls (gpt-oss), <|end|> only closes one of several messages.
  const bool end_closes_message = control("<|return|>") >= 0 && control("<|call|>") >= 0;
  for (const std::string_view piece : ending_pieces) {
    if (piece == "<|end|>" && end_closes_message) continue;
    // GLM's role marks end a turn only in a vocabulary that has its observation mark, too.
    if (piece == "<|user|>" && control("<|observation|>") < 0) continue;
    mark(control(piece));
  }
  if (vocabulary.eos) mark(*vocabulary.eos);
  for (const TokenId id : more) mark(id);
  vocabulary.end_of_generation.clear();
  for (std::size_t id = 0; id < parts.ends_generation.size(); ++id) {
    if (parts.ends_generation[id]) vocabulary.end_of_generation.push_back(static_cast<TokenId>(id));
  }
}

}  // namespace premise
