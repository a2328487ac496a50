// A machine of round figures, so that every expected number can be worked out by hand.
#include "planning/speed.h"

#include <gmock/gmock.h>

#include "planning/testing.h"

namespace premise {
namespace {

using premise::testing::published;

Capacity round_machine(bool gpu) {
  Capacity machine;
  machine.gpu = gpu;
  machine.memory_bytes = std::uint64_t{64} << 30;
  machine.read_bytes_per_second = {100e9, FigureSource::assumed};
  machine.int8_ops_per_second = {10e12, FigureSource::assumed};
  machine.bf16_flops_per_second = {10e12, FigureSource::assumed};
  machine.decode_efficiency = 0.5;
  machine.prefill_efficiency = 0.5;
  machine.attention_efficiency = 0.5;
  return machine;
}

Speed speed_of(const SizedModel& model, const Workload& work, bool gpu, std::uint64_t prompt,
               std::uint64_t cached) {
  return predict_speed(model, work, round_machine(gpu), prompt, cached).value();
}

// Llama 3.1 8B in BF16 on a card that reads 50 GB/s in effect. A step reads all matrices but the
// embedding, (8,030,261,248 − 266,240 − 128,256 · 4096) · 2 bytes, and 1000
// positions of 131,072 bytes; computing takes 2 operations a weight at 5 T/s, far less.
TEST(Speed, OneRequestWaitsForMemory) {
  const SizedModel model = published("Llama 3.1 8B", "bf16");
  Workload work;
  work.context = 2000;
  const double matrices = 8'030'261'248.0 - 65 * 4096 - 128'256.0 * 4096;
  const double seconds = (2 * matrices + 1000 * 131'072.0) / 50e9;
  EXPECT_NEAR(speed_of(model, work, true, 512, 1000).decode_tokens_per_second, 1 / seconds, 1e-6);
}

// Reading runs ahead of computing, on a card and, by prefetching, on a CPU: the longer one counts.
// 1000 requests at 1000 positions compute longer than they read.
TEST(Speed, ManyRequestsWaitForOperations) {
  const SizedModel model = published("Llama 3.1 8B", "bf16");
  Workload work;
  work.context = 2000;
  work.concurrency = 1000;
  const double matrices = 8'030'261'248.0 - 65 * 4096 - 128'256.0 * 4096;
  const double attention = 32 * 4.0 * 32 * 128 * 1000;
  const double reading = (2 * matrices + 1000 * 1000 * 131'072.0) / 50e9;
  const double computing = 1000 * (2 * matrices + attention) / 5e12;
  ASSERT_GT(computing, reading);
  EXPECT_NEAR(speed_of(model, work, false, 512, 1000).decode_tokens_per_second, 1000 / computing,
              1e-3 * 1000 / computing);
}

TEST(Speed, RequestsShareTheReadingOfWeights) {
  const SizedModel model = published("Llama 3.1 8B", "bf16");
  Workload one;
  one.context = 2000;
  Workload eight = one;
  eight.concurrency = 8;
  const Speed alone = speed_of(model, one, true, 512, 100);
  const Speed together = speed_of(model, eight, true, 512, 100);
  EXPECT_GT(together.decode_tokens_per_second, 7 * alone.decode_tokens_per_second);
  EXPECT_LT(together.decode_per_request, alone.decode_per_request);
}

// 512 tokens: two operations for each of 6,979,321,856 weights of the layers, attention over 256
// positions on average, and the output matrix for the last row alone.
TEST(Speed, PrefillIsOperations) {
  const SizedModel model = published("Llama 3.1 8B", "bf16");
  Workload work;
  work.context = 2000;
  const double head = 128'256.0 * 4096;
  const double layers = 8'030'261'248.0 - 65 * 4096 - 2 * head;
  const double attention = 32 * 4.0 * 32 * 128 * 256;
  const double seconds = (512 * (2 * layers + attention) + 2 * head) / 5e12;
  const Speed speed = speed_of(model, work, true, 512, 1000);
  EXPECT_NEAR(speed.first_token_seconds, seconds, 1e-6);
  EXPECT_NEAR(speed.prefill_tokens_per_second, 512 / seconds, 1e-2);
}

TEST(Speed, WindowsBoundWhatIsRead) {
  const SizedModel model = published("Gemma 3 1B", "bf16");
  Workload work;
  work.context = 32768;
  const double near = speed_of(model, work, true, 512, 512).decode_tokens_per_second;
  const double far = speed_of(model, work, true, 512, 32768).decode_tokens_per_second;
  // 4 of 26 layers see all: (32768 − 512) · 4 · 1024 bytes more a token.
  EXPECT_NEAR(1 / far - 1 / near, 32256.0 * 4 * 1024 / 50e9, 1e-9);
}

TEST(Speed, FewerBitsDecodeFaster) {
  Workload work;
  work.context = 2000;
  double last = 0;
  for (const char* recipe : {"f32", "bf16", "q8_0", "q4_k_m", "q2_k"}) {
    const double now =
        speed_of(published("Qwen2.5 7B", recipe), work, false, 512, 100).decode_tokens_per_second;
    EXPECT_GT(now, last) << recipe;
    last = now;
  }
}

}  // namespace
}  // namespace premise
