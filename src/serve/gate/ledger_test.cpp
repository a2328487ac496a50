#include "serve/gate/ledger.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <set>

#include "serve/gate/gate_testing.h"
#include "serve/gate/key_store.h"

namespace premise {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::int64_t ledger_day = 20'000;

LedgerEntry ledger_entry(std::int64_t number) {
  LedgerEntry entry;
  entry.line.time_ms = number;
  entry.line.request = std::to_string(number);
  entry.line.key_id = 1;
  entry.line.key_name = "alice";
  entry.line.action = "/v1/chat/completions";
  entry.line.outcome = "complete";
  entry.charge = {1, ledger_day, 1, 10};
  return entry;
}

class LedgerFile : public testing::Test {
 protected:
  std::unique_ptr<Ledger> open(LedgerOptions options = {}) {
    auto opened = Ledger::open(path, [] { return std::int64_t{77}; }, options);
    EXPECT_TRUE(opened.ok()) << opened.error().what.en;
    return std::move(*opened);
  }
  static Status record(Ledger& ledger, LedgerEntry entry) {
    std::promise<Status> done;
    ledger.record(std::move(entry), [&](const Status& status) { done.set_value(status); });
    return done.get_future().get();
  }
  struct OnDisk {
    std::set<std::string> requests;
    std::string loss;  // the reason of the line that tells of lost ones
    bool whole = false;
    DayUse use;
  };
  OnDisk on_disk() {
    OnDisk found;
    auto log = AuditLog::open(path);
    EXPECT_TRUE(log.ok());
    found.whole = log->verify()->whole();
    EXPECT_TRUE(log->for_each({},
                              [&](const AuditLine& line) {
                                if (line.action == "audit lost") found.loss = line.reason;
                                if (!line.request.empty()) {
                                  EXPECT_TRUE(found.requests.insert(line.request).second);
                                }
                                return true;
                              })
                    .ok());
    if (const auto uses = log->day_use(ledger_day); !uses->empty()) found.use = uses->front();
    return found;
  }
  static bool soon(const std::function<bool()>& law) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!law()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(2ms);
    }
    return true;
  }
  GateFolder folder;
  std::filesystem::path path = folder / "gate.db";
};

TEST_F(LedgerFile, EntryIsOnTheDiskWhenItsCallbackRuns) {
  const auto ledger = open();
  auto log = AuditLog::open(path);
  std::promise<std::int64_t> count;
  ledger->record(ledger_entry(1), [&](const Status& status) {
    EXPECT_TRUE(status.ok());
    count.set_value(log->head()->count);  // another connection sees it
  });
  EXPECT_EQ(count.get_future().get(), 1);
  EXPECT_EQ(ledger->head().count, 1);
  EXPECT_EQ((*ledger->day_use(ledger_day))[0].tokens, 10);
}

TEST_F(LedgerFile, WhatWaitsIsWrittenBeforeItEnds) {
  std::atomic<int> told{0};
  {
    const auto ledger = open();
    for (int number = 0; number < 500; ++number)
      ledger->record(ledger_entry(number), [&](const Status& status) { told += status.ok(); });
    ledger->record(ledger_entry(500));  // a refusal: nobody waits
  }
  EXPECT_EQ(told, 500);
  const OnDisk found = on_disk();
  EXPECT_EQ(found.requests.size(), 501U);
  EXPECT_EQ(found.use.requests, 501);
  EXPECT_TRUE(found.whole);
}

TEST_F(LedgerFile, ManyThreadsShareCommits) {
  const auto ledger = open();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < 50; ++round)
        EXPECT_TRUE(record(*ledger, ledger_entry(thread * 1000 + round)).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(on_disk().requests.size(), 400U);
  EXPECT_TRUE(on_disk().whole);
  EXPECT_LT(ledger->counts().commits, 400U);
  EXPECT_EQ(ledger->counts().written, 400U);
}

TEST_F(LedgerFile, ChargesAloneWhereNoAuditLogIsWanted) {
  const auto ledger = open();
  LedgerEntry entry = ledger_entry(1);
  entry.audited = false;
  EXPECT_TRUE(record(*ledger, entry).ok());
  EXPECT_TRUE(record(*ledger, ledger_entry(2)).ok());
  EXPECT_EQ(on_disk().requests, std::set<std::string>{"2"});
  EXPECT_EQ(on_disk().use.requests, 2);
  EXPECT_TRUE(on_disk().whole);
}

TEST_F(LedgerFile, CallbackMayRecordAnother) {
  const auto ledger = open();
  std::promise<void> done;
  ledger->record(ledger_entry(1), [&](const Status&) {
    ledger->record(ledger_entry(2), [&](const Status&) { done.set_value(); });
  });
  done.get_future().get();
  EXPECT_EQ(on_disk().requests.size(), 2U);
}

