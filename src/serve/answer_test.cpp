// From an endpoint's events to bytes: stages on the way, and the end that waits for the books.
#include "serve/answer.h"

#include <gmock/gmock.h>

#include "serve/http/exchange.h"
#include "serve/models/scripted_endpoint_testing.h"

namespace premise {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Lets nothing pass after the letter "l", as a filter does.
class EndsAtL final : public AnswerStage {
 public:
  void take(EndpointEvent event, std::vector<EndpointEvent>& out) override {
    if (auto* text = std::get_if<TextEvent>(&event)) {
      if (stopped_) return;
      const auto at = text->text.find('l');
      stopped_ = at != text->text.npos;
      text->text = text->text.substr(0, at);
      text->tokens.clear();
      out.push_back(std::move(event));
      if (stopped_) out.push_back(ChoiceEnd{0, ChoiceEnding::filtered});
      return;
    }
    if (auto* ended = std::get_if<Ended>(&event); ended != nullptr && stopped_)
      ended->how = Ended::How::complete;
    if (!stopped_ || std::holds_alternative<Ended>(event)) out.push_back(std::move(event));
  }
  bool wants_more() const override { return !stopped_; }

 private:
  bool stopped_ = false;
};

class AnswerTest : public ::testing::Test {
 protected:
  AnswerTest() {
    ModelTable::Options options;
    options.factory = [](const ModelSpec&) -> Result<LoadedVersion> { return LoadedVersion{}; };
    table_ = std::make_unique<ModelTable>(std::move(options));
    endpoint_ = std::make_shared<testing::ScriptedEndpoint>("m");
    table_->add({"m", "p"}, {endpoint_});
  }
  // Nobody takes the news of the last answer, and news keep their exchange alive.
  ~AnswerTest() override { wakes_->close(); }

  void run(bool stream, std::vector<std::unique_ptr<AnswerStage>> stages = {}) {
    const auto route = find_route("POST", "/v1/completions");
    GenerationCall call;
    call.stream = stream;
    call.request.prompts.emplace_back(std::string("x"));
    const std::shared_ptr<ModelUse> model = table_->use("m");
    Answer::Parts parts{
        .responder = Responder(exchange_),
        .model = model,
        .endpoint = {model, &model->endpoint()},
        .encoder = std::get<Route>(route).dialect->encode(call, {"id", 0, "m", Language::english}),
        .stages = std::move(stages),
        .request_id = "id",
        .settle =
            [this](const AnswerOutcome& outcome, Answer::Settled settled) {
              outcome_ = outcome;
              settled_ = std::move(settled);
            },
        .finished = [this](const AnswerOutcome& outcome) { finished_.push_back(outcome); }};
    auto prepared = endpoint_->prepare(call.request);
    std::make_shared<Answer>(std::move(parts))->run(std::move(std::get<PreparedRequest>(prepared)));
  }
  /// Everything that was handed to the connection so far.
  std::string sent() {
    HttpExchange::News news = exchange_->take(true);
    if (news.head) all_ += std::to_string(news.head->status) + "\n" + news.head->body;
    all_ += news.pieces;
    finished_stream_ = finished_stream_ || news.finished;
    exchange_->sent();
    return all_;
  }

  std::shared_ptr<WakeList> wakes_ = std::make_shared<WakeList>([] {});
  std::shared_ptr<HttpExchange> exchange_ = std::make_shared<HttpExchange>(wakes_, 1 << 20);
  std::shared_ptr<testing::ScriptedEndpoint> endpoint_;
  std::unique_ptr<ModelTable> table_;
  AnswerOutcome outcome_;
  Answer::Settled settled_;
  std::vector<AnswerOutcome> finished_;
  std::string all_;
  bool finished_stream_ = false;
};

TEST_F(AnswerTest, TheEndWaitsForTheBooks) {
  run(true);
  EXPECT_THAT(sent(), HasSubstr("hello"));
  EXPECT_THAT(sent(), Not(HasSubstr("[DONE]")));
  EXPECT_EQ(outcome_.usage.completion_tokens, 5u);
  EXPECT_TRUE(finished_.empty());
  settled_({});
  EXPECT_THAT(sent(), HasSubstr("[DONE]"));
  EXPECT_TRUE(finished_stream_);
  ASSERT_EQ(finished_.size(), 1u);
  EXPECT_EQ(finished_[0].outcome, "complete");
}

TEST_F(AnswerTest, AnAnswerThatCannotBeAccountedForFails) {
  run(false);
  EXPECT_EQ(sent(), "");
  settled_(error(ErrorCode::no_resources, {"the disk is full", "磁盘已满"}));
  EXPECT_THAT(sent(), HasSubstr("500"));
  EXPECT_THAT(sent(), HasSubstr("the disk is full"));
  EXPECT_EQ(finished_.at(0).outcome, "unaccounted");
  EXPECT_EQ(finished_.at(0).status, 500);
}

TEST_F(AnswerTest, AStageMayEndTheAnswerAndTheEndpointIsToldToStop) {
  std::vector<std::unique_ptr<AnswerStage>> stages;
  stages.push_back(std::make_unique<EndsAtL>());
  run(false, std::move(stages));
  settled_({});
  EXPECT_THAT(sent(), HasSubstr(R"("text":"he")"));
  EXPECT_THAT(sent(), HasSubstr("content_filter"));
}

TEST_F(AnswerTest, AClientThatLeavesCancelsAndEndsOnce) {
  endpoint_->holds = true;
  run(true);
  exchange_->cancel(CancelReason::client_gone);
  EXPECT_EQ(outcome_.outcome, "cancelled");
  settled_({});
  EXPECT_EQ(finished_.size(), 1u);
}

TEST_F(AnswerTest, HowItEndedIsToldToTheModel) {
  endpoint_->how = Ended::How::failed;
  run(false);
  settled_({});
  EXPECT_EQ(table_->find("m")->failed, 1u);
  EXPECT_EQ(table_->find("m")->ended, 1u);
}

}  // namespace
}  // namespace premise
