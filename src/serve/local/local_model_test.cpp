// The real engine behind the seam: what it says through the endpoint is what it says alone.
#include "engine/engine.h"
#include "model/architectures/tiny_model_testing.h"
#include "serve/local/local_endpoint_testing.h"

namespace premise {
namespace {

TEST(LocalEndpointWithAModel, SaysWhatTheEngineSays) {
  auto model = testing::tiny_model("llama");
  ASSERT_TRUE(model.ok());
  auto file = testing::tiny_file(*model);
  ASSERT_TRUE(file.ok());
  auto host = Host::create({1, "ref"});
  ASSERT_TRUE(host.ok()) << host.error().what.en;
  const EngineOptions options{64, 3, 16, {}};
  auto alone = Engine::create(*file->source, **host, options);
  auto served = Engine::create(*file->source, **host, options);
  ASSERT_TRUE(alone.ok() && served.ok());
  auto tokenizer = Tokenizer::from_json(testing::byte_tokenizer_json());
  ASSERT_TRUE(tokenizer.ok());
  const auto shared = std::make_shared<const Tokenizer>(std::move(tokenizer).value());

  const std::vector<TokenId> prompt = {5, 80, 100};
  ASSERT_TRUE((*alone)->submit({prompt, {}, 12, false, 0, {}}).ok());
  std::vector<TokenEvent> events;
  while (!(*alone)->idle()) (*alone)->step(events);
  std::vector<TokenId> expected;
  for (const TokenEvent& event : events)
    if (event.token) expected.push_back(*event.token);

  LocalEndpoint endpoint(step_engine(std::move(served).value()), shared, nullptr, {"tiny"});
  testing::Heard heard;
  GenerationRequest request;
  request.prompts = {prompt};
  request.max_tokens = 12;
  request.ignore_eos = true;
  request.logprobs = true;
  auto prepared = endpoint.prepare(request);
  ASSERT_TRUE(std::holds_alternative<PreparedRequest>(prepared));
  ASSERT_TRUE(std::holds_alternative<EndpointRequestId>(
      endpoint.submit(std::get<PreparedRequest>(std::move(prepared)), heard.listener())));
  EXPECT_EQ(heard.wait().how, Ended::How::complete);
  std::vector<TokenId> said;
  for (const GeneratedToken& token : heard.state_->tokens) said.push_back(token.token.id);
  EXPECT_EQ(said, expected);
  IncrementalDetokenizer detokenizer(*shared);
  std::string text;
  for (const TokenId id : expected) text += detokenizer.push(id);
  text += detokenizer.flush();
  EXPECT_EQ(heard.text(), text);
}

}  // namespace
}  // namespace premise
