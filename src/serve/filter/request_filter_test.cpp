#include "serve/filter/request_filter.h"

#include <gmock/gmock.h>

namespace premise {
namespace {

using testing::HasSubstr;
using testing::Not;

WordList asked_words(const std::string& lines) {
  const WordText file{"list", lines};
  return *WordList::parse({&file, 1});
}

GenerationRequest conversation(std::vector<std::string> parts) {
  Message message{"user", {}};
  for (std::string& part : parts) message.parts.emplace_back(TextPart{std::move(part)});
  GenerationRequest request;
  request.prompts.emplace_back(Conversation{{std::move(message)}});
  return request;
}

const std::string& part_of(const GenerationRequest& request, std::size_t index) {
  const auto& message = std::get<Conversation>(request.prompts.at(0)).messages.at(0);
  return std::get<TextPart>(message.parts.at(index)).text;
}

TEST(RequestFilter, RejectsWithoutChangingAnything) {
  GenerationRequest request = conversation({"tell the SECRET"});
  const auto found = filter_request(asked_words("secret"), FilterAction::reject, request);
  EXPECT_TRUE(found.rejected);
  EXPECT_EQ(found.matches, 1u);
  EXPECT_EQ(part_of(request, 0), "tell the SECRET");
}

TEST(RequestFilter, LetsPassWhatHoldsNoWord) {
  GenerationRequest request = conversation({"secrets", "class"});
  const auto found = filter_request(asked_words("secret\nass"), FilterAction::reject, request);
  EXPECT_FALSE(found.rejected);
  EXPECT_EQ(found.matches, 0u);
}

TEST(RequestFilter, MasksEveryTextAPersonWrote) {
  GenerationRequest request = conversation({"a secret"});
  auto& message = std::get<Conversation>(request.prompts[0]).messages[0];
  message.reasoning = "secret";
  message.name = "secret 2";
  request.prompts.emplace_back(std::string("raw secret"));
  const auto found = filter_request(asked_words("secret"), FilterAction::mask, request);
  EXPECT_FALSE(found.rejected);
  EXPECT_EQ(found.matches, 4u);
  EXPECT_EQ(part_of(request, 0), "a ******");
  EXPECT_EQ(std::get<Conversation>(request.prompts[0]).messages[0].reasoning, "******");
  EXPECT_EQ(std::get<Conversation>(request.prompts[0]).messages[0].name, "****** 2");
  EXPECT_EQ(std::get<std::string>(request.prompts[1]), "raw ******");
}

TEST(RequestFilter, FindsAWordSplitOverTheTextPartsOfAMessage) {
  GenerationRequest request = conversation({"说法", "轮", "功了"});
  const auto words = asked_words("法轮功");
  EXPECT_TRUE(filter_request(words, FilterAction::reject, request).rejected);
  filter_request(words, FilterAction::mask, request);
  EXPECT_EQ(part_of(request, 0), "说*");
  EXPECT_EQ(part_of(request, 1), "*");
  EXPECT_EQ(part_of(request, 2), "*了");
}

TEST(RequestFilter, LoggingCounts) {
  GenerationRequest request = conversation({"secret secret"});
  const auto found = filter_request(asked_words("secret"), FilterAction::log, request);
  EXPECT_FALSE(found.rejected);
  EXPECT_EQ(found.matches, 2u);
  EXPECT_EQ(part_of(request, 0), "secret secret");
}

TEST(RequestFilter, SaysWhichPromptsItCannotRead) {
  GenerationRequest request;
  request.prompts = {std::vector<TokenId>{1, 2}, std::string("text"), std::vector<TokenId>{3}};
  EXPECT_EQ(filter_request(asked_words("x"), FilterAction::mask, request).unread_prompts, 2u);
}

TEST(RequestFilter, TheClientIsNotToldTheWord) {
  EXPECT_THAT(rejected_request_text().en, Not(HasSubstr("{")));
  EXPECT_FALSE(rejected_request_text().zh.empty());
}

}  // namespace
}  // namespace premise
