// Every family of tokenizer against the answers of the reference library
// (tests/golden/make_tokenizer_goldens.py), read from tokenizer.json and from GGUF metadata.
#include "model/tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace premise {
namespace {

using nlohmann::json;

json golden(const std::string& name) {
  std::ifstream file(std::string(PREMISE_SOURCE_DIR "/tests/golden/tokenizer/") + name + ".json");
  EXPECT_TRUE(file) << name;
  return json::parse(file);
}

Tokenizer from_json(const json& configuration) {
  auto tokenizer = Tokenizer::from_json(configuration.dump());
  EXPECT_TRUE(tokenizer) << tokenizer.error().what.en;
  return std::move(tokenizer).value();
}

// The keys that a converter writes for a byte-level tokenizer.json.
Metadata gguf_of(const json& configuration, const std::string& pre) {
  std::map<std::int64_t, std::pair<std::string, std::int64_t>> tokens;  // id: piece, kind
  for (const auto& [piece, id] : configuration["model"]["vocab"].items()) tokens[id] = {piece, 1};
  for (const json& token : configuration["added_tokens"]) {
    tokens[token["id"]] = {token["content"], token["special"].get<bool>() ? 3 : 4};
  }
  std::vector<std::string> pieces, merges;
  std::vector<std::int64_t> kinds;
  for (const auto& [id, token] : tokens) {
    EXPECT_EQ(id, static_cast<std::int64_t>(pieces.size()));
    pieces.push_back(token.first);
    kinds.push_back(token.second);
  }
  for (const json& merge : configuration["model"]["merges"]) {
    merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  }
  const std::int64_t start = configuration["added_tokens"][0]["id"];
  Metadata metadata;
  metadata.set("tokenizer.ggml.model", std::string("gpt2"));
  metadata.set("tokenizer.ggml.pre", pre);
  metadata.set("tokenizer.ggml.tokens", pieces);
  metadata.set("tokenizer.ggml.token_type", kinds);
  metadata.set("tokenizer.ggml.merges", merges);
  metadata.set("tokenizer.ggml.bos_token_id", static_cast<std::uint64_t>(start));
  metadata.set("tokenizer.ggml.add_bos_token", true);
  return metadata;
}

class Family : public testing::TestWithParam<const char*> {};

TEST_P(Family, EncodesAsTheReferenceDoes) {
  const json texts = golden("texts"), expected = golden(GetParam());
  const Tokenizer tokenizer = from_json(expected["tokenizer"]);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto ids = expected["ids"][i].get<std::vector<TokenId>>();
    EXPECT_EQ(tokenizer.encode(texts[i].get<std::string>()), ids) << texts[i];
  }
}

TEST_P(Family, LeavesControlTokensInUntrustedTextAlone) {
  const json texts = golden("texts"), expected = golden(GetParam());
  const Tokenizer tokenizer = from_json(expected["tokenizer"]);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string key = std::to_string(i);
    const json& row =
        expected["ids_unparsed"].contains(key) ? expected["ids_unparsed"][key] : expected["ids"][i];
    EXPECT_EQ(tokenizer.encode(texts[i].get<std::string>(), {.parse_special = false}),
              row.get<std::vector<TokenId>>())
        << texts[i];
  }
}

class Decoder : public testing::TestWithParam<const char*> {};

TEST_P(Decoder, DecodesAsTheReferenceDoes) {
  const json texts = golden("texts"), expected = golden(GetParam());
  const Tokenizer tokenizer = from_json(expected["tokenizer"]);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string key = std::to_string(i);
    const json& text = expected["decoded"].contains(key) ? expected["decoded"][key] : texts[i];
    const auto ids = tokenizer.encode(texts[i].get<std::string>(), {.add_special = false});
    EXPECT_EQ(tokenizer.decode(ids, true), text.get<std::string>()) << texts[i];
  }
}

class GgufFamily : public testing::TestWithParam<const char*> {};

TEST_P(GgufFamily, EncodesAsItsTokenizerJson) {
  const json texts = golden("texts"), expected = golden(GetParam());
  const auto tokenizer =
      Tokenizer::from_gguf(gguf_of(expected["tokenizer"], expected["gguf"].get<std::string>()));
  ASSERT_TRUE(tokenizer) << tokenizer.error().what.en;
  std::size_t compared = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string text = texts[i].get<std::string>();
    // GGUF knows no tokens that swallow spaces or want whole words.
    if (text.find("<mask>") != text.npos || text.find("word") != text.npos ||
        text.find("<|im_end|>") != text.npos) {
      continue;
    }
    ++compared;
    EXPECT_EQ(tokenizer->encode(text), expected["ids"][i].get<std::vector<TokenId>>()) << texts[i];
  }
  EXPECT_GT(compared, 200u);
}

