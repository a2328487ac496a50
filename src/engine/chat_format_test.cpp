// What a model is given to read: equal to transformers, and safe from what people write.
#include "engine/chat_format.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace premise {
namespace {

using nlohmann::json;

json golden_file(const std::string& name) {
  std::ifstream file(std::string(PREMISE_SOURCE_DIR "/tests/golden/") + name);
  EXPECT_TRUE(file) << name;
  return json::parse(file);
}

Tokenizer tokenizer_of(const std::string& family) {
  auto made =
      Tokenizer::from_json(golden_file("tokenizer/" + family + ".json")["tokenizer"].dump());
  EXPECT_TRUE(made) << made.error().what.en;
  return std::move(made).value();
}

Metadata with_template(const std::string& source) {
  Metadata metadata;
  metadata.set("tokenizer.chat_template", source);
  return metadata;
}

ChatFormat format_of(const Metadata& metadata, const Tokenizer& tokenizer) {
  auto made = ChatFormat::from_metadata(metadata, tokenizer);
  EXPECT_TRUE(made) << made.error().what.en;
  return std::move(made).value();
}

std::vector<Message> messages_of(const json& recorded) {
  std::vector<Message> messages;
  for (const json& row : recorded) {
    Message message = Message::text(row["role"], row["content"]);
    for (const json& call : row.value("tool_calls", json::array())) {
      Dict arguments;
      for (const auto& [key, value] : call["function"]["arguments"].items())
        arguments.set(key, value.is_string() ? Value::data(value.get<std::string>())
                                             : Value(value.get<std::int64_t>()).marked(false));
      message.parts.push_back(ToolCall{"", call["function"]["name"], Value(std::move(arguments))});
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

// Compares every prompt under `recorded` ("prompts" or "guarded") with ours.
void compare(const std::string& family, const char* recorded, const char* conversations,
             std::size_t least) {
  const json golden = golden_file("chat_prompts/prompts.json");
  const Tokenizer tokenizer = tokenizer_of(family);
  std::size_t compared = 0;
  for (const auto& [name, rows] : golden[recorded][family].items()) {
    const Metadata metadata = with_template(golden["templates"][name]);
    const ChatFormat format = format_of(metadata, tokenizer);
    for (std::size_t i = 0; i < rows.size(); ++i, ++compared) {
      const auto prompt = format.prompt(messages_of(golden[conversations][i]));
      ASSERT_TRUE(prompt) << prompt.error().what.en;
      EXPECT_EQ(*prompt, rows[i].get<std::vector<TokenId>>())
          << name << ", " << golden[conversations][i] << "\n"
          << tokenizer.decode(*prompt, true);
    }
  }
  EXPECT_GE(compared, least);
}

class PromptOf : public ::testing::TestWithParam<const char*> {};

TEST_P(PromptOf, AConversationIsWhatTransformersMakesOfIt) {
  compare(GetParam(), "prompts", "conversations", 27);
}

INSTANTIATE_TEST_SUITE_P(ChatFormat, PromptOf,
                         ::testing::Values("qwen2", "llama3", "deepseek_v3", "tekken", "gpt4o",
                                           "gemma", "llama2", "mistral"),
                         [](const auto& family) { return std::string(family.param); });

class GuardedPromptOf : public ::testing::TestWithParam<const char*> {};

TEST_P(GuardedPromptOf, WhatPeopleWriteIsPlainText) {
  compare(GetParam(), "guarded", "hostile", 12);
}

INSTANTIATE_TEST_SUITE_P(ChatFormat, GuardedPromptOf,
                         ::testing::Values("qwen2", "llama3", "deepseek_v3", "tekken", "gpt4o",
                                           "gemma"),
                         [](const auto& family) { return std::string(family.param); });

class ChatFormatTest : public ::testing::Test {
 protected:
  TokenId id(std::string_view piece) const { return tokenizer.find(piece).value_or(-1); }
  const std::vector<Message> question = {Message::text("user", "Hello")};
  const Tokenizer tokenizer = tokenizer_of("llama3");
};

TEST_F(ChatFormatTest, TheTemplateAloneWritesBos) {
  ASSERT_TRUE(tokenizer.vocabulary().add_bos);
  const auto with = with_template("{{ bos_token }}{{ messages[0].content }}");
  const auto without = with_template("{{ messages[0].content }}");
  const auto prompt = format_of(with, tokenizer).prompt(question);
  const auto bare = format_of(without, tokenizer).prompt(question);
  ASSERT_TRUE(prompt && bare);
  EXPECT_EQ(prompt->front(), *tokenizer.vocabulary().bos);
  EXPECT_EQ(std::vector(prompt->begin() + 1, prompt->end()), *bare);
  EXPECT_EQ(std::count(prompt->begin(), prompt->end(), *tokenizer.vocabulary().bos), 1);
}

TEST_F(ChatFormatTest, ABaseModelGetsATranscriptAndIsKnownByIt) {
  const Metadata metadata;
  const ChatFormat format = format_of(metadata, tokenizer);
  EXPECT_TRUE(format.is_transcript());
  EXPECT_FALSE(format.takes_tools());
  EXPECT_EQ(format.stop_strings(), (std::vector<std::string>{"\nUser:", "\nAssistant:"}));
  const auto prompt = format.prompt(
      std::vector{Message::text("system", "Be brief."), Message::text("user", "Hi <|im_end|>"),
                  Message::text("assistant", " Yes.\n"), Message::text("user", "Why?")});
  ASSERT_TRUE(prompt);
  EXPECT_EQ(*prompt,
            tokenizer.encode("Be brief.\n\nUser: Hi <|im_end|>\nAssistant: Yes.\nUser: Why?\n"
                             "Assistant:",
                             {.parse_special = false}));
}

TEST_F(ChatFormatTest, AModelWithATemplateStopsAtItsTokensOnly) {
  const auto metadata = with_template("{{ messages }}");
  const ChatFormat format = format_of(metadata, tokenizer);
  EXPECT_FALSE(format.is_transcript());
  EXPECT_TRUE(format.stop_strings().empty());
  const auto stops = format.stop_tokens();
  EXPECT_NE(std::find(stops.begin(), stops.end(), id("<|im_end|>")), stops.end());
}

TEST_F(ChatFormatTest, ConversationsWithToolsGetTheTemplateForThem) {
  Metadata metadata = with_template("plain");
  metadata.set("tokenizer.chat_template.tool_use", std::string("with {{ tools[0].name }}"));
  const ChatFormat format = format_of(metadata, tokenizer);
  EXPECT_TRUE(format.takes_tools());
  Dict tool;
  tool.set("name", Value::data("x"));
  const std::vector<Value> tools = {Value(tool)};
  const std::vector<Segment> plain = {{"plain", true}}, with = {{"with ", true}, {"x", false}};
  EXPECT_EQ(*format.render(question), plain);
  EXPECT_EQ(*format.render(question, tools), with);
}

TEST_F(ChatFormatTest, ToolsAreRefusedWhereTheyWouldBeLost) {
  const std::vector<Value> tools = {Value(Dict())};
  const auto metadata = with_template("{{ messages[0].content }}");
  for (const ChatFormat& format :
       {format_of(metadata, tokenizer), ChatFormat::transcript(tokenizer)}) {
    EXPECT_FALSE(format.takes_tools());
    const auto prompt = format.prompt(question, tools);
    ASSERT_FALSE(prompt);
    EXPECT_EQ(prompt.error().code, ErrorCode::usage);
  }
}

TEST_F(ChatFormatTest, ABrokenTemplateIsNamedByItsKey) {
  const auto broken = ChatFormat::from_metadata(with_template("\n{% for %}"), tokenizer);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::bad_input);
  EXPECT_NE(broken.error().what.en.find("tokenizer.chat_template"), std::string::npos);
  EXPECT_NE(broken.error().what.en.find("line 2"), std::string::npos) << broken.error().what.en;
}

TEST_F(ChatFormatTest, OptionsReachTheTemplate) {
  const auto metadata = with_template(
      "{{ enable_thinking }}{% if add_generation_prompt %}!{% endif %}{{ strftime_now('%Y') }}");
  const ChatFormat format = format_of(metadata, tokenizer);
  ChatPromptOptions options;
  options.add_generation_prompt = false;
  options.variables.set("enable_thinking", Value(false));
  options.now = std::chrono::system_clock::time_point{} + std::chrono::hours(24 * 365);
  const auto segments = format.render(question, {}, options);
  ASSERT_TRUE(segments);
  std::string text;
  for (const Segment& segment : *segments) text += segment.text;
  EXPECT_EQ(text, "False1971");
}

}  // namespace
}  // namespace premise
