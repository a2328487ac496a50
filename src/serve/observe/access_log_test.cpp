#include "serve/observe/access_log.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace premise {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

AccessRecord an_answer() {
  AccessRecord record;
  record.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1769903999123));
  record.method = "POST";
  record.path = "/v1/chat/completions";
  record.status = 200;
  record.client = "127.0.0.1";
  record.request_id = "req-1";
  record.trace_id = "0af7651916cd43dd8448eb211c80319c";
  record.span_id = "b7ad6b7169203331";
  record.key = "alice";
  record.model = "gemma3";
  record.outcome = "complete";
  record.seconds = 1.5;
  record.prompt_tokens = 12;
  record.completion_tokens = 34;
  return record;
}

TEST(AccessLine, has_the_fields_of_the_common_schema) {
  const auto line = nlohmann::json::parse(format_access(an_answer(), AccessLogFormat::json));
  EXPECT_EQ(line.at("@timestamp"), "2026-01-31T23:59:59.123Z");
  EXPECT_EQ(line.at("log.level"), "info");
  EXPECT_EQ(line.at("ecs.version"), "8.11.0");
  EXPECT_EQ(line.at("event.duration"), 1'500'000'000);
  EXPECT_EQ(line.at("http.response.status_code"), 200);
  EXPECT_EQ(line.at("http.request.id"), "req-1");
  EXPECT_EQ(line.at("user.name"), "alice");
  EXPECT_EQ(line.at("premise.tokens.completion"), 34);
  EXPECT_FALSE(line.contains("premise.first_token.seconds"));
}

TEST(AccessLine, says_nothing_of_a_key_or_a_model_where_there_was_none) {
  AccessRecord record = an_answer();
  record.key.clear();
  record.model.clear();
  const auto line = nlohmann::json::parse(format_access(record, AccessLogFormat::json));
  EXPECT_FALSE(line.contains("user.name"));
  EXPECT_FALSE(line.contains("premise.model"));
}

TEST(AccessLine, cannot_be_forged_by_what_clients_send) {
  AccessRecord record = an_answer();
  record.path = "/x\n2026 forged\x1b[31m\xff";
  for (const AccessLogFormat format : {AccessLogFormat::json, AccessLogFormat::text}) {
    const std::string line = format_access(record, format);
    EXPECT_THAT(line, Not(HasSubstr("\n")));
    EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  }
}

class AccessFile : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/premise-access-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string content(const char* name) const {
    std::ifstream in(folder_ / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path folder_;
};

TEST_F(AccessFile, holds_what_its_level_lets_through) {
  auto log = AccessLog::open({.path = folder_ / "a.log", .level = LogLevel::warning}).value();
  AccessRecord record = an_answer();
  log.write(record);
  record.status = 404;
  log.write(record);
  const std::string text = content("a.log");
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_THAT(text, HasSubstr("\"http.response.status_code\":404"));
}

TEST_F(AccessFile, is_moved_aside_when_it_is_full) {
  auto log = AccessLog::open({.path = folder_ / "a.log", .file_bytes = 1500, .files = 2}).value();
  for (int i = 0; i < 20; ++i) log.write(an_answer());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "a.1.log"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "a.2.log"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.3.log"));
  EXPECT_LE(std::filesystem::file_size(folder_ / "a.log"), 1500u);
}

TEST_F(AccessFile, that_cannot_be_opened_is_an_error_that_names_it) {
  const auto log = AccessLog::open({.path = folder_});
  ASSERT_FALSE(log.ok());
  EXPECT_THAT(log.error().what.in(Language::english), HasSubstr(folder_.string()));
}

}  // namespace
}  // namespace premise
