#include "planning/this_machine.h"

#include <gmock/gmock.h>

#include "numerics/device/available_memory.h"
#include "planning/testing.h"

namespace premise {
namespace {

using premise::testing::TemporaryFolder;

constexpr std::uint64_t gigabyte = std::uint64_t{1} << 30;

TEST(UsableMemory, IsThatOfTheMachine) {
  const TemporaryFolder root;
  root.write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB\n");
  EXPECT_EQ(usable_memory_bytes(root.path()), 16 * gigabyte);
}

TEST(UsableMemory, IsCutToTheControlGroups) {
  const TemporaryFolder root;
  root.write("proc/meminfo", "MemTotal:       16777216 kB\n");
  root.write("proc/self/cgroup", "0::/a/b\n");
  root.write("sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(usable_memory_bytes(root.path()), 16 * gigabyte);
  root.write("sys/fs/cgroup/a/memory.max", "4294967296\n");
  EXPECT_EQ(usable_memory_bytes(root.path()), 4 * gigabyte);
  root.write("proc/self/cgroup", "9:cpu,memory:/c\n");
  root.write("sys/fs/cgroup/memory/c/memory.limit_in_bytes", "2147483648\n");
  EXPECT_EQ(usable_memory_bytes(root.path()), 2 * gigabyte);
}

TEST(UsableMemory, IsUnknownWhereNothingSaysIt) {
  const TemporaryFolder root;
  EXPECT_EQ(usable_memory_bytes(root.path()), std::nullopt);
  for (const char* odd : {"MemTotal: kB\n", "MemTotal: 99999999999999999999 kB\n", "\n"}) {
    root.write("proc/meminfo", odd);
    EXPECT_FALSE(usable_memory_bytes(root.path()).value_or(0) > 0) << odd;
  }
}

TEST(ThisMachine, IsMeasured) {
  const auto here = measure_this_machine(1, widest_isa());
  ASSERT_TRUE(here.ok());
  EXPECT_GT(here->memory_bytes, 100u << 20);
  EXPECT_GT(here->read_bytes_per_second.value, 1e8);
  EXPECT_GT(here->int8_ops_per_second.value, 1e8);
}

}  // namespace
}  // namespace premise
