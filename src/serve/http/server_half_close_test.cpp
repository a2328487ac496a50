// Clients that have said all they want to say, and may have gone.
#include <future>

#include "serve/http/http_testing.h"
#include "serve/http/server.h"

namespace premise {
namespace {

using namespace premise::testing;

TEST(HttpHalfClose, AnAnswerThatIsThereAtOnceIsStillSent) {
  const auto server = serve(test_options(), echo);
  RawClient client(server->port());
  client.send(get_root + "GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
  client.end_sending();
  const std::string answers = client.read_to_end();
  EXPECT_NE(answers.find("GET / "), std::string::npos) << answers;
  EXPECT_TRUE(answers.ends_with("GET /second ")) << "also to what was sent ahead: " << answers;
}

TEST(HttpHalfClose, AnAnswerThatTakesAMomentIsStillSent) {
  std::promise<Responder> kept;
  const auto server = serve(test_options(), [&](HttpRequest, Responder responder) {
    kept.set_value(std::move(responder));
  });
  RawClient client(server->port());
  client.send(get_root);
  client.end_sending();
  Responder responder = kept.get_future().get();
  EXPECT_TRUE(eventually([&] { return responder.cancelled(); })) << "who polls is told";
  responder.send({200, {}, "late"});
  EXPECT_TRUE(client.read_to_end().ends_with("late"));
  EXPECT_EQ(server->stats().cancelled_total, 0u);
}

TEST(HttpHalfClose, WhoAsksToBeToldIsToldBeforeAndAfter) {
  std::promise<Responder> kept;
  std::promise<CancelReason> early, late;
  const auto server = serve(test_options(), [&](HttpRequest request, Responder responder) {
    if (request.path == "/early")
      responder.on_cancel([&](CancelReason reason) { early.set_value(reason); });
    kept.set_value(std::move(responder));
  });
  {
    RawClient client(server->port());
    client.send("GET /early HTTP/1.1\r\nHost: x\r\n\r\n");
    const Responder responder = kept.get_future().get();
    client.end_sending();
    EXPECT_EQ(early.get_future().get(), CancelReason::client_gone);
    EXPECT_EQ(client.read_to_end(), "");
  }
  kept = {};
  RawClient client(server->port());
  client.send(get_root);
  client.end_sending();
  Responder responder = kept.get_future().get();
  ASSERT_TRUE(eventually([&] { return responder.cancelled(); }));
  responder.on_cancel([&](CancelReason reason) { late.set_value(reason); });
  EXPECT_EQ(late.get_future().get(), CancelReason::client_gone);
  EXPECT_EQ(client.read_to_end(), "") << "the connection does not stay open";
  responder.send({200, {}, "too late"});
  EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }));
}

TEST(HttpHalfClose, AStreamIsNotBegunAndOneThatRunsEnds) {
  std::promise<Responder> kept;
  const auto server = serve(test_options(), [&](HttpRequest, Responder responder) {
    kept.set_value(std::move(responder));
  });
  RawClient client(server->port());
  client.send(get_root);
  client.end_sending();
  Responder responder = kept.get_future().get();
  ASSERT_TRUE(eventually([&] { return responder.cancelled(); }));
  StreamWriter stream = responder.stream({});
  EXPECT_FALSE(stream.write("nobody reads it"));
  EXPECT_EQ(client.read_to_end(), "");

  kept = {};
  RawClient reader(server->port());
  reader.send(get_root);
  StreamWriter begun = kept.get_future().get().stream({200, {}, "beginning"});
  EXPECT_TRUE(reader.read_until("beginning").ends_with("beginning"));
  reader.end_sending();
  EXPECT_TRUE(eventually([&] { return begun.ended(); }));
}

}  // namespace
}  // namespace premise