std::string name_of(const testing::TestParamInfo<const char*>& family) { return family.param; }

#define PREMISE_GGUF_FAMILIES                                                            \
  "gpt2", "llama3", "qwen2", "qwen35", "gpt4o", "tekken", "deepseek_v3", "deepseek_llm", \
      "deepseek_coder", "starcoder", "bloom", "seed_coder"
#define PREMISE_BPE_FAMILIES \
  PREMISE_GGUF_FAMILIES, "roberta", "falcon", "gemma", "llama2", "mistral"

INSTANTIATE_TEST_SUITE_P(Tokenizer, Family,
                         testing::Values(PREMISE_BPE_FAMILIES, "wordpiece", "unigram"), name_of);
// Decoders of WordPiece and Unigram lose spaces of the text in ways of their own.
INSTANTIATE_TEST_SUITE_P(Tokenizer, Decoder, testing::Values(PREMISE_BPE_FAMILIES), name_of);
INSTANTIATE_TEST_SUITE_P(Tokenizer, GgufFamily, testing::Values(PREMISE_GGUF_FAMILIES), name_of);

class ByteLevel : public testing::Test {
 protected:
  Tokenizer tokenizer = from_json(golden("llama3")["tokenizer"]);
};

TEST_F(ByteLevel, AnyBytesComeBackExactly) {
  std::string text;
  for (int i = 0; i < 4096; ++i) text += static_cast<char>((i * 167 + i / 7) & 0xFF);
  const auto ids = tokenizer.encode(text, {.add_special = false, .parse_special = false});
  EXPECT_EQ(tokenizer.decode(ids), text);
  for (const char* broken :
       {"\xFF", "a\xC3", "\xE4\xBD", "\xF0\x9F\x98", "\xC0\x80", "\xED\xA0\x80"}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(broken, {.add_special = false})), broken);
  }
}

