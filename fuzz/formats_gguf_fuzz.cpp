// Any bytes: a GGUF reader opens them and all they claim to hold is there, or refuses them.
// Seeds: fuzz/corpus/gguf (and tests/golden/gguf). Run: formats_gguf_fuzz fuzz/corpus/gguf
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "model/formats/gguf.h"
#include "model/formats/touch_test.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto source = premise::open_gguf_bytes(bytes, "fuzzed.gguf");
  if (source.ok()) {
    if (premise::touch(**source) == 0) std::abort();
  } else if (source.error().what.en.empty() || source.error().what.zh.empty()) {
    std::abort();  // a refusal without a word
  }
  return 0;
}
