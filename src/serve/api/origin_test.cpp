// A page of somebody else must not reach a server that trusts its own machine.
#include "serve/api/origin.h"

#include <gtest/gtest.h>

namespace premise {
namespace {

bool passes(std::string_view host, std::string_view origin, const OriginRules& rules = {}) {
  const auto error = check_origin(host, origin, rules);
  EXPECT_EQ(error.has_value() ? error->status : 403, 403);
  return !error;
}

TEST(Origin, NamesOfLoopbackPass) {
  for (const char* host : {"127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "127.9.9.9",
                           "localhost.:80", "app.localhost", "[0:0:0:0:0:0:0:1]"})
    EXPECT_TRUE(passes(host, "")) << host;
  EXPECT_TRUE(passes("localhost:8080", "http://localhost:5173"));
  EXPECT_TRUE(passes("localhost:8080", "https://127.0.0.1"));
  EXPECT_TRUE(passes("localhost:8080", "http://[::1]:8080"));
}

TEST(Origin, EveryOtherNameIsRefused) {
  for (const char* host :
       {"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "",
        "128.0.0.1", "0.0.0.0", "[::2]", "[::1", "[::1]x", "::1", "localhost:80x", "localhost@evil",
        "evil/localhost", "127.1", "2130706433", "0x7f.0.0.1", "::ffff:127.0.0.1"})
    EXPECT_FALSE(passes(host, "")) << host;
  for (const char* origin :
       {"http://evil.example", "null", "file://", "localhost", "http://localhost.evil.example",
        "http://localhost/path", "http://evil@localhost", "ftp://localhost", "http://",
        "chrome-extension://abc", "HTTP:// localhost"})
    EXPECT_FALSE(passes("localhost", origin)) << origin;
}

TEST(Origin, NamesThatWereAllowedPass) {
  const OriginRules rules{true, {"Premise.intra"}};
  EXPECT_TRUE(passes("premise.intra:8080", "https://premise.INTRA", rules));
  EXPECT_FALSE(passes("premise.intra.evil", "", rules));
  EXPECT_TRUE(passes("anything", "http://any.where", {true, {"*"}}));
  EXPECT_FALSE(passes("anything", "null", {true, {"*"}}));
}

TEST(Origin, BeyondLoopbackKeysDecide) {
  EXPECT_TRUE(passes("evil.example", "http://evil.example", {false, {}}));
}

}  // namespace
}  // namespace premise
