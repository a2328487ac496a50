// A vocabulary of byte-level BPE that nobody trained: every byte, merges made by rule until there
// are enough, the marks of a chat, and empty places up to the size that the model's matrix has.
//
// Text comes out as tokens of a few letters or of a Chinese character: 1.5 characters of English and
// 1.05 of Chinese each, so a text is about twice as many tokens as with a trained vocabulary. (Gemma
// 3's takes 3.2 and 2.0 on this project's READMEs.) Who measures by tokens is not concerned. Always
// the same: two models of one size speak the same tokens, whatever their seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace premise {

struct MadeVocabulary {
  std::vector<std::string> tokens;  // as GPT-2 spells bytes ("Ġthe")
  std::vector<std::int32_t> kinds;  // token types of GGUF
  std::vector<std::string> merges;  // "left right", in order of rank
  std::uint32_t end_of_text = 0;    // "<|endoftext|>", also what goes before a text where asked for
  std::uint32_t end_of_turn = 0;    // "<|im_end|>"
};

/// The least size: bytes, marks, and a few merges.
inline constexpr std::size_t least_vocabulary = 512;

/// `size` tokens, at least least_vocabulary and at most 2^20. At most 151,643 of them are bytes and
/// merges, as Qwen2 has it.
MadeVocabulary make_vocabulary(std::size_t size);

}  // namespace premise
