#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/command.h"
#include "cli/program.h"

namespace premise {

extern const Command inspect_command;

namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Shown {
  int code = 0;
  std::string out;
  std::string err;
};

Shown inspect(std::vector<std::string> args, Language language = Language::english) {
  args.insert(args.begin(), "inspect");
  char* texts[2] = {};
  std::size_t sizes[2] = {};
  std::FILE* out = open_memstream(&texts[0], &sizes[0]);
  std::FILE* err = open_memstream(&texts[1], &sizes[1]);
  const Command* const table[] = {&inspect_command};
  Shown outcome;
  {
    Console console(out, err, language);
    outcome.code = run(std::move(args), console, table);
  }
  std::fclose(out);
  std::fclose(err);
  outcome.out.assign(texts[0], sizes[0]);
  outcome.err.assign(texts[1], sizes[1]);
  std::free(texts[0]);
  std::free(texts[1]);
  return outcome;
}

std::string golden(const std::string& name) {
  return PREMISE_SOURCE_DIR "/tests/golden/gguf/" + name + ".gguf";
}

TEST(Inspect, ShowsMetadataTensorsAndTotals) {
  const Shown shown = inspect({golden("split-00003-of-00003")});
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, AllOf(HasSubstr("gguf version 3"), HasSubstr("5 tensors, 960 parameters"),
                               HasSubstr("split-00001-of-00003.gguf  736 B"),
                               HasSubstr("test.block_count      u32     2\n"),
                               HasSubstr("blk.4.weight  q8_0  [3, 64]  204 B\n")));
  EXPECT_EQ(shown.err, "");
}

TEST(Inspect, SpeaksChinese) {
  EXPECT_THAT(inspect({golden("tensors")}, Language::chinese).out, HasSubstr("个张量"));
}

TEST(Inspect, PrintsOneJsonDocument) {
  const Shown shown = inspect({golden("vocabulary-only"), "--json"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  const auto document = nlohmann::json::parse(shown.out);
  EXPECT_EQ(document["format"], "gguf");
  EXPECT_EQ(document["version"], 3);
  EXPECT_EQ(document["parameters"], 0);
  EXPECT_EQ(document["metadata"]["general.architecture"], "test");
  const auto& tokens = document["metadata"]["tokenizer.ggml.tokens"];
  EXPECT_EQ(tokens["type"], "string");
  EXPECT_EQ(tokens["count"], 300);
  EXPECT_EQ(tokens["first"][1], "<token 1>");
}

TEST(Inspect, GivesShapesRowMajor) {
  const auto document = nlohmann::json::parse(inspect({golden("tensors"), "--json"}).out);
  for (const auto& tensor : document["tensors"]) {
    if (tensor["name"] == "rank.4") {
      EXPECT_EQ(tensor["shape"], nlohmann::json({2, 3, 1, 4}));
    }
  }
  EXPECT_GT(document["tensors"].size(), 30u);
}

TEST(Inspect, ADamagedFileIsABadInput) {
  const Shown shown = inspect({PREMISE_SOURCE_DIR "/fuzz/corpus/gguf/nested-array"});
  EXPECT_EQ(shown.code, 3);
  EXPECT_EQ(shown.out, "");
  EXPECT_THAT(shown.err, HasSubstr("arrays of arrays are not supported"));
}

}  // namespace
}  // namespace premise
