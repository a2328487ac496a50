#include <gmock/gmock.h>

#include "machine/gpu/gpu_machine_testing.h"
#include "machine/gpu/nvml_report.h"

namespace premise {
namespace {

using ::testing::HasSubstr;

NvmlReport full_report() {
  NvmlGpu gpu = healthy_card();
  gpu.ecc = true;
  gpu.ecc_corrected = 3;
  gpu.ecc_uncorrected = 0;
  gpu.ecc_uncorrected_total = 18446744073709551615ULL;
  gpu.remap_pending = false;
  gpu.remap_failed = true;
  gpu.persistence = true;
  gpu.mig = false;
  gpu.links = {{0, true, NvmlLink::Peer::gpu, "0000:02:00.0"},
               {1, false, NvmlLink::Peer::unknown, ""},
               {2, true, NvmlLink::Peer::nvswitch, ""}};
  gpu.processes = {{4242, "python3", 1ULL << 30}, {7, "", std::nullopt}};
  NvmlGpu lost;
  lost.error = 15;
  NvmlReport report;
  report.driver_version = "580.95.05";
  report.library_version = "13.580.95.05";
  report.cuda_version = Version{13, 0, 0};
  report.gpus = {gpu, lost};
  return report;
}

TEST(NvmlJson, what_is_written_is_read_again) {
  const NvmlReport report = full_report();
  const Result<NvmlReport> read = parse_nvml_json(nvml_to_json(report));
  ASSERT_TRUE(read.ok()) << read.error().what.en;
  EXPECT_EQ(*read, report);
}

TEST(NvmlJson, every_state_has_a_name_that_is_read_again) {
  for (const NvmlState state :
       {NvmlState::ok, NvmlState::driver_not_loaded, NvmlState::version_mismatch,
        NvmlState::no_permission, NvmlState::timed_out, NvmlState::failed}) {
    NvmlReport report;
    report.state = state;
    report.error = state == NvmlState::ok ? 0 : 18;
    const Result<NvmlReport> read = parse_nvml_json(nvml_to_json(report));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, report);
  }
}

TEST(NvmlJson, what_the_driver_does_not_say_is_left_out_and_is_not_zero) {
  NvmlReport report;
  report.gpus.emplace_back();
  const std::string json = nvml_to_json(report);
  EXPECT_THAT(json, ::testing::Not(HasSubstr("ecc")));
  EXPECT_EQ(parse_nvml_json(json)->gpus[0].ecc_corrected, std::nullopt);
}

TEST(NvmlJson, a_later_version_may_have_recorded_more) {
  EXPECT_TRUE(parse_nvml_json(R"({"format": 1, "state": "ok", "future": [1],
                                  "gpus": [{"name": "X", "tensor_cores": 4}]})")
                  .ok());
}

struct Damage {
  const char* json;
  const char* named;
};

class NvmlJsonDamage : public ::testing::TestWithParam<Damage> {};

TEST_P(NvmlJsonDamage, is_named_by_field) {
  const Result<NvmlReport> read = parse_nvml_json(GetParam().json);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::bad_input);
  EXPECT_THAT(read.error().what.en, HasSubstr(GetParam().named));
  EXPECT_THAT(read.error().what.zh, HasSubstr("应为"));
}

INSTANTIATE_TEST_SUITE_P(
    All, NvmlJsonDamage,
    ::testing::Values(
        Damage{"", "document"}, Damage{"[]", "document"},
        Damage{R"({"format": 1, "sta)", "document"}, Damage{R"({"state": "ok"})", "format"},
        Damage{R"({"format": 2, "state": "ok"})", "format"}, Damage{R"({"format": 1})", "state"},
        Damage{R"({"format": 1, "state": "fine"})", "state"},
        Damage{R"({"format": 1, "state": "ok", "gpus": {}})", "gpus"},
        Damage{R"({"format": 1, "state": "ok", "gpus": [7]})", "gpus[0]"},
        Damage{R"({"format": 1, "state": "ok", "gpus": [{"name": 7}]})", "gpus[0].name"},
        Damage{R"({"format": 1, "state": "ok", "gpus": [{"memory_total_bytes": -1}]})",
               "gpus[0].memory_total_bytes"},
        Damage{R"({"format": 1, "state": "ok", "gpus": [{"memory_total_bytes": 1e99}]})",
               "gpus[0].memory_total_bytes"},
        Damage{R"({"format": 1, "state": "ok", "gpus": [{"power_limit_watts": 1e300}]})",
               "power_limit_watts"},
        Damage{R"({"format": 1, "state": "ok", "gpus": [{"pcie_width": 99999999999}]})",
               "pcie_width"},
        Damage{R"({"format": 1, "state": "ok", "gpus": [{"ecc": 1}]})", "ecc"},
        Damage{R"({"format": 1, "state": "ok", "gpus": [{"compute_capability": "x"}]})",
               "compute_capability"},
        Damage{R"({"format": 1, "state": "ok", "gpus": [{"nvlinks": [{"link": 4294967296}]}]})",
               "gpus[0].nvlinks[0].link"},
        Damage{R"({"format": 1, "state": "ok", "gpus": [{"processes": [[]]}]})",
               "gpus[0].processes[0]"}));

TEST(NvmlJson, lists_and_texts_have_a_limit) {
  std::string many = R"({"format": 1, "state": "ok", "gpus": [{})";
  for (int i = 0; i < 300; ++i) many += ",{}";
  EXPECT_FALSE(parse_nvml_json(many + "]}").ok());
  const std::string name(300, 'x');
  EXPECT_FALSE(
      parse_nvml_json(R"({"format": 1, "state": "ok", "driver_version": ")" + name + "\"}").ok());
}

TEST(NvmlJson, escape_sequences_in_names_are_made_visible) {
  const Result<NvmlReport> read =
      parse_nvml_json("{\"format\": 1, \"state\": \"ok\", \"driver_version\": \"5\\u001b[2J\"}");
  ASSERT_TRUE(read.ok());
  EXPECT_THAT(*read->driver_version, ::testing::Not(HasSubstr("\x1b")));
}

TEST(NvmlJson, every_cut_of_a_document_is_an_error_and_never_a_crash) {
  const std::string json = nvml_to_json(full_report());
  for (std::size_t length = 0; length + 2 < json.size(); length += 7) {
    EXPECT_FALSE(parse_nvml_json(json.substr(0, length)).ok()) << length;
  }
}

}  // namespace
}  // namespace premise
