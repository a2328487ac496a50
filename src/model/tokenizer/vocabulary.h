// Pieces of a vocabulary and what kind each is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/tokenizer/token_model.h"

namespace premise {

/// Kinds as GGUF counts them (tokenizer.ggml.token_type).
enum class TokenKind : std::uint8_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6,
};

struct Vocabulary {
  std::vector<std::string> pieces;  // by id, as the file spells them ("▁the", "Ġthe", "<0x0A>")
  std::vector<TokenKind> kinds;     // by id
  std::vector<float> scores;        // by id; empty where the algorithm has none
  std::vector<bool> trusted_only;   // by id: never made of what a user writes (trusted_only.h)

  std::optional<TokenId> bos, eos, unknown, separator, padding, cls, mask;
  bool is_trusted_only(std::size_t id) const {
    return id < trusted_only.size() && trusted_only[id];
  }

  bool add_bos = false;
  bool add_eos = false;
  bool add_space_prefix = false;           // SentencePiece's dummy prefix
  std::vector<TokenId> end_of_generation;  // eos, end of turn, … : generation stops at these
};

}  // namespace premise
