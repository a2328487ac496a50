#include "serve/cache/cached_answer.h"

#include <bit>
#include <cstdint>
#include <limits>

namespace premise {
namespace {

constexpr std::string_view answer_magic = "PRA\x01";  // the last byte is the version
constexpr std::uint64_t token_id_max = std::numeric_limits<TokenId>::max();
constexpr std::uint64_t token_count_max = std::uint64_t{1} << 40;  // of usage: sums stay exact

// The fewest bytes that each of these takes: what bounds their count.
constexpr std::size_t chance_bytes_least = 1 + 1 + 4;
constexpr std::size_t token_bytes_least = chance_bytes_least + 1 + 1;
constexpr std::size_t choice_bytes_least = 1 + 1 + 1;

class AnswerWriter {
 public:
  void number(std::uint64_t value) {
    while (value >= 0x80) {
      out_ += static_cast<char>((value & 0x7F) | 0x80);
      value >>= 7;
    }
    out_ += static_cast<char>(value);
  }
  void text(std::string_view text) {
    number(text.size());
    out_ += text;
  }
  void real(float value) {
    auto bits = std::bit_cast<std::uint32_t>(value);
    for (int i = 0; i < 4; ++i, bits >>= 8) out_ += static_cast<char>(bits & 0xFF);
  }
  void chance(const TokenChance& chance) {
    number(static_cast<std::uint64_t>(chance.id));
    text(chance.bytes);
    real(chance.logprob);
  }
  void token(const GeneratedToken& token) {
    chance(token.token);
    number(token.text_offset);
    number(token.top.size());
    for (const TokenChance& other : token.top) chance(other);
  }
  void choice(const CachedChoice& choice) {
    number(choice.ending == ChoiceEnding::length ? 1 : 0);
    text(choice.text);
    number(choice.tokens.size());
    for (const GeneratedToken& each : choice.tokens) token(each);
  }
  std::string take() && { return std::move(out_); }

 private:
  std::string out_{answer_magic};
};

/// After the first thing that is wrong everything read is empty and ok() is false.
class AnswerReader {
 public:
  explicit AnswerReader(std::string_view bytes) : rest_(bytes) {
    if (!rest_.starts_with(answer_magic)) fail();
    rest_.remove_prefix(ok_ ? answer_magic.size() : 0);
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }

  /// Only the shortest form of a number is one, so that equal answers are equal bytes.
  std::uint64_t number(std::uint64_t most) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(rest_.empty() ? 0 : rest_.front());
      if (rest_.empty()) return fail();
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value > most || (byte == 0 && shift > 0) ? fail() : value;
    }
    return fail();
  }
  std::size_t count(std::size_t bytes_least) {
    return static_cast<std::size_t>(number(rest_.size() / bytes_least));
  }
  std::string text() {
    const std::size_t length = count(1);
    if (length > rest_.size()) fail();
    if (!ok_) return {};
    std::string out(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return out;
  }
  float real() {
    if (rest_.size() < 4) fail();
    if (!ok_) return 0;
    std::uint32_t bits = 0;
    for (unsigned i = 0; i < 4; ++i)
      bits |= std::uint32_t{static_cast<std::uint8_t>(rest_[i])} << (8 * i);
    rest_.remove_prefix(4);
    return std::bit_cast<float>(bits);
  }
  TokenChance chance() {
    TokenChance out;
    out.id = static_cast<TokenId>(number(token_id_max));
    out.bytes = text();
    out.logprob = real();
    return out;
  }
  GeneratedToken token() {
    GeneratedToken out{chance(), static_cast<std::size_t>(number(cached_answer_bytes_max)), {}};
    const std::size_t others = count(chance_bytes_least);
    for (std::size_t i = 0; ok_ && i < others; ++i) out.top.push_back(chance());
    return out;
  }
  CachedChoice choice() {
    CachedChoice out;
    out.ending = number(1) == 1 ? ChoiceEnding::length : ChoiceEnding::stop;
    out.text = text();
    const std::size_t tokens = count(token_bytes_least);
    for (std::size_t i = 0; ok_ && i < tokens; ++i) out.tokens.push_back(token());
    return out;
  }

 private:
  std::uint64_t fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string encode_answer(const CachedAnswer& answer) {
  AnswerWriter writer;
  writer.number(answer.usage.prompt_tokens);
  writer.number(answer.usage.completion_tokens);
  writer.number(answer.choices.size());
  for (const CachedChoice& choice : answer.choices) writer.choice(choice);
  return std::move(writer).take();
}

Result<CachedAnswer> decode_answer(std::string_view bytes) {
  if (bytes.size() > cached_answer_bytes_max)
    return error(ErrorCode::bad_input,
                 {"a cached answer has over {} bytes", "缓存的回答超过 {} 字节"},
                 cached_answer_bytes_max);
  AnswerReader reader(bytes);
  CachedAnswer answer;
  answer.usage.prompt_tokens = static_cast<std::size_t>(reader.number(token_count_max));
  answer.usage.completion_tokens = static_cast<std::size_t>(reader.number(token_count_max));
  const std::size_t choices = reader.count(choice_bytes_least);
  for (std::size_t i = 0; reader.ok() && i < choices; ++i)
    answer.choices.push_back(reader.choice());
  if (!reader.at_end())
    return error(ErrorCode::bad_input,
                 {"a cached answer is damaged, or not one that this version wrote",
                  "缓存的回答已损坏，或并非由此版本写入"});
  return answer;
}

}  // namespace premise
