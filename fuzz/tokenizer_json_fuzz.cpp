// Any bytes as a tokenizer.json: refused with a word, or loaded; then any bytes are encoded and
// every id decoded. The input's last 64 bytes (or fewer) serve as the text, too.
// Seeds: fuzz/corpus/tokenizer_json. Run: tokenizer_json_fuzz fuzz/corpus/tokenizer_json
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "model/tokenizer/tokenizer.h"

namespace {

void exercise(const premise::Tokenizer& tokenizer, std::string_view text) {
  const auto ids = tokenizer.encode(text);
  const auto plain = tokenizer.encode(text, {.add_special = false, .parse_special = false});
  for (const auto* list : {&ids, &plain}) {
    for (const premise::TokenId id : *list) {
      if (id < 0 || static_cast<std::size_t>(id) >= tokenizer.size()) std::abort();
      tokenizer.ends_generation(id);
    }
    // The whole is its parts, but for the first space.
    std::string joined;
    for (const premise::TokenId id : *list) joined += tokenizer.bytes_of(id, true);
    const std::string decoded = tokenizer.decode(*list, true);
    if (decoded != joined && " " + decoded != joined) std::abort();
  }
  if (tokenizer.encode(text) != ids) std::abort();
  // Wholly trusted it is the same text; in data there is no mark, wherever the borders lie.
  const std::string_view left = text.substr(0, text.size() / 2), right = text.substr(left.size());
  const premise::TextSpan own[] = {{left, true}, {right, true}};
  if (tokenizer.encode(own) != ids) std::abort();
  for (const bool mixed : {false, true}) {
    const premise::TextSpan spans[] = {{left, false}, {right, mixed}, {left, false}};
    for (const premise::TokenId id : tokenizer.encode(spans, {.add_special = false})) {
      const auto& vocabulary = tokenizer.vocabulary();
      const auto at = static_cast<std::size_t>(id);
      const bool is_unknown = vocabulary.kinds[at] == premise::TokenKind::unknown;
      if (!mixed && vocabulary.is_trusted_only(at) && !is_unknown) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto tokenizer = premise::Tokenizer::from_json(bytes);
  if (!tokenizer) {
    if (tokenizer.error().what.en.empty() || tokenizer.error().what.zh.empty()) std::abort();
    return 0;
  }
  exercise(*tokenizer, bytes.substr(size - std::min<std::size_t>(size, 64)));
  exercise(*tokenizer, "it's 123 中文 e\xCC\x81 \xFF\xC3 <s>\n\n  a");
  return 0;
}
