#include <gmock/gmock.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/command.h"
#include "cli/program.h"
#include "serve/gate/audit_log.h"

namespace premise {

extern const Command audit_command;

namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

struct AuditShown {
  int code = 0;
  std::string out;
  std::string err;
};

/// The command over a home of its own with three lines of 2027-01-15, an hour apart from 08:00 on.
class AuditCommand : public testing::Test {
 protected:
  AuditCommand() {
    std::string name = (std::filesystem::temp_directory_path() / "premise-audit-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    home_ = name;
    ::setenv("PREMISE_HOME", home_.c_str(), 1);
    std::vector<LedgerEntry> entries(3);
    for (int index = 0; index < 3; ++index) {
      AuditEntry& line = entries[index].line;
      line.time_ms = (std::int64_t{1'800'000'000} + index * 3600) * 1000;
      line.request = fmt::format("r{}", index + 1);
      line.key_name = index == 1 ? "bob" : "alice";
      line.action = "/v1/completions";
      line.model = "m";
      line.outcome = index == 2 ? "refused" : "complete";
      line.prompt = index == 0 ? "a\nb\x1b" : "";
    }
    EXPECT_TRUE(AuditLog::open(home_ / "gate.db")->append(entries).ok());
  }
  ~AuditCommand() override {
    ::unsetenv("PREMISE_HOME");
    std::error_code code;
    std::filesystem::remove_all(home_, code);
  }
  AuditShown audit(std::vector<std::string> args, Language language = Language::english) {
    args.insert(args.begin(), "audit");
    char* texts[2] = {};
    std::size_t sizes[2] = {};
    std::FILE* out = open_memstream(&texts[0], &sizes[0]);
    std::FILE* err = open_memstream(&texts[1], &sizes[1]);
    const Command* const table[] = {&audit_command};
    AuditShown shown;
    {
      Console console(out, err, language);
      shown.code = run(std::move(args), console, table);
    }
    std::fclose(out);
    std::fclose(err);
    shown.out.assign(texts[0], sizes[0]);
    shown.err.assign(texts[1], sizes[1]);
    std::free(texts[0]);
    std::free(texts[1]);
    return shown;
  }
  std::string requests(std::vector<std::string> args) {
    args.insert(args.begin(), "export");
    const AuditShown shown = audit(args);
    EXPECT_EQ(shown.code, 0) << shown.err;
    std::istringstream lines(shown.out);
    std::string line, all;
    while (std::getline(lines, line)) all += std::string(json::parse(line)["request"]) + " ";
    return all;
  }
  void tamper(const char* sql) {
    ASSERT_TRUE(GateDatabase::open(home_ / "gate.db")->execute(sql).ok());
  }
  std::filesystem::path home_;
};

TEST_F(AuditCommand, ListsOldestFirst) {
  const AuditShown shown = audit({"list"});
  EXPECT_EQ(shown.code, 0);
  EXPECT_THAT(shown.out, HasSubstr("2027-01-15T08:00:00.000Z  alice"));
  EXPECT_LT(shown.out.find("08:00:00"), shown.out.find("10:00:00"));
  EXPECT_THAT(audit({"list"}, Language::chinese).out, HasSubstr("密钥"));
}

TEST_F(AuditCommand, ExportsEveryField) {
  const std::string out = audit({"export", "--limit", "3"}).out;
  const json line = json::parse(out.substr(0, out.find('\n')));
  EXPECT_EQ(line["id"], 1);
  EXPECT_EQ(line["time_ms"], 1'800'000'000'000);
  EXPECT_EQ(line["prompt"], "a\nb\x1b");
  EXPECT_EQ(std::string(line["hash"]).size(), 64U);
  const json list = json::parse(audit({"list", "--json"}).out);
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0], line);
  EXPECT_EQ(audit({"list", "--json", "--key", "nobody"}).out, "[]\n");
}

TEST_F(AuditCommand, Filters) {
  EXPECT_EQ(requests({"--key", "alice"}), "r1 r3 ");
  EXPECT_EQ(requests({"--outcome", "complete", "--limit", "1"}), "r2 ");
  EXPECT_EQ(requests({"--since", "2027-01-15T09:00:00Z"}), "r2 r3 ");
  EXPECT_EQ(requests({"--until", "2027-01-15T09:00:00Z"}), "r1 ");
  EXPECT_EQ(requests({"--since", "2027-01-16"}), "");
  EXPECT_EQ(requests({"--model", "m"}), "r1 r2 r3 ");
}

TEST_F(AuditCommand, VerifiesAndFindsANotedHead) {
  EXPECT_EQ(audit({"verify"}).code, 0);
  const std::string head = json::parse(audit({"head", "--json"}).out)["head"];
  EXPECT_EQ(audit({"head"}).out, "3 " + head + "\n");
  EXPECT_EQ(audit({"verify", "--head", head}).code, 0);
  const AuditShown gone = audit({"verify", "--head", std::string(64, '0')});
  EXPECT_EQ(gone.code, 1);
  EXPECT_THAT(gone.err, HasSubstr("noted head is not in it"));
}

TEST_F(AuditCommand, NamesTheBrokenLine) {
  tamper("UPDATE audit SET outcome = 'complete' WHERE id = 3");
  const AuditShown shown = audit({"verify"});
  EXPECT_EQ(shown.code, 1);
  EXPECT_THAT(shown.err, HasSubstr("line 3 "));
  const AuditShown as_json = audit({"verify", "--json"});
  EXPECT_EQ(as_json.code, 1);
  const json verdict = json::parse(as_json.out);
  EXPECT_EQ(verdict["whole"], false);
  EXPECT_EQ(verdict["checked"], 2);
  EXPECT_THAT(audit({"verify"}, Language::chinese).err, HasSubstr("第 3 行"));
}

TEST_F(AuditCommand, PrunesAndStillVerifies) {
  EXPECT_EQ(audit({"prune", "--before", "9999-01-01"}).code, 2);  // in the future
  tamper("DELETE FROM audit; UPDATE audit_head SET count = 0, hash = ''");
  std::vector<LedgerEntry> entries(2);
  entries[0].line.time_ms = 1;
  entries[1].line.time_ms = 86'400'000;
  ASSERT_TRUE(AuditLog::open(home_ / "gate.db")->append(entries).ok());
  const AuditShown pruned = audit({"prune", "--before", "1970-01-02", "--json"});
  EXPECT_EQ(pruned.code, 0) << pruned.err;
  EXPECT_EQ(json::parse(pruned.out)["removed"], 1);
  EXPECT_THAT(audit({"verify"}).err, HasSubstr("line 1 was pruned"));
}

TEST_F(AuditCommand, RefusesWrongUsage) {
  EXPECT_EQ(audit({}).code, 2);
  EXPECT_EQ(audit({"prune"}).code, 2);
  EXPECT_EQ(audit({"verify", "--head", "xyz"}).code, 2);
  EXPECT_EQ(audit({"verify", "--head", ""}).code, 2);  // an unset variable of a script
  EXPECT_EQ(audit({"list", "--since", ""}).code, 2);
  for (const char* time : {"", "yesterday", "2027-02-29", "2027-1-1", "2027-01-31T12:00:00",
                           "2027-01-31T24:00:00Z", "2027-01-31 12:00:00Z", "-027-01-31"})
    EXPECT_EQ(audit({"prune", "--before", time}).code, 2) << time;
}

TEST_F(AuditCommand, MakesNothingWhereThereIsNoLog) {
  ::setenv("PREMISE_HOME", (home_ / "elsewhere").c_str(), 1);
  EXPECT_EQ(audit({"verify"}).code, 1);
  EXPECT_FALSE(std::filesystem::exists(home_ / "elsewhere"));
}

}  // namespace
}  // namespace premise
