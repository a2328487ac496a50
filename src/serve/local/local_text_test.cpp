// What an endpoint tells: text in whole characters without stop strings, choices, counts.
#include "serve/local/local_endpoint_testing.h"

namespace premise {
namespace {

using testing::Heard;

class LocalText : public testing::LocalEndpointLaws {};

TEST_F(LocalText, TextArrivesAndTheRequestEndsOnce) {
  start();
  Heard heard;
  GenerationRequest request = raw("abc");
  request.prefix_scope = "12";
  send(request, heard);
  const Ended end = heard.wait();
  EXPECT_EQ(end.how, Ended::How::complete);
  EXPECT_EQ(heard.text(), "hello");
  EXPECT_EQ(heard.state_->endings.at(0), ChoiceEnding::stop);
  EXPECT_EQ(end.usage.prompt_tokens, 3u);
  EXPECT_EQ(end.usage.completion_tokens, 5u);
  EXPECT_EQ(end.usage.cached_tokens, 2u);
  endpoint_.reset();
  EXPECT_EQ(heard.ends(), 1u);
  EXPECT_EQ(heard.state_->after_end, 0);
  EXPECT_EQ(counter_.queues, 1u);
  EXPECT_EQ(counter_.firsts, 1u);
  EXPECT_EQ(counter_.betweens, 4u);
  EXPECT_EQ(counter_.ends, 1u);
  EXPECT_EQ(counter_.tokens, 5u);
}

TEST_F(LocalText, WhatAnEngineHasIsToldBeforeTheFirstRequest) {
  start();
  EXPECT_EQ(counter_.blocks_total, 64u);
}

TEST_F(LocalText, PiecesAreWholeCharacters) {
  engine_->script = [](const StepRequest&) { return std::string("a中文é\xe4\xb8"); };
  start();
  Heard heard;
  send(raw("x"), heard);
  heard.wait();
  const std::vector<std::string> pieces = {"a", "中", "文", "é", "\xef\xbf\xbd"};
  EXPECT_EQ(heard.state_->pieces, pieces);
}

TEST_F(LocalText, StopStringsAreCutOutAcrossTokens) {
  engine_->script = [](const StepRequest&) { return std::string("one STAY two STOP three"); };
  start();
  Heard heard;
  GenerationRequest request = raw("x");
  request.stop = {"STOP"};
  request.logprobs = true;
  request.top_logprobs = 2;
  send(request, heard);
  EXPECT_EQ(heard.wait().how, Ended::How::complete);
  EXPECT_EQ(heard.text(), "one STAY two ");
  EXPECT_EQ(heard.state_->endings.at(0), ChoiceEnding::stop);
  std::string told;
  for (const GeneratedToken& token : heard.state_->tokens) {
    EXPECT_EQ(token.text_offset, told.size());
    EXPECT_EQ(token.top.size(), 2u);
    told += token.token.bytes;
  }
  EXPECT_EQ(told, "one STAY two ") << "tokens told are those of the text told";
}

TEST_F(LocalText, TheLongestAnswerEndsByLength) {
  start();
  Heard heard;
  GenerationRequest request = raw("x");
  request.max_tokens = 2;
  request.echo = true;
  send(request, heard);
  const Ended end = heard.wait();
  EXPECT_EQ(heard.text(), "xhe");
  EXPECT_EQ(end.usage.completion_tokens, 2u);
  EXPECT_EQ(heard.state_->endings.at(0), ChoiceEnding::length);
  Heard none;
  request.max_tokens = 0;
  send(request, none);
  EXPECT_EQ(none.wait().how, Ended::How::complete);
  EXPECT_EQ(none.text(), "x") << "with nothing to generate the prompt alone comes back";
}

TEST_F(LocalText, ChoicesAreNumberedPromptByPromptAndSeeded) {
  engine_->script = [](const StepRequest& request) {
    return std::string(1, static_cast<char>(request.request.prompt.at(0))) +
           std::to_string(request.request.sampling.seed);
  };
  start();
  Heard heard;
  GenerationRequest request = raw("a");
  request.prompts.push_back(std::vector<TokenId>{'b'});
  request.choices = 2;
  request.seed = 7;
  send(request, heard);
  const Ended end = heard.wait();
  EXPECT_EQ(heard.text(0) + heard.text(1) + heard.text(2) + heard.text(3), "a7a8b7b8");
  EXPECT_EQ(end.usage.prompt_tokens, 2u);
}

TEST_F(LocalText, WithoutASeedAnswersDiffer) {
  start();
  Heard first, second;
  send(raw("x"), first);
  first.wait();
  send(raw("x"), second);
  second.wait();
  EXPECT_NE(seen_->at(0).request.sampling.seed, seen_->at(1).request.sampling.seed);
}

TEST_F(LocalText, AConversationBringsItsOwnStops) {
  engine_->script = [](const StepRequest&) { return std::string("fine\nuser: and you?"); };
  start();
  Heard heard;
  send(chat("hi"), heard);
  heard.wait();
  EXPECT_EQ(heard.text(), "fine");
  const std::vector<TokenId> stops = {256, '%'};
  EXPECT_EQ(seen_->at(0).request.stop_tokens, stops);
  Heard on;
  GenerationRequest request = chat("hi");
  request.ignore_eos = true;
  send(request, on);
  on.wait();
  EXPECT_TRUE(seen_->at(1).request.stop_tokens.empty());
  EXPECT_EQ(refusal(chat("hi", "nobody")).param, "messages");
}

}  // namespace
}  // namespace premise
