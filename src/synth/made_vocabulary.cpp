#include "synth/made_vocabulary.h"

#include <algorithm>
#include <cassert>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "model/tokenizer/byte_level.h"
#include "model/tokenizer/vocabulary.h"
#include "synth/split_mix.h"

namespace premise {
namespace {

constexpr std::size_t text_tokens_max = 151'643;
constexpr std::string_view mark_names[] = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};

// Pieces that grow by merging two of them. Early ones are drawn more often, so that they are found
// inside many later ones, as frequent pieces of a trained vocabulary are.
class Words {
 public:
  /// `firsts` begin a piece, `others` go on with it; both are of one byte or one character.
  Words(std::vector<std::string> firsts, std::vector<std::string> others, std::size_t bytes_max)
      : firsts_(std::move(firsts)), others_(std::move(others)), bytes_max_(bytes_max) {}

  /// A pair that gives a piece which is not in `taken`.
  std::pair<std::string, std::string> next(const std::unordered_set<std::string>& taken,
                                           SplitMix64& random) {
    while (true) {
      const bool begins = random.below(2) == 0;
      std::string left = pick(begins ? firsts_ : others_, random);
      std::string right = pick(others_, random);
      if (left.size() + right.size() > bytes_max_ || taken.contains(left + right)) continue;
      (begins ? firsts_ : others_).push_back(left + right);
      return {std::move(left), std::move(right)};
    }
  }

 private:
  static const std::string& pick(const std::vector<std::string>& pieces, SplitMix64& random) {
    const double unit = static_cast<double>(random.below(1 << 20)) / (1 << 20);
    return pieces[static_cast<std::size_t>(unit * unit * unit *
                                           static_cast<double>(pieces.size()))];
  }

  std::vector<std::string> firsts_;  // " th"
  std::vector<std::string> others_;  // "ing"
  std::size_t bytes_max_;
};

std::vector<std::string> letters() {
  std::vector<std::string> out;
  for (const char letter : std::string_view("etaoinshrdlucmfwypvbgkqjxz"))
    out.emplace_back(1, letter);
  return out;
}

std::vector<std::string> capitals_and_space() {
  std::vector<std::string> out{" ", " ", " ", " ", " ", " "};  // most words follow a space
  for (char letter = 'A'; letter <= 'Z'; ++letter) out.emplace_back(1, letter);
  return out;
}

class Maker {
 public:
  void add_bytes() {
    for (unsigned byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(byte)));
  }

  /// Merges until there are `count` tokens: indentation first, then five of letters to one of
  /// Chinese characters, in the order of Unicode, until all are there.
  void add_merges(std::size_t count) {
    for (const std::string_view run : {"\n\n", "  ", "    ", "        ", "                "})
      if (made_.tokens.size() < count)
        merge(run.substr(0, run.size() / 2), run.substr(run.size() / 2));
    Words words(capitals_and_space(), letters(), 12);
    SplitMix64 random(0);
    while (made_.tokens.size() < count) {
      if (made_.tokens.size() % 6 == 0 && next_character_ <= last_character) {
        add_character();
      } else {
        const auto [left, right] = words.next(texts_, random);
        merge(left, right);
      }
    }
  }

  void add_mark(std::string_view name, TokenKind kind) {
    made_.tokens.emplace_back(name);
    made_.kinds.push_back(static_cast<std::int32_t>(kind));
  }

  MadeVocabulary take() { return std::move(made_); }
  std::size_t count() const { return made_.tokens.size(); }

 private:
  static constexpr unsigned last_character = 0x9FFF;

  static std::string spelled(std::string_view text) {
    std::string out;
    for (const char byte : text) {
      const char32_t code = byte_spellings[static_cast<unsigned char>(byte)];
      if (code < 0x80) {
        out += static_cast<char>(code);
      } else {  // none is beyond U+0143
        out += static_cast<char>(0xC0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3F));
      }
    }
    return out;
  }

  void add(const std::string& text) {
    texts_.insert(text);
    made_.tokens.push_back(spelled(text));
    made_.kinds.push_back(static_cast<std::int32_t>(TokenKind::normal));
  }

  void merge(std::string_view left, std::string_view right) {
    made_.merges.push_back(spelled(left) + " " + spelled(right));
    add(std::string(left) + std::string(right));
  }

  // The first two bytes of the next character, or the character itself once those are a token.
  void add_character() {
    const unsigned code = next_character_;
    const std::string bytes{static_cast<char>(0xE0 | code >> 12),
                            static_cast<char>(0x80 | (code >> 6 & 0x3F)),
                            static_cast<char>(0x80 | (code & 0x3F))};
    const std::string_view text = bytes;
    if (!texts_.contains(bytes.substr(0, 2))) {
      merge(text.substr(0, 1), text.substr(1, 1));
    } else {
      merge(text.substr(0, 2), text.substr(2));
      ++next_character_;
    }
  }

  MadeVocabulary made_;
  std::unordered_set<std::string> texts_;  // what the tokens stand for
  unsigned next_character_ = 0x4E00;
};

}  // namespace

MadeVocabulary make_vocabulary(std::size_t size) {
  assert(size >= least_vocabulary && size <= std::size_t{1} << 20);
  Maker maker;
  maker.add_bytes();
  maker.add_merges(std::min(text_tokens_max, size - std::size(mark_names)));
  const auto marks = static_cast<std::uint32_t>(maker.count());
  for (const std::string_view name : mark_names) maker.add_mark(name, TokenKind::control);
  while (maker.count() < size)
    maker.add_mark("<|unused_" + std::to_string(maker.count()) + "|>", TokenKind::unused);
  MadeVocabulary made = maker.take();
  made.end_of_text = marks;
  made.end_of_turn = marks + 2;
  return made;
}

}  // namespace premise
