// Premise beside transformers: what tests/golden/make_chat_templates.py recorded.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "model/chat/chat_template.h"
#include "model/chat/json_text.h"

namespace premise {
namespace {

std::string file(const std::string& name) {
  std::ifstream in(std::string(PREMISE_SOURCE_DIR) + "/tests/golden/chat_templates/" + name);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

Value golden(const std::string& name) {
  auto value = value_from_json(file(name));
  EXPECT_TRUE(value.ok()) << name;
  return value.ok() ? std::move(value).value() : Value();
}

// Null where it is refused, as the recordings say it.
std::optional<std::string> rendered(std::string_view source, const Dict& variables) {
  const auto parsed = ChatTemplate::parse(source);
  if (!parsed) return std::nullopt;
  const auto segments = parsed->render(variables);
  if (!segments) return std::nullopt;
  std::string joined;
  for (const Segment& segment : *segments) joined += segment.text;
  return joined;
}

std::optional<std::string> expected(const Value& recorded) {
  if (recorded.is_none()) return std::nullopt;
  return recorded.string()->bytes();
}

TEST(ChatTemplateGolden, TemplatesRenderEveryConversationAsTransformersDoes) {
  const Value conversations = golden("conversations.json");
  const Value renderings = golden("renderings.json");
  ASSERT_TRUE(conversations.dict() && renderings.dict());
  std::size_t compared = 0;
  for (const auto& [name, recorded] : renderings.dict()->entries()) {
    const std::string source = file(name.string()->bytes() + ".jinja");
    for (const auto& [label, text] : recorded.dict()->entries()) {
      EXPECT_EQ(rendered(source, *conversations.dict()->find_key(label)->dict()), expected(text))
          << name.string()->bytes() << ", " << label.string()->bytes();
      ++compared;
    }
  }
  EXPECT_GE(compared, 100u);
}

TEST(ChatTemplateGolden, ExpressionsMeanWhatTheyMeanInPython) {
  const Value conversations = golden("conversations.json");
  const Value cases = golden("expressions.json");
  ASSERT_TRUE(conversations.dict() && cases.list());
  const Dict& variables = *conversations.dict()->find("expressions")->dict();
  for (const Value& row : cases.list()->items) {
    const std::string& source = row.list()->items[0].string()->bytes();
    EXPECT_EQ(rendered(source, variables), expected(row.list()->items[1])) << source;
  }
  EXPECT_GE(cases.list()->items.size(), 1000u);
}

}  // namespace
}  // namespace premise
