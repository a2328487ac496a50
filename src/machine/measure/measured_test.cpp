#include "machine/measure/measured.h"

#include <gmock/gmock.h>

#include "machine/machine_testing.h"
#include "machine/measure/memory_bandwidth.h"
#include "machine/measure/store_read.h"
#include "machine/measure/throughput.h"
#include "numerics/device/isa.h"

namespace premise {
namespace {

using ::testing::HasSubstr;

Measured example() {
  return {
      .memory_read = {{1, 1e10}, {2, 2.5e10}},
      .int8_ops = {{"avx2", 2e11}, {"avx512", 6e11}},
      .bf16_flops = {{"avx512", 2e11}},
      .store_read =
          StoreRate{.folder = "/models", .bytes_per_second = 2e9, .bytes = 1000, .direct = true},
      .store_not_read = {},
      .seconds = 4};
}

TEST(Measured, comes_back_from_json) {
  const Measured measured = example();
  const auto back = measured_from_json(to_json(measured));
  ASSERT_TRUE(back.ok()) << back.error().what.en;
  EXPECT_EQ(back->memory_read, measured.memory_read);
  EXPECT_EQ(back->int8_ops, measured.int8_ops);
  EXPECT_EQ(back->bf16_flops, measured.bf16_flops);
  EXPECT_EQ(back->store_read, measured.store_read);
}

TEST(Measured, names_the_field_that_is_damaged) {
  for (const auto& [json, field] :
       {std::pair{"[]", "JSON object"},
        {R"({"memory_read_by_threads": 3})", "memory_read_by_threads"},
        {R"({"memory_read_by_threads": [{"threads": 0, "bytes_per_second": 1}]})",
         "memory_read_by_threads"},
        {R"({"int8_by_isa": [{"isa": 1, "per_second": 1}]})", "int8_by_isa"},
        {R"({"bf16_by_isa": [{"isa": "avx2", "per_second": -1}]})", "bf16_by_isa"},
        {R"({"store_read": {"bytes_per_second": "fast"}})", "store_read"}}) {
    const auto measured = measured_from_json(json);
    ASSERT_FALSE(measured.ok()) << json;
    EXPECT_THAT(measured.error().what.en, HasSubstr(field));
  }
}

TEST(Measured, what_was_not_measured_is_said_and_is_no_fault) {
  Measured nothing;
  nothing.store_not_read = text({"the disk is full", "磁盘已满"});
  for (const Finding& finding : judge(nothing)) EXPECT_EQ(finding.status, FindingStatus::info);
  EXPECT_THAT(judge(nothing).back().why.en, HasSubstr("the disk is full"));
  EXPECT_THAT(to_json(nothing), HasSubstr("\"memory_read_bytes_per_second\": null"));
}

TEST(Measured, the_fastest_stands_for_the_machine) {
  const Measured measured = example();
  EXPECT_EQ(measured.memory_read_bytes_per_second(), 2.5e10);
  EXPECT_EQ(measured.int8_ops_per_second(), 6e11);
}

TEST(Measured, a_slow_store_is_a_warning_and_cached_bytes_are_confessed) {
  Measured measured = example();
  EXPECT_EQ(judge(measured).back().status, FindingStatus::ok);
  measured.store_read->bytes_per_second = 1.2e8;
  measured.store_read->direct = false;
  measured.store_read->cached_share = 0.4;
  const Finding finding = judge(measured).back();
  EXPECT_EQ(finding.status, FindingStatus::warning);
  EXPECT_THAT(finding.why.en, HasSubstr("40 % of it lay in memory already"));
}

TEST(MeasureMemoryRead, counts_threads_up_and_gives_plausible_rates) {
  const auto rates = measure_memory_read(2, 0, 0.01, {});
  ASSERT_TRUE(rates.ok()) << rates.error().what.en;
  ASSERT_EQ(rates->size(), 2u);
  EXPECT_EQ(rates->front().threads, 1);
  EXPECT_EQ(rates->back().threads, 2);
  for (const ThreadRate& rate : *rates) {
    EXPECT_GT(rate.bytes_per_second, 1e8);
    EXPECT_LT(rate.bytes_per_second, 1e13);
  }
}

TEST(MeasureMemoryRead, stops_when_it_is_told_to) {
  const auto rates = measure_memory_read(2, 0, 10, [] { return true; });
  ASSERT_TRUE(rates.ok());
  EXPECT_TRUE(rates->empty());
}

TEST(MeasureThroughput, has_a_figure_for_every_set_of_the_machine) {
  const auto throughput = measure_throughput(1, 0.001, {});
  ASSERT_TRUE(throughput.ok()) << throughput.error().what.en;
  std::size_t sets = 0;
  for (const Isa isa : {Isa::avx2, Isa::avx512, Isa::amx}) sets += isa <= widest_isa() ? 1 : 0;
  EXPECT_EQ(throughput->int8_ops.size(), sets);
  EXPECT_EQ(throughput->bf16_flops.size(), sets);
  for (const IsaRate& rate : throughput->int8_ops) EXPECT_GT(rate.per_second, 1e6) << rate.isa;
}

TEST(MeasureStoreRead, leaves_nothing_behind_where_the_store_does_not_exist) {
  TestFolder folder;
  const auto rate = measure_store_read(folder.path() / "no" / "store", 0.05, {});
  ASSERT_TRUE(rate.ok()) << rate.error().what.en;
  EXPECT_TRUE(rate->own_file);
  EXPECT_GT(rate->bytes_per_second, 1e5);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(MeasureStoreRead, says_why_it_cannot_measure) {
  EXPECT_FALSE(measure_store_read("", 0.05, {}).ok());
  const auto rate = measure_store_read("/proc/premise", 0.05, {});
  ASSERT_FALSE(rate.ok());
  EXPECT_THAT(rate.error().what.en, HasSubstr("/proc"));
}

}  // namespace
}  // namespace premise
