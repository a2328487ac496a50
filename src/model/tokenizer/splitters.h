// The published pre-tokenizer patterns, each as a function written by hand.
//
// A splitter cuts a piece of text into parts: each match of its pattern is a part, and so is the
// text between two matches. Why no regular-expression library: its Unicode tables would be those of
// the machine (see unicode_classes.h), "\s+$" and the like are quadratic when searched for, it does
// not read broken UTF-8, and it is slower by a factor. The set of patterns in use is small; a
// pattern outside it is refused by its text, not guessed at.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace premise {

/// Appends `origin` + the end of each part of `piece`, ascending; the last one is the piece's end.
/// Time is linear in the piece. Bytes that are not UTF-8 count as U+FFFD, a symbol.
using Splitter = void (*)(std::string_view piece, std::size_t origin,
                          std::vector<std::size_t>& ends);

// Whole-word patterns; they cover every character.
void split_gpt2(std::string_view, std::size_t, std::vector<std::size_t>&);
void split_llama3(std::string_view, std::size_t, std::vector<std::size_t>&);  // 3 digits
void split_qwen2(std::string_view, std::size_t, std::vector<std::size_t>&);   // 1 digit
void split_qwen35(std::string_view, std::size_t, std::vector<std::size_t>&);  // marks join words
void split_seed_coder(std::string_view, std::size_t, std::vector<std::size_t>&);
void split_o200k(std::string_view, std::size_t, std::vector<std::size_t>&);   // GPT-4o, Llama 4
void split_tekken(std::string_view, std::size_t, std::vector<std::size_t>&);  // Mistral Nemo …

// Steps of pipelines; what they do not match stays as it is.
void split_deepseek3_words(std::string_view, std::size_t, std::vector<std::size_t>&);
void split_newline(std::string_view, std::size_t, std::vector<std::size_t>&);       // [\r\n]
void split_spaced_latin(std::string_view, std::size_t, std::vector<std::size_t>&);  // DeepSeek LLM
void split_spaced_marks(std::string_view, std::size_t, std::vector<std::size_t>&);  // DeepSeek LLM
void split_spaced_letters(std::string_view, std::size_t, std::vector<std::size_t>&);  // \s?\p{L}+
void split_spaced_punctuation(std::string_view, std::size_t, std::vector<std::size_t>&);
void split_trailing_space(std::string_view, std::size_t, std::vector<std::size_t>&);  // \s+$
void split_cjk_wide(std::string_view, std::size_t,
                    std::vector<std::size_t>&);  // [一-龥ࠀ-一가-퟿]+
void split_cjk_kana(std::string_view, std::size_t,
                    std::vector<std::size_t>&);  // [一-龥぀-ゟ゠-ヿ]+
void split_numbers(std::string_view, std::size_t, std::vector<std::size_t>&);       // \p{N}+
void split_number(std::string_view, std::size_t, std::vector<std::size_t>&);        // \p{N}
void split_numbers_by_3(std::string_view, std::size_t, std::vector<std::size_t>&);  // \p{N}{1,3}
void split_three_digits(std::string_view, std::size_t, std::vector<std::size_t>&);  // [0-9]{3}
void split_punctuation_runs(std::string_view, std::size_t, std::vector<std::size_t>&);
void split_punctuation_default(std::string_view, std::size_t, std::vector<std::size_t>&);
void split_metaspace(std::string_view, std::size_t, std::vector<std::size_t>&);  // before each ▁
/// Falcon's Digits step, which runs after bytes have become letters: ASCII digits, and the bytes
/// whose letters are ² ³ ¹ ¼ ½ ¾.
void split_spelled_numbers(std::string_view, std::size_t, std::vector<std::size_t>&);
void split_bloom(std::string_view, std::size_t, std::vector<std::size_t>&);

}  // namespace premise
