#include <gmock/gmock.h>

#include "base/hash.h"
#include "serve/gate/audit_log.h"
#include "serve/gate/gate_testing.h"

namespace premise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

LedgerEntry audit_entry(int number) {
  LedgerEntry entry;
  entry.line.time_ms = number * 1000;
  entry.line.request = fmt::format("r{}", number);
  entry.line.key_id = number % 2 + 1;
  entry.line.key_name = number % 2 == 0 ? "even" : "odd";
  entry.line.client = "127.0.0.1";
  entry.line.action = "/v1/completions";
  entry.line.model = "m";
  entry.line.prompt_tokens = number;
  entry.line.output_tokens = 5;
  entry.line.outcome = number % 3 == 0 ? "refused" : "complete";
  entry.charge = {entry.line.key_id, 20'000, 1, number + 5};
  return entry;
}

class Audit : public testing::Test {
 protected:
  AuditLog log() {
    auto opened = AuditLog::open(path);
    EXPECT_TRUE(opened.ok()) << opened.error().what.en;
    return std::move(*opened);
  }
  void fill(int from, int to) {
    std::vector<LedgerEntry> entries;
    for (int number = from; number <= to; ++number) entries.push_back(audit_entry(number));
    AuditLog open = log();
    const auto done = open.append(entries);
    ASSERT_TRUE(done.ok()) << done.error().what.en;
  }
  /// What somebody with a SQLite shell does.
  void tamper(const char* sql) {
    auto database = GateDatabase::open(path);
    ASSERT_TRUE(database->execute(sql).ok()) << sql;
  }
  AuditVerdict verdict(std::string_view noted = {}) {
    auto walked = log().verify(noted);
    EXPECT_TRUE(walked.ok()) << walked.error().what.en;
    return *walked;
  }
  std::vector<std::string> shown(const AuditFilter& filter) {
    std::vector<std::string> requests;
    EXPECT_TRUE(log()
                    .for_each(filter,
                              [&](const AuditLine& line) {
                                requests.push_back(line.request);
                                return true;
                              })
                    .ok());
    return requests;
  }
  GateFolder folder;
  std::filesystem::path path = folder / "gate.db";
};

TEST_F(Audit, OfNobodyIsWhole) {
  const AuditVerdict empty = verdict();
  EXPECT_TRUE(empty.whole());
  EXPECT_EQ(empty.checked, 0);
  EXPECT_EQ(empty.head.hash, "");
}

TEST_F(Audit, HashIsThatOfTheDocumentedFields) {
  AuditLine line;
  static_cast<AuditEntry&>(line) = audit_entry(3).line;
  line.id = 7;
  line.prompt = "中";
  EXPECT_EQ(*audit_hash("ab", line),
            *hash_of(HashKind::sha256,
                     "15:premise audit 1,2:ab,1:7,4:3000,2:r3,1:2,3:odd,9:127.0.0.1,"
                     "15:/v1/completions,1:m,1:3,1:5,7:refused,0:,3:中,0:,"));
}

TEST_F(Audit, LinesFollowEachOtherOverManyOpenings) {
  for (int round = 0; round < 5; ++round) fill(round * 10 + 1, round * 10 + 10);
  const AuditVerdict all = verdict();
  EXPECT_TRUE(all.whole()) << all.broken.en;
  EXPECT_EQ(all.checked, 50);
  EXPECT_EQ(all.head.count, 50);
}

TEST_F(Audit, UseOfADayAddsUpByKey) {
  fill(1, 4);
  const auto uses = log().day_use(20'000);
  ASSERT_EQ(uses->size(), 2U);
  EXPECT_EQ((*uses)[0].requests, 2);
  EXPECT_EQ((*uses)[0].tokens, 2 + 5 + 4 + 5);
  EXPECT_EQ((*uses)[1].tokens, 1 + 5 + 3 + 5);
  EXPECT_TRUE(log().day_use(20'001)->empty());
}

TEST_F(Audit, AnyChangeShowsAndTheFirstBrokenLineIsNamed) {
  const std::pair<const char*, const char*> harms[] = {
      {"UPDATE audit SET model = 'n' WHERE id = 4", "line 4 "},
      {"UPDATE audit SET answer = 'x' WHERE id = 4", "line 4 "},
      {"UPDATE audit SET client = '' WHERE id = 4", "line 4 "},
      {"UPDATE audit SET output_tokens = 5.5 WHERE id = 4", "line 4 "},
      {"UPDATE audit SET key_name = 'od', client = 'd' || client WHERE id = 5", "line 5 "},
      {"UPDATE audit SET hash = upper(hash) WHERE id = 4", "line 4 "},
      {"DELETE FROM audit WHERE id = 4", "line 4 is missing"},
      {"DELETE FROM audit WHERE id < 4", "lines 1 to 3 are missing"},
      {"DELETE FROM audit WHERE id > 7", "lines 8 to 9 are missing"},
      {"DELETE FROM audit WHERE id = 4; UPDATE audit SET id = id - 1 WHERE id > 4", "line 4 "},
      {"UPDATE audit SET id = -1 WHERE id = 4; UPDATE audit SET id = 4 WHERE id = 5;"
       "UPDATE audit SET id = 5 WHERE id = -1",
       "line 4 "},
      {"INSERT INTO audit SELECT 10, time_ms, request, key_id, key_name, action, model,"
       "prompt_tokens, output_tokens, outcome, reason, prompt, answer, hash, client FROM audit "
       "WHERE id = 9",
       "line 10 "},
      {"UPDATE audit_head SET hash = (SELECT hash FROM audit WHERE id = 8)", "last line, 9"},
      {"UPDATE audit_head SET count = 8", "last line, 9"},
      {"UPDATE audit_anchor SET count = 3, hash = (SELECT hash FROM audit WHERE id = 3);"
       "DELETE FROM audit WHERE id <= 3",
       "no line of the log says so"},
  };
  fill(1, 9);
  for (const auto& [sql, told] : harms) {
    std::filesystem::copy_file(path, folder / "good.db",
                               std::filesystem::copy_options::overwrite_existing);
    tamper(sql);
    EXPECT_THAT(verdict().broken.en, HasSubstr(told)) << sql;
    std::filesystem::copy_file(folder / "good.db", path,
                               std::filesystem::copy_options::overwrite_existing);
    ASSERT_TRUE(verdict().whole());
  }
}

TEST_F(Audit, HeadThatIsMissingIsAnErrorAndNothingIsAppended) {
  fill(1, 3);
  tamper("DELETE FROM audit_head");
  EXPECT_FALSE(log().verify().ok());
  EXPECT_FALSE(log().append(std::vector{audit_entry(4)}).ok());
}

TEST_F(Audit, NotedHeadIsFoundAgainUnlessTheLogWasWrittenAnew) {
  fill(1, 3);
  const std::string noted = log().head()->hash;
  fill(4, 9);
  EXPECT_TRUE(verdict(noted).noted_found);
  EXPECT_FALSE(verdict(std::string(64, '0')).noted_found);
  EXPECT_FALSE(verdict().noted_found);
}

TEST_F(Audit, IsFilteredAndShownOldestFirst) {
  fill(1, 200);  // more than a page
  EXPECT_EQ(shown({}).size(), 200U);
  AuditFilter filter;
  filter.since_ms = 10'000;
  filter.until_ms = 13'000;
  EXPECT_THAT(shown(filter), ElementsAre("r10", "r11", "r12"));
  filter = {};
  filter.key = "odd";
  filter.outcome = "refused";
  filter.newest = 3;
  EXPECT_THAT(shown(filter), ElementsAre("r183", "r189", "r195"));
  filter.model = "none";
  EXPECT_TRUE(shown(filter).empty());
}

TEST_F(Audit, StopsWhereTheVisitorHasEnough) {
  fill(1, 10);
  int seen = 0;
  ASSERT_TRUE(log().for_each({}, [&](const AuditLine&) { return ++seen < 4; }).ok());
  EXPECT_EQ(seen, 4);
}

TEST_F(Audit, PruningLeavesAChainThatHolds) {
  fill(1, 9);
  const std::string sixth = log().head()->hash;
  fill(10, 12);
  EXPECT_EQ(*log().prune(6'000, 100'000), 5);
  const AuditVerdict after = verdict();
  EXPECT_TRUE(after.whole()) << after.broken.en;
  EXPECT_EQ(after.pruned, 5);
  EXPECT_EQ(after.checked, 8);  // 6 to 12, and the line that says so
  EXPECT_TRUE(verdict(sixth).noted_found);
  fill(13, 20);
  EXPECT_EQ(*log().prune(101'000, 200'000), 16);  // the note of the first removal with the rest
  EXPECT_TRUE(verdict().whole()) << verdict().broken.en;
  EXPECT_EQ(*log().prune(6'000, 300'000), 0);
  EXPECT_EQ(shown({}).size(), 1U);
}

TEST_F(Audit, PruningKeepsALineThatIsYoungerAndAllBehindIt) {
  std::vector<LedgerEntry> entries{audit_entry(1), audit_entry(50), audit_entry(2)};
  ASSERT_TRUE(log().append(entries).ok());
  EXPECT_EQ(*log().prune(10'000, 60'000), 1);
  EXPECT_THAT(shown({}), ElementsAre("r50", "r2", ""));
}

TEST_F(Audit, PruningManyGoesInSmallTransactions) {
  fill(1, 12'000);
  EXPECT_EQ(*log().prune(11'999'000, 20'000'000), 11'998);
  const AuditVerdict after = verdict();
  EXPECT_TRUE(after.whole()) << after.broken.en;
  EXPECT_EQ(after.checked, 2 + 3);
}

TEST_F(Audit, BrokenLogIsNotPruned) {
  fill(1, 9);
  tamper("UPDATE audit SET model = 'n' WHERE id = 2");
  const auto refused = log().prune(6'000, 100'000);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().what.en, HasSubstr("line 2"));
  EXPECT_EQ(shown({}).size(), 9U);
}

TEST_F(Audit, FilesOfTheFirstSchemaGoOn) {
  fill(1, 1);
  tamper(
      "ALTER TABLE keys DROP COLUMN requests_per_day; ALTER TABLE audit DROP COLUMN client;"
      "DROP TABLE audit_anchor; DELETE FROM audit; UPDATE audit_head SET count = 0, hash = '';"
      "PRAGMA user_version = 1");
  fill(1, 3);
  EXPECT_TRUE(verdict().whole());
}

TEST(AuditKeptForm, IsPrintableUtf8OfBoundedLength) {
  AuditEntry entry;
  entry.model = "a\nb\x1b[2J\xff";
  entry.reason = std::string(1023, 'x') + "中中";
  entry.prompt = "line\nline\t中";
  entry.answer = "\xff";
  const AuditEntry kept = kept_form(entry);
  EXPECT_EQ(kept.model, "a b\\x1b[2J\\xff");
  EXPECT_EQ(kept.reason, std::string(1023, 'x') + " [cut: 1029 bytes]");
  EXPECT_EQ(kept.prompt, entry.prompt);
  EXPECT_EQ(kept.answer, "\\xff");
  entry.prompt = std::string(5 << 20, 'p');
  EXPECT_THAT(kept_form(entry).prompt, testing::EndsWith("p [cut: 5242880 bytes]"));
}

}  // namespace
}  // namespace premise
