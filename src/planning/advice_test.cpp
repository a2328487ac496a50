#include "planning/advice.h"

#include <gmock/gmock.h>

#include "planning/devices.h"
#include "planning/testing.h"

namespace premise {
namespace {

using Kind = Suggestion::Kind;
using premise::testing::published;

struct Advice {
  Prediction asked;
  std::vector<Suggestion> suggestions;

  const Suggestion* of(Kind kind) const {
    const auto found = std::ranges::find(suggestions, kind, &Suggestion::kind);
    return found == suggestions.end() ? nullptr : &*found;
  }
};

Advice advice(const char* name, const char* recipe, const char* device, std::uint64_t context,
              std::uint64_t concurrency = 1) {
  SizedModel model = published(name, recipe);
  const std::vector<DType> types = model.types;
  Workload work;
  work.context = context;
  work.concurrency = concurrency;
  const Capacity& machine = **find_device(device);
  Advice found;
  found.asked = predict(model, work, machine).value();
  found.suggestions = advise(model, work, machine, found.asked.fits).value();
  EXPECT_EQ(model.types, types) << "the model was not given back as it was";
  return found;
}

TEST(Advice, FitsMeansFourFifthsOfTheCapacity) {
  Capacity machine = **find_device("rtx3060");
  const SizedModel model = published("Qwen2.5 7B", "q4_k_m");
  Workload work;
  work.context = 4096;
  const std::uint64_t total = memory_need(model, work, machine)->total;
  machine.memory_bytes = total * 5 / 4 + 2;
  EXPECT_TRUE(predict(model, work, machine)->fits);
  machine.memory_bytes = total * 5 / 4 - 2;
  EXPECT_FALSE(predict(model, work, machine)->fits);
}

TEST(Advice, EverythingSuggestedFits) {
  for (const char* device : {"rtx4060", "rtx3060", "a100-80", "desktop-ddr5"})
    for (const char* name : {"Qwen2.5 0.5B", "Llama 2 13B", "Llama 3.1 70B"})
      for (const Suggestion& s : advice(name, "bf16", device, 4096, 8).suggestions)
        EXPECT_TRUE(s.prediction.fits) << device << " " << name;
}

// Qwen2.5 7B in Q4_K_M takes 5.4 GB of the 10.3 GB that may be used of a 3060: richer weights fit.
TEST(Advice, OffersRicherWeightsWhereThereIsRoom) {
  const Advice found = advice("Qwen2.5 7B", "q4_k_m", "rtx3060", 4096);
  EXPECT_TRUE(found.asked.fits);
  ASSERT_NE(found.of(Kind::type), nullptr);
  EXPECT_EQ(found.of(Kind::type)->type, "q8_0");
  EXPECT_GT(found.of(Kind::context)->context, 4096u);
  EXPECT_GT(found.of(Kind::concurrency)->concurrency, 1u);
  EXPECT_EQ(found.suggestions.front().kind, Kind::type);
}

// 14B in BF16 are 29.5 GB; on a 3060 six bits a weight are 12.1 GB and too many, five and a half
// fit.
TEST(Advice, OffersFewerBitsWhereThereIsNot) {
  const Advice found = advice("Qwen2.5 14B", "bf16", "rtx3060", 4096);
  EXPECT_FALSE(found.asked.fits);
  ASSERT_NE(found.of(Kind::type), nullptr);
  EXPECT_LT(found.of(Kind::type)->prediction.need.weights, 9'500'000'000u);
  EXPECT_EQ(found.of(Kind::context), nullptr) << "no context makes 29 GB fit";
  EXPECT_EQ(found.of(Kind::device)->device, "a100-40");
}

TEST(Advice, ALongContextIsShortened) {
  const Advice found = advice("Llama 3.1 8B", "q8_0", "rtx3060", 131072);
  EXPECT_FALSE(found.asked.fits);
  ASSERT_NE(found.of(Kind::context), nullptr);
  EXPECT_LT(found.of(Kind::context)->context, 131072u);
  EXPECT_GT(found.of(Kind::context)->context, 0u);
}

TEST(Advice, ManyRequestsBecomeFewer) {
  const Advice found = advice("Llama 3.1 8B", "q4_k_m", "rtx3060", 4096, 64);
  EXPECT_FALSE(found.asked.fits);
  ASSERT_NE(found.of(Kind::concurrency), nullptr);
  EXPECT_LT(found.of(Kind::concurrency)->concurrency, 64u);
}

TEST(Advice, SaysSoWhenNothingFits) {
  const Advice found = advice("Llama 3.1 405B", "q4_k_m", "rtx4060", 4096);
  EXPECT_TRUE(found.suggestions.empty()) << "405B fits no single card";
}

TEST(Devices, AreFoundHoweverTheyAreWritten) {
  EXPECT_EQ((*find_device("RTX 3060"))->id, "rtx3060");
  EXPECT_EQ((*find_device("a100_80"))->id, "a100-80");
  const auto unknown = find_device("rtx3061");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::usage);
  EXPECT_THAT(unknown.error().hint.en, ::testing::HasSubstr("rtx30"));
}

TEST(Devices, SayWhereTheirFiguresAreFrom) {
  for (const Capacity& device : all_devices()) {
    EXPECT_FALSE(device.sheet.empty()) << device.id;
    EXPECT_GT(device.read_bytes_per_second.value, 50e9) << device.id;
    EXPECT_GT(device.int8_ops_per_second.value, device.bf16_flops_per_second.value) << device.id;
    EXPECT_EQ(device.read_bytes_per_second.source, FigureSource::data_sheet);
  }
}

}  // namespace
}  // namespace premise
