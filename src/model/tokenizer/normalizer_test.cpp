#include "model/tokenizer/normalizer.h"

#include <gtest/gtest.h>

#include <chrono>

namespace premise {
namespace {

using Kind = NormalizerStep::Kind;

std::string normalized(std::string_view text, NormalizerStep step) {
  std::string storage;
  return std::string(Normalizer({std::move(step)}).apply(text, storage));
}

TEST(Normalizer, FormsAreThoseOfUnicode) {
  EXPECT_EQ(normalized("e\u0301 \u1100\u1161\u11a8 \u212b", {Kind::nfc}), "é 각 Å");
  EXPECT_EQ(normalized("é각", {Kind::nfd}), "e\u0301\u1100\u1161\u11a8");
  EXPECT_EQ(normalized("ﬁ½Ａ", {Kind::nfkc}), "fi1⁄2A");
  EXPECT_EQ(normalized("q\u0307\u0323", {Kind::nfc}), "q\u0323\u0307");  // marks in order
}

TEST(Normalizer, BrokenBytesPassThrough) {
  EXPECT_EQ(normalized("e\u0301\xFF\xC3 e\u0301", {Kind::nfc}), "é\xFF\xC3 é");
}

TEST(Normalizer, PiledMarksTakeNoQuadraticTime) {
  std::string marks = "a";
  for (int i = 0; i < 50'000; ++i) marks += i % 2 ? "\u0323" : "\u0307";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(normalized(marks, {Kind::nfd}).size(), marks.size());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Normalizer, RewritesText) {
  EXPECT_EQ(normalized("a  b c", {Kind::replace, " ", "▁"}), "a▁▁b▁c");
  EXPECT_EQ(normalized("a", {Kind::prepend, {}, "▁"}), "▁a");
  EXPECT_EQ(normalized("", {Kind::prepend, {}, "▁"}), "");
  EXPECT_EQ(normalized("a", {Kind::prepend_once, {}, "▁"}), "▁a");
  EXPECT_EQ(normalized("▁a", {Kind::prepend_once, {}, "▁"}), "▁a");
  EXPECT_EQ(normalized("a   b c", {Kind::collapse_spaces, {}, " "}), "a b c");
  EXPECT_EQ(normalized(" \u3000a ", {Kind::strip_left}), "a ");
  EXPECT_EQ(normalized(" a \n", {Kind::strip_right}), " a");
  EXPECT_EQ(normalized("ÄİΣ", {Kind::lowercase}), "äi\u0307σ");
  EXPECT_EQ(normalized("e\u0301", {Kind::strip_accents}), "e");
}

// Trusted stretches are in square brackets, before and after.
std::string normalized_with_origin(std::string_view marked, std::vector<NormalizerStep> steps) {
  std::string text, storage;
  TrustedRuns runs;
  bool trusted = false;
  for (const char c : marked) {
    if (c == '[' || c == ']') {
      trusted = c == '[';
    } else {
      text += c;
      runs.append(1, trusted);
    }
  }
  const Normalizer normalizer(std::move(steps));
  const std::string out(normalizer.apply(text, storage, runs));
  std::string plain_storage;
  EXPECT_EQ(out, normalizer.apply(text, plain_storage)) << marked;
  EXPECT_EQ(runs.size(), out.size()) << marked;
  std::string shown = out;
  for (auto run = runs.runs().rbegin(); run != runs.runs().rend(); ++run) {
    shown.insert(run->end, "]");
    shown.insert(run->begin, "[");
  }
  return shown;
}

TEST(Normalizer, RemembersWhoWroteWhat) {
  EXPECT_EQ(normalized_with_origin("e\u0301[<ä>]e\u0301中[<ö>]", {{Kind::nfc}}), "é[<ä>]é中[<ö>]");
  EXPECT_EQ(normalized_with_origin("[a b] c", {{Kind::replace, " ", "▁"}}), "[a▁b]▁c");
  EXPECT_EQ(normalized_with_origin("[a]b", {{Kind::prepend, {}, "▁"}}), "[▁a]b");
  EXPECT_EQ(normalized_with_origin("a[b]", {{Kind::prepend_once, {}, "▁"}}), "▁a[b]");
  EXPECT_EQ(normalized_with_origin("[▁a]b", {{Kind::prepend_once, {}, "▁"}}), "[▁a]b");
  EXPECT_EQ(normalized_with_origin(" [ a] b ", {{Kind::strip_left}, {Kind::strip_right}}), "[a] b");
  EXPECT_EQ(normalized_with_origin("[É]É", {{Kind::lowercase}, {Kind::nfd}, {Kind::strip_accents}}),
            "[e]e");
}

TEST(Normalizer, WhatIsMadeOfBothKindsIsData) {
  EXPECT_EQ(normalized_with_origin("[<e]\u0301x", {{Kind::nfc}}), "[<]éx");
  EXPECT_EQ(normalized_with_origin("[<\u1100]\u1161\u11a8[>]", {{Kind::nfc}}), "[<]각[>]");
  EXPECT_EQ(normalized_with_origin("[<ｶ]ﾞ[>]", {{Kind::nfkc}}), "[<]ガ[>]");
  EXPECT_EQ(normalized_with_origin("[xa]bc", {{Kind::replace, "ab", "_"}}), "[x]_c");
  EXPECT_EQ(normalized_with_origin("[a ] [ b]", {{Kind::collapse_spaces, {}, " "}}), "[a] [b]");
  EXPECT_EQ(normalized_with_origin("[a\xC3]\xA9", {{Kind::lowercase}}), "[a]é");
}

}  // namespace
}  // namespace premise
