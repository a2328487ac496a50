#include "numerics/device/available_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace premise {
namespace {

namespace fs = std::filesystem;

class AvailableMemory : public testing::Test {
 protected:
  AvailableMemory()
      : root_(fs::path(testing::TempDir()) / ("available_memory_" + std::to_string(getpid()))) {
    write("proc/meminfo", "MemTotal:  16000 kB\nMemFree: 100 kB\nMemAvailable:    8000 kB\n");
  }
  ~AvailableMemory() override { fs::remove_all(root_); }
  void write(const char* path, const char* text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  fs::path root_;
};

TEST_F(AvailableMemory, is_what_the_system_says_where_no_group_limits_it) {
  EXPECT_EQ(available_memory_bytes(root_), 8000u * 1024);
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/a/b/memory.max", "max\n");
  write("sys/fs/cgroup/a/b/memory.current", "5\n");
  EXPECT_EQ(available_memory_bytes(root_), 8000u * 1024);
}

TEST_F(AvailableMemory, is_what_the_group_or_an_ancestor_of_it_leaves) {
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/a/b/memory.max", "max\n");
  write("sys/fs/cgroup/a/memory.max", "1000000\n");
  write("sys/fs/cgroup/a/memory.current", "700000\n");
  EXPECT_EQ(available_memory_bytes(root_), 300000u);
  write("sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 200000\n");
  EXPECT_EQ(available_memory_bytes(root_), 500000u);
}

TEST_F(AvailableMemory, knows_the_older_control_groups) {
  write("proc/self/cgroup", "4:cpu:/x\n9:memory:/docker/1\n");
  write("sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "4000\n");
  write("sys/fs/cgroup/memory/docker/1/memory.usage_in_bytes", "5000\n");
  EXPECT_EQ(available_memory_bytes(root_), 0u);
}

TEST_F(AvailableMemory, is_nothing_where_nothing_can_be_read) {
  EXPECT_EQ(available_memory_bytes(root_ / "nowhere"), std::nullopt);
}

TEST_F(AvailableMemory, of_this_machine_is_more_than_nothing) {
  EXPECT_GT(available_memory_bytes().value_or(1), 0u);
}

}  // namespace
}  // namespace premise