TEST_F(ByteLevel, ALongRunOfOneLetterTakesNoQuadraticTime) {
  const std::string run(100'000, 'a');
  const auto start = std::chrono::steady_clock::now();
  const auto ids = tokenizer.encode(run, {.add_special = false});
  const auto seconds = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(tokenizer.decode(ids), run);
  EXPECT_LT(seconds, std::chrono::seconds(3));  // milliseconds, but sanitizers and loaded machines
}

TEST_F(ByteLevel, ALongTextIsEncodedAsItsWordsAre) {
  const json texts = golden("texts");
  std::string text;
  std::vector<TokenId> expected;
  for (int round = 0; round < 400; ++round) {
    const std::string line =
        "The engine reads weights" + std::to_string(round % 17) + " 人工智能\n";
    const auto ids = tokenizer.encode(line, {.add_special = false});
    expected.insert(expected.end(), ids.begin(), ids.end());
    text += line;
  }
  ASSERT_GT(text.size(), 8192u);
  EXPECT_EQ(tokenizer.encode(text, {.add_special = false}), expected);
}

TEST_F(ByteLevel, ControlTokensStandForNothingUnlessShown) {
  const auto id = tokenizer.find("<|im_end|>");
  ASSERT_TRUE(id);
  EXPECT_EQ(tokenizer.bytes_of(*id), "");
  EXPECT_EQ(tokenizer.bytes_of(*id, true), "<|im_end|>");
  EXPECT_TRUE(tokenizer.ends_generation(*id));
  EXPECT_EQ(tokenizer.bytes_of(-1), "");
  EXPECT_EQ(tokenizer.bytes_of(1 << 30), "");
  EXPECT_FALSE(tokenizer.ends_generation(-1));
  EXPECT_FALSE(tokenizer.find("no such piece"));
}

// What a loader refuses, and the word that its message must contain.
struct Refusal {
  std::string pointer;  // where to put `value`
  json value;
  std::string names;
};

class RefusedJson : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedJson, NamesWhatIsWrong) {
  json configuration = golden("qwen2")["tokenizer"];
  configuration[json::json_pointer(GetParam().pointer)] = GetParam().value;
  const auto tokenizer = Tokenizer::from_json(configuration.dump());
  ASSERT_FALSE(tokenizer);
  EXPECT_EQ(tokenizer.error().code, ErrorCode::bad_input);
  EXPECT_NE(tokenizer.error().what.en.find(GetParam().names), std::string::npos)
      << tokenizer.error().what.en;
  EXPECT_FALSE(tokenizer.error().what.zh.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Tokenizer, RefusedJson,
    testing::Values(Refusal{"/pre_tokenizer/pretokenizers/0/pattern/Regex", "\\w+", "\\w+"},
                    Refusal{"/pre_tokenizer/pretokenizers/0/behavior", "Removed", "Removed"},
                    Refusal{"/pre_tokenizer", {{"type", "UnicodeScripts"}}, "UnicodeScripts"},
                    Refusal{"/normalizer", {{"type", "Nmt"}}, "Nmt"},
                    Refusal{"/post_processor", {{"type", "Other"}}, "Other"},
                    Refusal{"/model/type", "WordLevel", "WordLevel"},
                    Refusal{"/model/end_of_word_suffix", "</w>", "end_of_word_suffix"},
                    Refusal{"/model/dropout", 0.1, "dropout"},
                    Refusal{"/model/vocab", 7, "model.vocab"}, Refusal{"/model/vocab/a", -1, "-1"},
                    Refusal{"/model/vocab/a", 4'000'000'000u, "4000000000"},
                    Refusal{"/model/vocab/a", 70, "the same id"},
                    Refusal{"/model/merges/0", {"no", "where"}, "no"},
                    Refusal{"/model/merges/0", "alone", "alone"},
                    Refusal{"/model/merges", nullptr, "model.merges"},
                    Refusal{"/added_tokens/0/content", 3, "added_tokens"},
                    Refusal{"/post_processor/special_tokens", json::object(), "<|start|>"}));

TEST(TokenizerJson, RefusesWhatIsNoJson) {
  for (const char* bytes : {"", "{", "[]", "null", "{\"model\":3}", "{\"model\":{}}", "\xFF\xFE"}) {
    EXPECT_FALSE(Tokenizer::from_json(bytes)) << bytes;
  }
}

class GgufTokenizer : public testing::Test {
 protected:
  void refused(std::string_view names) {
    const auto tokenizer = Tokenizer::from_gguf(metadata);
    ASSERT_FALSE(tokenizer);
    EXPECT_EQ(tokenizer.error().code, ErrorCode::bad_input);
    EXPECT_NE(tokenizer.error().what.en.find(names), std::string::npos)
        << tokenizer.error().what.en;
  }
  Metadata metadata = gguf_of(golden("qwen2")["tokenizer"], "qwen2");
};

TEST_F(GgufTokenizer, RefusesAnUnknownPreTokenizerByName) {
  metadata.set("tokenizer.ggml.pre", std::string("never-heard-of"));
  refused("never-heard-of");
}

TEST_F(GgufTokenizer, RefusesAnUnknownModelByName) {
  metadata.set("tokenizer.ggml.model", std::string("gemma4"));
  refused("gemma4");
}

TEST_F(GgufTokenizer, RefusesAVocabularyWithoutTokens) {
  metadata.set("tokenizer.ggml.tokens", std::vector<std::string>{});
  refused("tokenizer.ggml.tokens");
}

TEST_F(GgufTokenizer, RefusesKindsThatDoNotFitTheTokens) {
  metadata.set("tokenizer.ggml.token_type", std::vector<std::int64_t>{1, 2, 3});
  refused("tokenizer.ggml.token_type has 3 entries");
}

TEST_F(GgufTokenizer, RefusesAKindThatDoesNotExist) {
  auto kinds = std::get<std::vector<std::int64_t>>(
      metadata.values().find("tokenizer.ggml.token_type")->second);
  kinds[5] = 9;
  metadata.set("tokenizer.ggml.token_type", kinds);
  refused("[5] is 9");
}

TEST_F(GgufTokenizer, RefusesScoresThatDoNotFitTheTokens) {
  metadata.set("tokenizer.ggml.scores", std::vector<double>{1.0});
  refused("tokenizer.ggml.scores has 1 entries");
}

TEST_F(GgufTokenizer, RefusesIdsOutsideTheVocabulary) {
  metadata.set("tokenizer.ggml.eos_token_id", std::uint64_t{1'000'000});
  refused("tokenizer.ggml.eos_token_id is 1000000");
}

TEST_F(GgufTokenizer, RefusesMergesOfUnknownPieces) {
  metadata.set("tokenizer.ggml.merges", std::vector<std::string>{"a b", "nowhere near"});
  refused("tokenizer.ggml.merges");
}

TEST_F(GgufTokenizer, EndsGenerationWhereTheFileSays) {
  metadata.set("tokenizer.ggml.eos_token_id", std::uint64_t{65});
  metadata.set("tokenizer.ggml.eot_token_id", std::uint64_t{66});
  const auto tokenizer = Tokenizer::from_gguf(metadata);
  ASSERT_TRUE(tokenizer);
  EXPECT_TRUE(tokenizer->ends_generation(65));
  EXPECT_TRUE(tokenizer->ends_generation(66));
  EXPECT_TRUE(tokenizer->ends_generation(*tokenizer->find("<|im_end|>")));
  EXPECT_FALSE(tokenizer->ends_generation(67));
  EXPECT_EQ(tokenizer->vocabulary().end_of_generation.size(), 3u);
}

}  // namespace
}  // namespace premise
