// Any bytes as premise.toml: an error with a sentence, or a configuration equal to itself.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = premise::parse_config(text, "premise.toml");
  if (!config.ok()) {
    if (config.error().what.en.empty() || config.error().what.zh.empty()) __builtin_trap();
    return 0;
  }
  if (!premise::compare(*config, *config).empty()) __builtin_trap();
  return 0;
}
