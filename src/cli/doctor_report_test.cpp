#include "cli/doctor_report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/help.h"

namespace premise {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

DoctorReport example() {
  DoctorReport report;
  report.findings = {
      ok("os.kernel", std::string("6.1"), text({"Linux 6.1", "Linux 内核 6.1"})),
      warning(
          "os.nofile", std::int64_t{1024},
          text({"1024 open files: every connection of a client is one, so that a service refuses "
                "clients early",
                "只能打开 1024 个文件：每个客户端连接占用一个，服务会过早拒绝连接"}),
          command_line("ulimit -n 65536")),
      info("gpu.cards", {}, text({"no GPU\x1b[2J found", "未找到 GPU"})),
      failure("cpu.isa", false, text({"no AVX2", "没有 AVX2"}), text({"another one", "换一台"}))};
  sort_by_area(report.findings);
  return report;
}

TEST(DoctorReport, joins_areas_in_the_order_of_the_page) {
  const std::string page = doctor_page(example(), Language::english, {});
  EXPECT_LT(page.find("Operating system"), page.find("Processor"));
  EXPECT_LT(page.find("Processor"), page.find("GPU"));
  EXPECT_THAT(page, HasSubstr("4 findings; failures: 1, warnings: 1"));
}

TEST(DoctorReport, a_pipe_gets_one_line_a_finding_without_color) {
  const std::string page = doctor_page(example(), Language::english, {});
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));  // nor what a finding's text smuggles in
  EXPECT_THAT(page, HasSubstr("  warning  os.nofile  1024 open files: every connection of a client "
                              "is one, so that a service refuses clients early\n"));
  EXPECT_THAT(page, HasSubstr("\n                      → ulimit -n 65536\n"));
}

TEST(DoctorReport, a_terminal_gets_color_and_lines_that_fit) {
  for (const Language language : {Language::english, Language::chinese}) {
    const std::string page = doctor_page(example(), language, {.color = false, .columns = 70});
    std::size_t begin = 0;
    while (begin < page.size()) {
      const std::size_t end = page.find('\n', begin);
      EXPECT_LE(display_width(page.substr(begin, end - begin)), 70u);
      begin = end + 1;
    }
  }
  EXPECT_THAT(doctor_page(example(), Language::english, {.color = true, .columns = 80}),
              HasSubstr("\x1b[33mwarning\x1b[0m"));
}

TEST(DoctorReport, json_has_the_fields_of_the_contract) {
  const auto document = nlohmann::json::parse(doctor_json(example(), Language::chinese));
  ASSERT_EQ(document["findings"].size(), 4u);
  const auto& nofile = document["findings"][1];
  EXPECT_EQ(nofile["id"], "os.nofile");
  EXPECT_EQ(nofile["area"], "os");
  EXPECT_EQ(nofile["status"], "warning");
  EXPECT_EQ(nofile["value"], 1024);
  EXPECT_THAT(nofile["why"].get<std::string>(), HasSubstr("文件"));
  EXPECT_EQ(nofile["fix"], "ulimit -n 65536");
  EXPECT_TRUE(document["findings"][0]["fix"].is_null());
  for (const char* key : {"memory_read_bytes_per_second", "int8_ops_per_second",
                          "bf16_flops_per_second", "store_read_bytes_per_second"})
    EXPECT_TRUE(document["measured"].contains(key)) << key;
}

}  // namespace
}  // namespace premise
