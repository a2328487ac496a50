// Names are those that llama.cpp writes into GGUF files; patterns are those of the published
// tokenizer.json files of the models named beside them.
#include "model/tokenizer/pretokenizer.h"

#include <algorithm>
#include <utility>

namespace premise {
namespace {

constexpr Splitter gpt2[] = {split_gpt2};
constexpr Splitter llama3[] = {split_llama3};
constexpr Splitter qwen2[] = {split_qwen2};
constexpr Splitter qwen35[] = {split_qwen35};
constexpr Splitter seed_coder[] = {split_seed_coder};
constexpr Splitter o200k[] = {split_o200k};
constexpr Splitter tekken[] = {split_tekken};
constexpr Splitter starcoder[] = {split_number, split_gpt2};
constexpr Splitter deepseek_llm[] = {split_newline,        split_spaced_latin, split_spaced_marks,
                                     split_trailing_space, split_cjk_wide,     split_numbers};
constexpr Splitter deepseek_coder[] = {split_newline, split_spaced_letters,
                                       split_spaced_punctuation, split_cjk_wide, split_number};
constexpr Splitter deepseek_v3[] = {split_numbers_by_3, split_cjk_kana, split_deepseek3_words};
constexpr Splitter falcon[] = {split_punctuation_runs, split_gpt2, split_three_digits};
constexpr Splitter default_steps[] = {split_punctuation_default, split_gpt2, split_numbers,
                                      split_three_digits};
constexpr Splitter bloom[] = {split_bloom};
constexpr Splitter viking[] = {split_bloom, split_number};

constexpr NamedPreTokenizer names[] = {
    {"a.x-4.0", gpt2},
    {"bailingmoe", qwen2},
    {"bloom", bloom},
    {"chatglm-bpe", llama3},
    {"codeshell", starcoder},
    {"command-r", starcoder},
    {"dbrx", llama3},
    {"deepseek-coder", deepseek_coder},
    {"deepseek-llm", deepseek_llm},
    {"deepseek-r1-qwen", qwen2, false, false, true},
    {"deepseek-v3", deepseek_v3},
    {"default", default_steps},
    {"exaone", starcoder},
    {"exaone4", gpt2},
    {"falcon", falcon},
    {"falcon-h1", llama3, true, true},
    {"falcon3", llama3, true, true},
    {"gigachat", gpt2},
    {"glm4", llama3},
    {"gpt-2", gpt2},
    {"gpt-4o", o200k, true},
    {"gpt3-finnish", bloom},
    {"grok-2", qwen2},
    {"hunyuan", qwen2},
    {"hunyuan-dense", deepseek_v3},
    {"jais", gpt2},
    {"jina-de", gpt2},
    {"jina-es", gpt2},
    {"jina-v2-code", gpt2},
    {"jina-v2-de", gpt2},
    {"jina-v2-es", gpt2},
    {"lfm2", llama3, true, true},
    {"llada-moe", qwen2},
    {"llama-bpe", llama3, true, true},
    {"llama-v3", llama3, true, true},
    {"llama3", llama3, true, true},
    {"llama4", o200k, true},
    {"megrez", qwen2},
    {"mellum", gpt2},
    {"midm-2.0", llama3, true, true},
    {"minerva-7b", starcoder},
    {"mpt", gpt2},
    {"olmo", gpt2},
    {"phi-2", gpt2},
    {"poro-chat", bloom},
    {"qwen2", qwen2, false, false, true},
    {"qwen35", qwen35, false, false, true},
    {"refact", starcoder},
    {"roberta-bpe", gpt2},
    {"seed-coder", seed_coder},
    {"smaug-bpe", llama3},
    {"smollm", starcoder},
    {"stablelm2", qwen2},
    {"starcoder", starcoder},
    {"tekken", tekken, true, true},
    {"trillion", gpt2},
    {"viking", viking},
};

// Parts that most of the patterns share.
#define PREMISE_CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define PREMISE_CONTRACTIONS_SHORT "'(?i:[sdmt]|ll|ve|re)"
#define PREMISE_WORD "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define PREMISE_WORD_POSSESSIVE "|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+"
#define PREMISE_SYMBOLS "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
#define PREMISE_SYMBOLS_POSSESSIVE "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*"
#define PREMISE_SPACES "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define PREMISE_SPACES_SHORT "|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"
#define PREMISE_UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define PREMISE_LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define PREMISE_CASED(tail)                                         \
  "[^\\r\\n\\p{L}\\p{N}]?" PREMISE_UPPER "*" PREMISE_LOWER "+" tail \
  "|[^\\r\\n\\p{L}\\p{N}]?" PREMISE_UPPER "+" PREMISE_LOWER "*" tail
#define PREMISE_CASED_SYMBOLS "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*"

constexpr KnownPattern patterns[] = {
    // GPT-2
    {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
     split_gpt2, true},
    // Llama 3, GLM-4; then the older spelling of cl100k
    {PREMISE_CONTRACTIONS PREMISE_WORD "|\\p{N}{1,3}" PREMISE_SYMBOLS PREMISE_SPACES, split_llama3,
     true},
    {PREMISE_CONTRACTIONS_SHORT PREMISE_WORD_POSSESSIVE
     "|\\p{N}{1,3}" PREMISE_SYMBOLS_POSSESSIVE PREMISE_SPACES_SHORT,
     split_llama3, true},
    // Qwen 2, 2.5, 3; Bailing
    {PREMISE_CONTRACTIONS PREMISE_WORD "|\\p{N}" PREMISE_SYMBOLS PREMISE_SPACES, split_qwen2, true},
    {PREMISE_CONTRACTIONS_SHORT PREMISE_WORD_POSSESSIVE
     "|\\p{N}" PREMISE_SYMBOLS_POSSESSIVE PREMISE_SPACES_SHORT,
     split_qwen2, true},
    // Qwen 3.5
    {PREMISE_CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}"
                          "| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*" PREMISE_SPACES,
     split_qwen35, true},
    // Seed-Coder
    {PREMISE_CONTRACTIONS "|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+"
                          "|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
     split_seed_coder, true},
    // GPT-4o, gpt-oss, Llama 4
    {PREMISE_CASED(PREMISE_CONTRACTIONS "?") "|\\p{N}{1,3}" PREMISE_CASED_SYMBOLS PREMISE_SPACES,
     split_o200k, true},
    // Mistral's Tekken
    {PREMISE_CASED("") "|\\p{N}" PREMISE_CASED_SYMBOLS PREMISE_SPACES, split_tekken, true},
    // DeepSeek V3, R1
    {"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?"
     "[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
     split_deepseek3_words, false},
    {"[一-龥぀-ゟ゠-ヿ]+", split_cjk_kana, false},
    // DeepSeek LLM and Coder
    {"[\r\n]", split_newline, false},
    {"\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷ"
     "ᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\U00001F7Dᾀ-ᾴᾶ-ᾼ\U00001FBEῂ-ῄῆ-ῌῐ-\U00001FD3ῖ-\U00001FDBῠ"
     "-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\U00002126ℨ\U0000212A-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎ"
     "ꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ\U00010400-\U0001044F\U000104B0-\U000104D3\U000104D8-\U000104FB"
     "\U00010C80-\U00010CB2\U00010CC0-\U00010CF2\U000118A0-\U000118DF\U0001E900-"
     "\U0001E943]+",
     split_spaced_latin, false},
    {"\\s?[!-/:-~！-／：-～‘-‟　-。]+", split_spaced_marks, false},
    {"\\s+$", split_trailing_space, false},
    {"[一-龥ࠀ-一가-퟿]+", split_cjk_wide, false},
    {"\\s?\\p{L}+", split_spaced_letters, false},
    {"\\s?\\p{P}+", split_spaced_punctuation, false},
    // Digits
    {"\\p{N}{1,3}", split_numbers_by_3, false},
    {"\\p{N}+", split_numbers, false},
    {"\\p{N}", split_number, false},
    {"[0-9][0-9][0-9]", split_three_digits, false},
    // Bloom, Poro; Viking
    {" ?[^(\\s|[.,!?…。，、।۔،])]+", split_bloom, false},
    {" ?[^(\\s|.,!?…。，、।۔،)]+", split_bloom, false},
};

#undef PREMISE_CONTRACTIONS
#undef PREMISE_CONTRACTIONS_SHORT
#undef PREMISE_WORD
#undef PREMISE_WORD_POSSESSIVE
#undef PREMISE_SYMBOLS
#undef PREMISE_SYMBOLS_POSSESSIVE
#undef PREMISE_SPACES
#undef PREMISE_SPACES_SHORT
#undef PREMISE_UPPER
#undef PREMISE_LOWER
#undef PREMISE_CASED
#undef PREMISE_CASED_SYMBOLS

}  // namespace

const NamedPreTokenizer* find_pretokenizer(std::string_view gguf_name) {
  const auto* found =
      std::find_if(std::begin(names), std::end(names),
                   [&](const NamedPreTokenizer& entry) { return entry.name == gguf_name; });
  return found == std::end(names) ? nullptr : found;
}

const KnownPattern* find_pattern(std::string_view regex) {
  const auto* found = std::find_if(std::begin(patterns), std::end(patterns),
                                   [&](const KnownPattern& entry) { return entry.regex == regex; });
  return found == std::end(patterns) ? nullptr : found;
}

void PreTokenizer::split(std::string_view text, std::vector<std::size_t>& ends) const {
  ends.clear();
  if (text.empty()) return;
  if (steps_.empty()) {
    ends.push_back(text.size());
    return;
  }
  steps_.front()(text, 0, ends);
  std::vector<std::size_t> finer;
  for (std::size_t step = 1; step < steps_.size(); ++step) {
    finer.clear();
    std::size_t start = 0;
    for (const std::size_t end : ends) {
      steps_[step](text.substr(start, end - start), start, finer);
      start = end;
    }
    std::swap(ends, finer);
  }
}

}  // namespace premise