// The child tells every entry whose callback ran, as a server answers, and is killed amid it.
TEST_F(LedgerFile, KillLosesNothingThatWasAnsweredFor) {
  std::set<std::string> answered;
  for (int round = 0; round < 3; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto ledger = Ledger::open(path, [] { return std::int64_t{77}; });
      if (!ledger.ok()) ::_exit(1);
      std::vector<std::thread> threads;
      for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
          for (std::int64_t number = 0;; ++number) {
            const std::int64_t id = (round * 4 + thread) * 1'000'000 + number;
            (*ledger)->record(ledger_entry(id), [id, &ends](const Status& status) {
              if (status.ok() && ::write(ends[1], &id, sizeof id) < 0) ::_exit(1);
            });
            if (number % 16 == 0) std::this_thread::sleep_for(1ms);
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
    }
    ::close(ends[1]);
    std::int64_t id = 0;
    std::size_t heard = 0;
    while (::read(ends[0], &id, sizeof id) == sizeof id) {
      answered.insert(std::to_string(id));
      if (++heard == 500U * (round + 1)) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    const OnDisk found = on_disk();
    EXPECT_TRUE(found.whole);
    for (const std::string& request : answered) ASSERT_TRUE(found.requests.contains(request));
    EXPECT_EQ(found.use.requests, static_cast<std::int64_t>(found.requests.size()));
    EXPECT_EQ(found.use.tokens, found.use.requests * 10);
  }
  EXPECT_GE(answered.size(), 3000U);
}

TEST_F(LedgerFile, BusyDatabaseIsToldAndGotOver) {
  LedgerOptions options;
  options.busy_timeout = 30ms;
  options.retry_interval = 20ms;
  const auto ledger = open(options);
  auto other = GateDatabase::open(path);
  ASSERT_TRUE(other->execute("BEGIN IMMEDIATE").ok());
  const Status refused = record(*ledger, ledger_entry(1));
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().what.en, HasSubstr("busy"));
  EXPECT_FALSE(ledger->works());
  EXPECT_EQ(ledger->counts().lost, 1U);
  ASSERT_TRUE(other->execute("COMMIT").ok());
  ASSERT_TRUE(soon([&] { return ledger->works(); }));  // by itself
  EXPECT_TRUE(record(*ledger, ledger_entry(2)).ok());
  const OnDisk found = on_disk();
  EXPECT_EQ(found.requests, std::set<std::string>{"2"});
  EXPECT_EQ(found.use.requests, 1);
  EXPECT_THAT(found.loss, HasSubstr("1 lines could not be written since 77 ms"));
  EXPECT_TRUE(found.whole);
}

TEST_F(LedgerFile, FullDiskIsToldAndGotOver) {
  LedgerOptions options;
  options.retry_interval = 20ms;
  const auto ledger = open(options);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{256 << 10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::set<std::string> written;
  Status status;
  for (std::int64_t number = 0; status.ok() && number < 1000; ++number) {
    LedgerEntry entry = ledger_entry(number);
    entry.line.prompt = std::string(20'000, 'p');
    status = record(*ledger, std::move(entry));
    if (status.ok()) written.insert(std::to_string(number));
  }
  EXPECT_FALSE(ledger->works());
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::no_resources);
  ASSERT_TRUE(soon([&] { return ledger->works(); }));
  const OnDisk found = on_disk();
  EXPECT_EQ(found.requests, written);
  EXPECT_EQ(found.use.requests, static_cast<std::int64_t>(written.size()));
  EXPECT_THAT(found.loss, HasSubstr("1 lines"));
  EXPECT_TRUE(found.whole);
}

TEST_F(LedgerFile, QueueIsBoundedAndEverybodyIsToldOnce) {
  LedgerOptions options;
  options.waiting_max = 4;
  options.busy_timeout = 10s;
  std::atomic<int> written{0}, refused{0};
  {
    const auto ledger = open(options);
    auto other = GateDatabase::open(path);
    ASSERT_TRUE(other->execute("BEGIN IMMEDIATE").ok());
    const auto count = [&](const Status& status) { ++(status.ok() ? written : refused); };
    ledger->record(ledger_entry(0), count);
    ASSERT_TRUE(soon([&] { return ledger->counts().waiting == 0; }));  // the writer has it
    for (int number = 1; number <= 10; ++number) ledger->record(ledger_entry(number), count);
    EXPECT_EQ(ledger->counts().waiting, 4U);
    EXPECT_EQ(ledger->counts().lost, 6U);
    EXPECT_EQ(refused, 0);  // not from within record()
    ASSERT_TRUE(other->execute("COMMIT").ok());
  }
  EXPECT_EQ(written, 5);
  EXPECT_EQ(refused, 6);
  EXPECT_EQ(on_disk().requests, (std::set<std::string>{"0", "1", "2", "3", "4"}));
  EXPECT_THAT(on_disk().loss, HasSubstr("6 lines"));
}

TEST_F(LedgerFile, KeysAndPruningGoOnBesideIt) {
  const auto ledger = open();
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> next{0};
  std::vector<std::thread> clients;
  for (int thread = 0; thread < 4; ++thread) {
    clients.emplace_back([&] {
      while (!stop) EXPECT_TRUE(record(*ledger, ledger_entry(++next)).ok());
    });
  }
  auto keys = KeyStore::open(path);
  auto log = AuditLog::open(path);
  for (int round = 0; round < 20; ++round) {
    ApiKey key;
    key.name = fmt::format("k{}", round);
    key.scopes = 1;
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_TRUE(keys->create(key).ok());
    EXPECT_TRUE(*keys->revoke(key.name, 1));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
    if (round % 5 == 4) {
      EXPECT_TRUE(log->verify()->whole());
      EXPECT_TRUE(log->prune(next / 2, next).ok());
    }
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(log->verify()->whole());
  EXPECT_EQ(on_disk().use.requests, next);
}

}  // namespace
}  // namespace premise
