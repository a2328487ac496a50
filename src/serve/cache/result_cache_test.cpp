#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "redis/redis_testing.h"
#include "serve/cache/answer_recorder.h"
#include "serve/cache/memory_result_cache.h"
#include "serve/cache/redis_result_cache.h"

namespace premise {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

CachedAnswer answer_of(std::string text) {
  return {{{std::move(text), {}, ChoiceEnding::stop}}, {3, 4, 0}};
}

CachedAnswer rich_answer() {
  const TokenChance chance{7, "\xE4\xBD", -0.25f};
  return {{{"你好", {{chance, 0, {chance, {9, "", -1e9f}}}, {chance, 1, {}}}, ChoiceEnding::length},
           {"", {}, ChoiceEnding::stop}},
          {12, 345, 0}};
}

std::string said(const CachedAnswer& answer) { return encode_answer(answer); }

ResultKey key_of(char c, std::size_t choices = 1) { return {std::string(64, c), choices}; }

TEST(CachedAnswer, IsReadAsItWasWritten) {
  const auto read = decode_answer(encode_answer(rich_answer()));
  ASSERT_TRUE(read.ok()) << read.error().what.en;
  EXPECT_EQ(said(*read), said(rich_answer()));
  ASSERT_EQ(read->choices.size(), 2u);
  EXPECT_EQ(read->choices[0].text, "你好");
  EXPECT_EQ(read->choices[0].ending, ChoiceEnding::length);
  ASSERT_EQ(read->choices[0].tokens.size(), 2u);
  EXPECT_EQ(read->choices[0].tokens[0].top.at(1).logprob, -1e9f);
  EXPECT_EQ(read->choices[0].tokens[1].text_offset, 1u);
  EXPECT_EQ(read->usage.prompt_tokens, 12u);
  EXPECT_EQ(read->usage.completion_tokens, 345u);
}

TEST(CachedAnswer, EveryPartOfOneIsNone) {
  const std::string whole = encode_answer(rich_answer());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(decode_answer(whole.substr(0, size)).ok()) << size;
  EXPECT_FALSE(decode_answer(whole + std::string(1, '\0')).ok());
}

TEST(CachedAnswer, AChangedByteIsAnErrorOrAnotherAnswer) {
  const std::string whole = encode_answer(rich_answer());
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const int change : {0x01, 0x80, 0xFF}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ change);
      if (const auto read = decode_answer(changed); read.ok()) {
        EXPECT_EQ(encode_answer(*read), changed);
      }
    }
}

