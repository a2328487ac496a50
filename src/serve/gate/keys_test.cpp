#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "serve/gate/gate_testing.h"
#include "serve/gate/key_ring.h"

namespace premise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t test_now = 1'800'000'000;  // 2027-01-15 08:00 UTC

ApiKey wanted_key(std::string name) {
  ApiKey key;
  key.name = std::move(name);
  key.scopes = static_cast<unsigned>(Scope::inference);
  key.created = test_now;
  return key;
}

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

class Keys : public testing::Test {
 protected:
  KeyStore store() {
    auto opened = KeyStore::open(path);
    EXPECT_TRUE(opened.ok()) << opened.error().what.en;
    return std::move(*opened);
  }
  std::unique_ptr<KeyRing> ring(bool watch = false) {
    auto opened = KeyRing::open(path, [this] { return now.load(); }, watch);
    EXPECT_TRUE(opened.ok()) << opened.error().what.en;
    return std::move(*opened);
  }
  GateFolder folder;
  std::filesystem::path path = folder / "gate.db";
  std::atomic<std::int64_t> now{test_now};
};

TEST(KeySecret, HasTwoHundredBitsAndNoTwoAreAlike) {
  std::set<std::string> seen;
  std::set<char> letters;
  for (int round = 0; round < 200; ++round) {
    const auto secret = make_secret();
    ASSERT_TRUE(secret.ok());
    EXPECT_EQ(secret->size(), 3U + 40U);
    EXPECT_EQ(secret->substr(0, 3), "sk-");
    letters.insert(secret->begin() + 3, secret->end());
    EXPECT_TRUE(seen.insert(*secret).second);
  }
  EXPECT_EQ(letters.size(), 32U);  // every letter of base32 turns up
}

