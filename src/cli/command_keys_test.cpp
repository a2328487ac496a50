#include <gmock/gmock.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/command.h"
#include "cli/local_user.h"
#include "cli/program.h"
#include "serve/gate/audit_log.h"

namespace premise {

extern const Command keys_command;

namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

struct KeysShown {
  int code = 0;
  std::string out;
  std::string err;
};

/// The command over a home of its own.
class KeysCommand : public testing::Test {
 protected:
  KeysCommand() {
    std::string name = (std::filesystem::temp_directory_path() / "premise-keys-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    home_ = name;
    ::setenv("PREMISE_HOME", home_.c_str(), 1);
  }
  ~KeysCommand() override {
    ::unsetenv("PREMISE_HOME");
    std::error_code code;
    std::filesystem::remove_all(home_, code);
  }
  KeysShown keys(std::vector<std::string> args, Language language = Language::english) {
    args.insert(args.begin(), "keys");
    char* texts[2] = {};
    std::size_t sizes[2] = {};
    std::FILE* out = open_memstream(&texts[0], &sizes[0]);
    std::FILE* err = open_memstream(&texts[1], &sizes[1]);
    const Command* const table[] = {&keys_command};
    KeysShown shown;
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
  std::filesystem::path home_;
};

TEST_F(KeysCommand, ShowsTheKeyOnceAndNeverAgain) {
  const KeysShown created = keys({"create", "--name", "alice", "--json"});
  ASSERT_EQ(created.code, 0) << created.err;
  const json document = json::parse(created.out);
  EXPECT_EQ(document["name"], "alice");
  const std::string key = document["key"];
  EXPECT_EQ(key.substr(0, 3), "sk-");
  const KeysShown listed = keys({"list", "--json"});
  EXPECT_THAT(listed.out, Not(HasSubstr(key)));
  EXPECT_THAT(keys({"list"}).out, Not(HasSubstr(key)));
  const json list = json::parse(listed.out);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["scopes"], json::array({"inference"}));
  EXPECT_EQ(list[0]["models"], json::array());
  EXPECT_TRUE(list[0]["expires"].is_null());
}

TEST_F(KeysCommand, StoresWhatWasAskedFor) {
  ASSERT_EQ(
      keys({"create", "--name",  "bob",  "--scope",   "metrics", "--scope", "admin", "--model",
            "a",      "--model", "b",    "--rpm",     "60",      "--tpm",   "1000",  "--rpd",
            "500",    "--tpd",   "9000", "--expires", "30d",     "--group", "ward"})
          .code,
      0);
  const json key = json::parse(keys({"list", "--json"}).out)[0];
  EXPECT_EQ(key["scopes"], json::array({"metrics", "admin"}));
  EXPECT_EQ(key["models"], json::array({"a", "b"}));
  EXPECT_EQ(key["requests_per_minute"], 60);
  EXPECT_EQ(key["tokens_per_minute"], 1000);
  EXPECT_EQ(key["requests_per_day"], 500);
  EXPECT_EQ(key["tokens_per_day"], 9000);
  EXPECT_EQ(key["group"], "ward");
  EXPECT_TRUE(key["expires"].is_string());
}

TEST_F(KeysCommand, RevokesByName) {
  ASSERT_EQ(keys({"create", "--name", "alice"}).code, 0);
  EXPECT_EQ(keys({"revoke", "alice"}).code, 0);
  EXPECT_THAT(keys({"list"}, Language::chinese).out, HasSubstr("已撤销"));
  const KeysShown again = keys({"revoke", "alice"});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("no working key"));
}

TEST_F(KeysCommand, TellsTheAuditLogWhoMadeAndRevokedAKey) {
  ASSERT_EQ(keys({"create", "--name", "alice", "--model", "a", "--expires", "2199-01-31"}).code, 0);
  EXPECT_NE(keys({"create", "--name", "alice"}).code, 0);
  ASSERT_EQ(keys({"revoke", "alice"}).code, 0);
  EXPECT_NE(keys({"revoke", "alice"}).code, 0);
  auto log = AuditLog::open(home_ / "gate.db");
  std::vector<AuditLine> lines;
  ASSERT_TRUE(log->for_each({},
                            [&](const AuditLine& line) {
                              lines.push_back(line);
                              return true;
                            })
                  .ok());
  ASSERT_EQ(lines.size(), 2U) << "what changed nothing leaves no line";
  for (const AuditLine& line : lines) {
    EXPECT_EQ(line.key_name, "alice");
    EXPECT_EQ(line.client, local_user());
    EXPECT_EQ(line.outcome, "complete");
    EXPECT_GT(line.time_ms, 1'700'000'000'000);
  }
  EXPECT_EQ(lines[0].action, "keys create");
  EXPECT_EQ(lines[0].reason, "scopes inference; models a; expires 2199-02-01T00:00:00Z")
      << "the last day is one of them";
  EXPECT_EQ(lines[1].action, "keys revoke");
  EXPECT_TRUE(log->verify()->whole());
}

TEST_F(KeysCommand, RefusesWrongUsage) {
  EXPECT_EQ(keys({"create"}).code, 2);
  EXPECT_EQ(keys({}).code, 2);
  EXPECT_EQ(keys({"create", "--name", "a", "--scope", "root"}).code, 2);
  EXPECT_EQ(keys({"create", "--name", "a", "--expires", "soon"}).code, 2);
  EXPECT_EQ(keys({"create", "--name", "a", "--rpm", "0"}).code, 2);
  EXPECT_EQ(keys({"create", "--name", "a\nb"}).code, 2);
  EXPECT_EQ(json::parse(keys({"list", "--json"}).out).size(), 0U);
}

}  // namespace
}  // namespace premise