TEST(CachedAnswer, CountsThatLieAreErrors) {
  const std::string magic = encode_answer({}).substr(0, 4);
  for (const std::string& rest :
       {std::string("\x01\x01\xFF\xFF\xFF\xFF\x7F"),         // choices
        std::string("\x01\x01\x01\x00\xFF\xFF\xFF\x7F", 8),  // bytes of text
        std::string("\x01\x01\x01\x00\x00\xFF\x7F", 7),      // tokens
        std::string("\x01\x01\x01\x02\x00\x00", 6),          // an ending that is none
        std::string("\x80\x00\x01\x00", 4),                  // a number longer than it must be
        std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F")})
    EXPECT_FALSE(decode_answer(magic + rest).ok());
  EXPECT_FALSE(decode_answer("HTTP").ok());
  EXPECT_FALSE(decode_answer(std::string(cached_answer_bytes_max + 1, 'x')).ok());
}

struct FakeTime {
  std::chrono::steady_clock::time_point now{};
  MemoryResultCache::Clock clock() {
    return [this] { return now; };
  }
};

TEST(MemoryResultCache, GivesBackWhatWasPut) {
  FakeTime time;
  MemoryResultCache cache(1 << 20, seconds(60), time.clock());
  EXPECT_FALSE(cache.find(key_of('a')));
  cache.put(key_of('a'), answer_of("one"));
  cache.put(key_of('b'), answer_of("two"));
  cache.put(key_of('a'), answer_of("three"));
  EXPECT_EQ(cache.find(key_of('a'))->choices.at(0).text, "three");
  EXPECT_EQ(cache.find(key_of('b'))->choices.at(0).text, "two");
  const auto stats = cache.stats();
  EXPECT_EQ(stats.hits, 2u);
  EXPECT_EQ(stats.misses, 1u);
  EXPECT_EQ(stats.entries, 2u);
}

TEST(MemoryResultCache, ForgetsAfterItsLifetime) {
  FakeTime time;
  MemoryResultCache cache(1 << 20, seconds(60), time.clock());
  cache.put(key_of('a'), answer_of("one"));
  time.now += milliseconds(59'999);
  EXPECT_TRUE(cache.find(key_of('a'))) << "being used does not prolong it";
  time.now += milliseconds(1);
  EXPECT_FALSE(cache.find(key_of('a')));
  EXPECT_EQ(cache.stats().entries, 0u);
  EXPECT_EQ(cache.stats().bytes, 0u);
  cache.put(key_of('a'), answer_of("one"));
  time.now += seconds(10);
  cache.set_lifetime(seconds(10));
  EXPECT_FALSE(cache.find(key_of('a'))) << "a shorter lifetime is everybody's";
}

TEST(MemoryResultCache, DropsTheLeastRecentlyUsedAndCountsExactly) {
  FakeTime time;
  const std::size_t one = encode_answer(answer_of(std::string(1000, 'x'))).size() +
                          MemoryResultCache::entry_overhead_bytes;
  MemoryResultCache cache(3 * one, seconds(60), time.clock());
  for (const char c : {'a', 'b', 'c'}) cache.put(key_of(c), answer_of(std::string(1000, 'x')));
  EXPECT_EQ(cache.stats().bytes, 3 * one);
  EXPECT_TRUE(cache.find(key_of('a')));
  cache.put(key_of('d'), answer_of(std::string(1000, 'x')));
  EXPECT_FALSE(cache.find(key_of('b'))) << "the least recently used";
  for (const char c : {'a', 'c', 'd'}) EXPECT_TRUE(cache.find(key_of(c))) << c;
  EXPECT_EQ(cache.stats().evicted, 1u);
  cache.put(key_of('e'), answer_of(std::string(2000, 'x')));
  EXPECT_LE(cache.stats().bytes, 3 * one);
  cache.put(key_of('f'), answer_of(std::string(4 * one, 'x')));
  EXPECT_FALSE(cache.find(key_of('f'))) << "larger than the whole cache";
  EXPECT_TRUE(cache.find(key_of('e'))) << "and nothing was dropped for it";
}

TEST(MemoryResultCache, BytesFollowEveryPutFindAndExpiry) {
  FakeTime time;
  MemoryResultCache cache(20'000, seconds(5), time.clock());
  std::uint64_t random = 1;
  for (int i = 0; i < 5000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const char c = static_cast<char>('a' + (random >> 33) % 26);
    const std::size_t size = (random >> 40) % 3000;
    if (random >> 63 != 0)
      cache.put(key_of(c), answer_of(std::string(size, 'x')));
    else
      cache.find(key_of(c));
    if (i % 10 == 0) time.now += milliseconds(300);
    const auto stats = cache.stats();
    ASSERT_LE(stats.bytes, 20'000u);
    ASSERT_GE(stats.bytes, stats.entries * MemoryResultCache::entry_overhead_bytes);
  }
  time.now += seconds(60);
  for (char c = 'a'; c <= 'z'; ++c) EXPECT_FALSE(cache.find(key_of(c)));
  EXPECT_EQ(cache.stats().bytes, 0u);
  EXPECT_EQ(cache.stats().entries, 0u);
}

TEST(MemoryResultCache, AnAnswerHasTheChoicesThatWereAskedFor) {
  MemoryResultCache cache(1 << 20, seconds(60));
  cache.put(key_of('a'), answer_of("one"));
  EXPECT_FALSE(cache.find(key_of('a', 2)));
}

TEST(MemoryResultCache, ThreadsShareIt) {
  MemoryResultCache cache(100'000, seconds(60));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        const char c = static_cast<char>('a' + i % 26);
        cache.put(key_of(c), answer_of(std::string(1, c)));
        if (const auto found = cache.find(key_of(c))) {
          EXPECT_EQ(found->choices.at(0).text[0], c);
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cache.stats().entries, 26u);
}

std::shared_ptr<RedisClient> redis_of(const TestRedis& server, milliseconds patience = seconds(5)) {
  auto client =
      RedisClient::open(server.url(), {.connect_timeout = patience, .command_timeout = patience});
  EXPECT_TRUE(client.ok() && (*client)->check().ok());
  return std::move(*client);
}

TEST(RedisResultCache, ServersShareAnswers) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  RedisResultCache one(redis_of(server), {}), other(redis_of(server), {});
  EXPECT_FALSE(one.find(key_of('a', 2)));
  one.put(key_of('a', 2), rich_answer());
  EXPECT_EQ(said(one.find(key_of('a', 2)).value()), said(rich_answer()))
      << "found at once: writes and reads of a server are in order";
  EXPECT_EQ(said(other.find(key_of('a', 2)).value()), said(rich_answer()));
  EXPECT_EQ(one.stats().stored, 1u);
  EXPECT_EQ(one.stats().failures + other.stats().failures, 0u);
  RedisResultCache elsewhere(redis_of(server), {.prefix = "test:"});
  EXPECT_FALSE(elsewhere.find(key_of('a', 2)));
}

TEST(RedisResultCache, AnAnswerHasItsEnd) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  const auto redis = redis_of(server);
  RedisResultCache cache(redis, {.lifetime = milliseconds(50)});
  cache.put(key_of('a'), answer_of("one"));
  EXPECT_TRUE(eventually([&] { return !cache.find(key_of('a')); }));
  cache.set_lifetime(std::chrono::hours(2));
  cache.put(key_of('a'), answer_of("one"));
  const auto left = redis->ask({"PTTL", "premise:answer:" + std::string(64, 'a')});
  EXPECT_GT(left->integer, 7'100'000);
  EXPECT_LE(left->integer, 7'200'000);
}

TEST(RedisResultCache, GarbageIsAMissAndATold) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  const auto redis = redis_of(server);
  std::vector<std::string> told;
  RedisResultCache cache(redis, {.tell = [&](bool works, const Text& why) {
                           if (!works) told.push_back(why.en);
                         }});
  const std::string name = "premise:answer:" + std::string(64, 'a');
  const std::string values[] = {"x", std::string(3'000'000, 'x'), encode_answer(rich_answer()),
                                encode_answer(answer_of("one")) + "x"};
  for (const std::string& value : values) {
    ASSERT_TRUE(redis->ask({"SET", name, value}).ok());
    EXPECT_FALSE(cache.find(key_of('a')));
  }
  ASSERT_TRUE(redis->ask({"DEL", name}).ok());
  ASSERT_TRUE(redis->ask({"RPUSH", name, "a"}).ok());
  EXPECT_FALSE(cache.find(key_of('a')));
  EXPECT_EQ(cache.stats().failures, 5u);
  ASSERT_EQ(told.size(), 1u) << "once a minute, not for each";
  EXPECT_THAT(told[0], HasSubstr("damaged"));
  cache.put(key_of('a'), answer_of("one"));
  EXPECT_TRUE(cache.find(key_of('a'))) << "the next answer is written over it";
}

TEST(RedisResultCache, ARedisThatIsGoneIsAMiss) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  std::atomic<int> down = 0, up = 0;
  RedisResultCache cache(redis_of(server),
                         {.tell = [&](bool works, const Text&) { ++(works ? up : down); }});
  cache.put(key_of('a'), answer_of("one"));
  ASSERT_TRUE(cache.find(key_of('a')));
  server.stop();
  EXPECT_FALSE(cache.find(key_of('a')));
  cache.put(key_of('b'), answer_of("two"));
  EXPECT_TRUE(eventually([&] { return cache.stats().failures >= 2; }));
  EXPECT_EQ(down, 1);
  server.start();
  EXPECT_TRUE(eventually([&] {
    cache.put(key_of('c'), answer_of("three"));
    return cache.find(key_of('c')).has_value();
  }));
  EXPECT_EQ(up, 1);
}

TEST(RedisResultCache, ARedisThatHangsCostsOneWait) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  RedisResultCache cache(redis_of(server, milliseconds(400)), {});
  server.freeze();
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(cache.find(key_of('a')));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(5));
  server.thaw();
}

}  // namespace
}  // namespace premise