TEST(KeyExpiry, IsASpanADateOrNever) {
  EXPECT_EQ(*parse_expiry("30d", test_now), test_now + 30 * 86400);
  EXPECT_EQ(*parse_expiry("12h", test_now), test_now + 12 * 3600);
  EXPECT_EQ(*parse_expiry("90m", test_now), test_now + 90 * 60);
  EXPECT_EQ(*parse_expiry("never", test_now), 0);
  EXPECT_EQ(*parse_expiry("2027-01-15", test_now), 1'800'057'600);  // date -ud 2027-01-16 +%s
  EXPECT_EQ(*parse_expiry("2028-02-29", test_now), 1'835'481'600);
}

TEST(KeyExpiry, RefusesWhatIsNoTimeToCome) {
  for (const char* bad : {"", "d", "0d", "-1d", "1.5h", "30", "30 d", "2027-02-29", "2027-13-01",
                          "2020-01-01", "99999999999999999999d", "9223372036854775807d", "1w"})
    EXPECT_FALSE(parse_expiry(bad, test_now).ok()) << bad;
}

TEST(KeyScopes, AreNamedAndUnknownOnesRefused) {
  EXPECT_EQ(scope_names(*parse_scopes({"admin", "inference", "admin"})), "inference,admin");
  const auto bad = parse_scopes({"root\x1b"});
  ASSERT_FALSE(bad.ok());
  EXPECT_THAT(bad.error().what.en, HasSubstr("root\\x1b"));
}

TEST_F(Keys, AreStoredOnlyAsHashes) {
  const auto created = store().create(wanted_key("alice"));
  ASSERT_TRUE(created.ok());
  for (const char* file : {"gate.db", "gate.db-wal"})
    EXPECT_THAT(file_bytes(folder / file), Not(HasSubstr(created->secret.substr(3)))) << file;
}

TEST_F(Keys, LieInAFileOfTheirOwnersAlone) {
  KeyStore open = store();
  ASSERT_TRUE(open.create(wanted_key("alice")).ok());
  for (const char* file : {"gate.db", "gate.db-wal"}) {
    struct stat status{};
    ASSERT_EQ(::stat((folder / file).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << file;
  }
}

TEST_F(Keys, ComeBackAsTheyWereMade) {
  ApiKey key = wanted_key("爱丽丝");
  key.group = "ward 3";
  key.scopes = *parse_scopes({"inference", "metrics"});
  key.models = {"qwen", "gemma3:270m-base"};
  key.limits = {60, 10'000, 1'000'000, 500};
  key.expires = test_now + 5;
  ASSERT_TRUE(store().create(key).ok());
  const auto listed = store().list();
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->size(), 1U);
  const ApiKey& found = listed->front();
  EXPECT_EQ(found.name, "爱丽丝");
  EXPECT_EQ(found.group, "ward 3");
  EXPECT_EQ(scope_names(found.scopes), "inference,metrics");
  EXPECT_THAT(found.models, ElementsAre("qwen", "gemma3:270m-base"));
  EXPECT_EQ(found.limits.requests_per_minute, 60);
  EXPECT_EQ(found.limits.tokens_per_minute, 10'000);
  EXPECT_EQ(found.limits.tokens_per_day, 1'000'000);
  EXPECT_EQ(found.limits.requests_per_day, 500);
  EXPECT_EQ(found.expires, test_now + 5);
  EXPECT_TRUE(found.may_use("qwen"));
  EXPECT_FALSE(found.may_use("qwen2"));
}

TEST_F(Keys, WithHostileNamesAreRefused) {
  for (const std::string& name :
       {std::string(), std::string(" a"), std::string("a\nb"), std::string("a\0b", 3),
        std::string("\xff\xfe"), std::string(129, 'x'),
        std::string("a\xe2\x80\xae"
                    "b")}) {
    EXPECT_FALSE(store().create(wanted_key(name)).ok()) << name;
  }
  EXPECT_TRUE(store().create(wanted_key("x'); DROP TABLE keys; --")).ok());
  EXPECT_EQ(store().list()->size(), 1U);
}

TEST_F(Keys, NameIsTakenUntilItsKeyIsRevoked) {
  ASSERT_TRUE(store().create(wanted_key("alice")).ok());
  EXPECT_FALSE(store().create(wanted_key("alice")).ok());
  EXPECT_TRUE(*store().revoke("alice", test_now));
  EXPECT_FALSE(*store().revoke("alice", test_now));
  EXPECT_TRUE(store().create(wanted_key("alice")).ok());
  EXPECT_EQ(store().list()->size(), 2U);
}

TEST_F(Keys, OpenForTheirSecretOnly) {
  const auto created = store().create(wanted_key("alice"));
  const auto open = ring();
  const KeyAnswer answer = open->find(created->secret);
  ASSERT_TRUE(answer.key);
  EXPECT_EQ(answer.key->name, "alice");
  std::string other = created->secret;
  other.back() = other.back() == 'a' ? 'b' : 'a';
  for (const std::string& wrong : {std::string(), other, created->secret + "a",
                                   created->secret.substr(0, 42), std::string(1 << 20, 'x')}) {
    EXPECT_FALSE(open->find(wrong).key);
    EXPECT_EQ(open->find(wrong).refusal, KeyRefusal::unknown);
  }
}

TEST_F(Keys, ExpireToTheSecond) {
  ApiKey key = wanted_key("alice");
  key.expires = test_now + 10;
  const auto created = store().create(key);
  const auto open = ring();
  now = test_now + 9;
  EXPECT_TRUE(open->find(created->secret).key);
  now = test_now + 10;
  EXPECT_EQ(open->find(created->secret).refusal, KeyRefusal::expired);
}

TEST_F(Keys, RevokedByAnotherConnectionSoonStop) {
  const auto open = ring(/*watch=*/true);
  const auto created = store().create(wanted_key("alice"));
  const auto becomes = [&](bool works) {
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(5);  // half of one, unless loaded
    while ((open->find(created->secret).key != nullptr) != works) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  };
  EXPECT_TRUE(becomes(true));
  ASSERT_TRUE(*store().revoke("alice", test_now));
  EXPECT_TRUE(becomes(false));
}

TEST_F(Keys, AreKnownByNameAlsoOnceTheyAreRevoked) {
  const auto alice = store().create(wanted_key("alice"));
  const auto open = ring();
  EXPECT_EQ(open->name_of(alice->key.id), "alice");
  EXPECT_EQ(open->name_of(alice->key.id + 1), "");
  const auto bob = store().create(wanted_key("bob"));
  ASSERT_TRUE(*store().revoke("alice", test_now));
  ASSERT_TRUE(open->refresh().ok());
  EXPECT_EQ(open->name_of(alice->key.id), "alice") << "what runs for it is accounted for";
  EXPECT_EQ(open->name_of(bob->key.id), "bob");
}

TEST_F(Keys, RememberTheirLastUse) {
  const auto created = store().create(wanted_key("alice"));
  const auto open = ring();
  now = test_now + 77;
  ASSERT_TRUE(open->find(created->secret).key);
  EXPECT_EQ(store().list()->front().last_used, 0);  // not for every request
  ASSERT_TRUE(open->write_last_uses().ok());
  EXPECT_EQ(store().list()->front().last_used, test_now + 77);
}

TEST_F(Keys, DamagedFileIsRefusedAndLeftAsItIs) {
  std::string garbage(8192, 'x');
  std::ofstream(path, std::ios::binary) << garbage;
  const auto opened = KeyStore::open(path);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::bad_input);
  EXPECT_THAT(opened.error().what.en, HasSubstr("gate.db"));
  EXPECT_EQ(file_bytes(path), garbage);
}

TEST_F(Keys, FileOfANewerProgramIsRefused) {
  {
    auto database = GateDatabase::open(path);
    ASSERT_TRUE(database->execute("PRAGMA user_version = 99").ok());
  }
  const auto opened = KeyStore::open(path);
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().what.en, HasSubstr("newer"));
}

}  // namespace
}  // namespace premise
