// Every expected number is derived by hand beside its test.
#include "planning/memory_need.h"

#include <gmock/gmock.h>

#include "planning/testing.h"

namespace premise {
namespace {

using premise::testing::published;

Workload work_of(std::uint64_t context, std::uint64_t concurrency = 1) {
  Workload work;
  work.context = context;
  work.concurrency = concurrency;
  return work;
}

MemoryNeed need_of(const SizedModel& model, const Workload& work, bool gpu = false) {
  Capacity machine;
  machine.gpu = gpu;
  return memory_need(model, work, machine).value();
}

// Llama 3.1 8B: keys and values of 32 layers, 8 heads of 128, two bytes each:
// 2 · 32 · 8 · 128 · 2 = 131,072 bytes a token.
TEST(MemoryNeed, CacheGrowsWithContextAndRequests) {
  const SizedModel model = published("Llama 3.1 8B", "q4_k_m");
  EXPECT_EQ(need_of(model, work_of(32)).cache, 32u * 131'072);
  EXPECT_EQ(need_of(model, work_of(4096)).cache, 4096u * 131'072);
  EXPECT_EQ(need_of(model, work_of(4096, 16)).cache, std::uint64_t{16} * 4096 * 131'072);
}

TEST(MemoryNeed, CacheComesInBlocksOf32Positions) {
  const SizedModel model = published("Llama 3.1 8B", "q4_k_m");
  EXPECT_EQ(need_of(model, work_of(1)).cache, 32u * 131'072);
  EXPECT_EQ(need_of(model, work_of(33)).cache, 64u * 131'072);
}

// Q8_0 has blocks of 32 values in 34 bytes: 65,536 values a token take 2048 · 34 bytes.
TEST(MemoryNeed, CacheOfQ8IsAlmostHalf) {
  Workload work = work_of(4096);
  work.cache = DType::q8_0;
  EXPECT_EQ(need_of(published("Llama 3.1 8B", "q4_k_m"), work).cache, 4096u * 2048 * 34);
}

// Llama 2 7B has as many KV heads as heads: 2 · 32 · 32 · 128 · 2 = 524,288, four times as much.
TEST(MemoryNeed, GroupedHeadsShareTheCache) {
  EXPECT_EQ(need_of(published("Llama 2 7B", "q4_k_m"), work_of(4096)).cache,
            std::uint64_t{4096} * 524'288);
}

// Gemma 3 270M, one KV head of 256: 2 · 256 · 2 = 1024 bytes a layer and token. 15 layers see 512
// positions and keep those, a step's 192 and a block: 704 + 32; 3 layers keep everything.
TEST(MemoryNeed, WindowsKeepWhatTheySee) {
  const SizedModel model = published("Gemma 3 270M", "q4_k_m");
  EXPECT_EQ(need_of(model, work_of(32768)).cache, 736u * 15 * 1024 + 32768u * 3 * 1024);
  EXPECT_EQ(need_of(model, work_of(512)).cache, 512u * 18 * 1024);
}

// Llama 3.1 8B: 64 regions, each of 8 · 128 · 2 = 2048 bytes a token. 16 requests of 1024 tokens
// are 32 MiB a region; one of them writes 2 MiB and may touch 2 MiB more.
TEST(MemoryNeed, ACacheThatIsNotFullIsNotAllTouched) {
  const SizedModel model = published("Llama 3.1 8B", "q4_k_m");
  const Workload reserved = work_of(1024, 16);
  EXPECT_EQ(touched_cache_bytes(model.plan, reserved, reserved), need_of(model, reserved).cache);
  EXPECT_EQ(touched_cache_bytes(model.plan, reserved, work_of(1024)), 64u * (4u << 20));
}

// While the gate is applied, four values of 512 rows are alive: the residual stream (4096 wide),
// gate, up and their product (14336 each), four bytes an element.
TEST(MemoryNeed, LiveValuesPeakAtTheGate) {
  const SizedModel model = published("Llama 3.1 8B", "q4_k_m");
  EXPECT_EQ(live_bytes(model.plan, 512, 1), 512u * (4096 + 3 * 14336) * 4);
}

// With 512 rows of logits these are the peak: 128,256 wide, computed from normed rows (4096).
TEST(MemoryNeed, LogitsOfManyRowsAreThePeak) {
  const SizedModel model = published("Llama 3.1 8B", "q4_k_m");
  EXPECT_EQ(live_bytes(model.plan, 512, 512), 512u * (4096 + 128'256) * 4);
}

// Phi-3 computes gate and up as one value of 16384 and looks at halves of it: residual 3072, the
// pair, and the product of 8192.
TEST(MemoryNeed, SlicesTakeNoMemory) {
  const SizedModel model = published("Phi-3 mini 3.8B", "q4_k_m");
  EXPECT_EQ(live_bytes(model.plan, 512, 1), 512u * (3072 + 16384 + 8192) * 4);
}

// BF16 on a card: two bytes a matrix element, four a norm's. Llama 3.1 8B has 65 norms of 4096.
TEST(MemoryNeed, WeightsOnACardAreThoseOfAFile) {
  const std::uint64_t norms = 65 * 4096;
  EXPECT_EQ(need_of(published("Llama 3.1 8B", "bf16"), work_of(32), true).weights,
            (8'030'261'248u - norms) * 2 + norms * 4);
}

// The engine's packing adds at most 6 % (contracts/packed_layout.h) and takes nothing away.
TEST(MemoryNeed, PackedWeightsAreALittleLarger) {
  for (const WeightRecipe& recipe : all_recipes()) {
    const SizedModel model = published("Qwen2.5 7B", recipe.name);
    const auto file = static_cast<double>(need_of(model, work_of(32), true).weights);
    const auto packed = static_cast<double>(need_of(model, work_of(32), false).weights);
    EXPECT_GE(packed, file * 0.999) << recipe.name;
    EXPECT_LE(packed, file * 1.06) << recipe.name;
  }
}

TEST(MemoryNeed, TotalIsTheSum) {
  const MemoryNeed need = need_of(published("Qwen2.5 7B", "q4_k_m"), work_of(4096, 4));
  EXPECT_EQ(need.total, need.weights + need.cache + need.activation + need.process);
}

// 2^30 tokens of 2^20 requests at 524,288 bytes are 2^69 bytes.
TEST(MemoryNeed, AbsurdWishesAreRefusedNotWrappedAround) {
  const SizedModel model = published("Llama 2 7B", "q4_k_m");
  const auto need =
      memory_need(model, work_of(std::uint64_t{1} << 30, std::uint64_t{1} << 20), Capacity{});
  ASSERT_FALSE(need.ok());
  EXPECT_EQ(need.error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace premise
