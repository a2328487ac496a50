#include "redis/redis_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace premise {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RedisUrl, NamesHostPortDatabaseUserAndPassword) {
  const auto full = parse_redis_url("redis://alice:p%40ss%3Aword@cache.example.org:6380/12");
  ASSERT_TRUE(full.ok()) << full.error().what.en;
  EXPECT_EQ(full->user, "alice");
  EXPECT_EQ(full->password, "p@ss:word");
  EXPECT_EQ(full->host, "cache.example.org");
  EXPECT_EQ(full->port, 6380);
  EXPECT_EQ(full->database, 12u);
  EXPECT_EQ(full->place(), "cache.example.org:6380/12");

  const auto least = parse_redis_url("redis://localhost");
  ASSERT_TRUE(least.ok());
  EXPECT_EQ(least->place(), "localhost:6379/0");
  EXPECT_EQ(parse_redis_url("redis://localhost/")->database, 0u);
  EXPECT_EQ(parse_redis_url("redis://:secret@h")->password, "secret");
  EXPECT_EQ(parse_redis_url("redis://[::1]:7000/1")->place(), "[::1]:7000/1");
  EXPECT_EQ(parse_redis_url("redis://[fe80::1]")->host, "fe80::1");
}

TEST(RedisUrl, RefusesWhatNamesNoRedis) {
  const std::pair<std::string, std::string> wrong[] = {
      {"", "redis://[user"},
      {"http://h", "redis://[user"},
      {"rediss://h", "without TLS"},
      {"redis://", "no valid host"},
      {"redis://:6379", "no valid host"},
      {"redis://h h", "no valid host"},
      {"redis://h\r\nX", "no valid host"},
      {"redis://[::1", "no valid host"},
      {"redis://[::1]x", "no valid host"},
      {"redis://[zz]", "no valid host"},
      {std::string("redis://a\0b", 11), "no valid host"},
      {"redis://" + std::string(300, 'h'), "no valid host"},
      {"redis://h:0", "port"},
      {"redis://h:", "port"},
      {"redis://h:65536", "port"},
      {"redis://h:-1", "port"},
      {"redis://h:80x", "port"},
      {"redis://h/x", "database"},
      {"redis://h/0/1", "database"},
      {"redis://h/0?protocol=3", "database"},
      {"redis://h/99999999999", "database"},
      {"redis://alice@h", "no password"},
      {"redis://alice:@h", "no password"},
      {"redis://:%zz@h", "hexadecimal"},
      {"redis://:%4@h", "hexadecimal"},
      {"redis://" + std::string(5000, 'h'), "redis://[user"}};
  for (const auto& [url, said] : wrong) {
    const auto parsed = parse_redis_url(url);
    ASSERT_FALSE(parsed.ok()) << url;
    EXPECT_EQ(parsed.error().code, ErrorCode::usage);
    EXPECT_THAT(parsed.error().what.en, HasSubstr(said)) << url;
  }
}

TEST(RedisUrl, NeverRepeatsAPassword) {
  for (const char* url : {"redis://:hunter2@", "redis://:hunter2@h:0", "redis://u:hunter2@h/x",
                          "redis://:hunter2%@h", "redis://hunter2@h", "rediss://:hunter2@h"}) {
    const auto parsed = parse_redis_url(url);
    ASSERT_FALSE(parsed.ok());
    EXPECT_THAT(parsed.error().what.en + parsed.error().what.zh, Not(HasSubstr("hunter2"))) << url;
  }
  EXPECT_THAT(parse_redis_url("redis://u:hunter2@h")->place(), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace premise
