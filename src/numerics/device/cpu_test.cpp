#include "numerics/device/cpu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace premise {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

/// A made-up machine: files under a folder of its own.
class RecordedMachine : public testing::Test {
 protected:
  RecordedMachine()
      : root_(fs::temp_directory_path() /
              ("premise_cpu_test_" + std::to_string(getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name())) {}
  ~RecordedMachine() override {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  void write(const fs::path& path, const std::string& content) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << content << "\n";
  }
  void siblings(int cpu, const std::string& list, const std::string& file = "core_cpus_list") {
    write("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/" + file, list);
  }
  CpuSet read(std::vector<int> affinity) { return read_cpus(root_, affinity); }

  const std::string v2_mount =
      "30 24 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
  const std::string v1_mount =
      "31 24 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct";
  fs::path root_;
};

TEST_F(RecordedMachine, WithoutAnyFileEveryProcessorOfTheMaskIsACore) {
  const CpuSet set = read({3, 1});
  EXPECT_THAT(set.cpus, ElementsAre(1, 3));
  EXPECT_THAT(set.leaders, ElementsAre(1, 3));
  EXPECT_EQ(set.quota_cores, 0);
  EXPECT_EQ(set.usable_cpus(), 2);
  EXPECT_EQ(set.usable_cores(), 2);
}

TEST_F(RecordedMachine, AnEmptyMaskStillMeansOneThread) { EXPECT_EQ(read({}).usable_cores(), 1); }

TEST_F(RecordedMachine, HyperthreadsOfOneCoreCountOnce) {
  siblings(0, "0,4");
  siblings(4, "0,4");
  siblings(1, "1,5", "thread_siblings_list");
  siblings(5, "1,5", "thread_siblings_list");
  const CpuSet set = read({0, 1, 4, 5});
  EXPECT_THAT(set.leaders, ElementsAre(0, 1));
  EXPECT_EQ(set.usable_cpus(), 4);
  EXPECT_EQ(set.usable_cores(), 2);
  EXPECT_THAT(read({4, 5}).leaders, ElementsAre(4, 5));
}

TEST_F(RecordedMachine, AQuotaOfTheSecondVersionIsRoundedDown) {
  write("proc/self/mountinfo", v2_mount);
  write("proc/self/cgroup", "0::/user.slice/job");
  write("sys/fs/cgroup/user.slice/job/cpu.max", "250000 100000");
  EXPECT_EQ(read({0, 1, 2, 3}).quota_cores, 2);
  EXPECT_EQ(read({0, 1, 2, 3}).usable_cores(), 2);
  EXPECT_EQ(read({0}).usable_cores(), 1);
}

TEST_F(RecordedMachine, AQuotaBelowOneProcessorIsStillOneThread) {
  write("proc/self/mountinfo", v2_mount);
  write("proc/self/cgroup", "0::/");
  write("sys/fs/cgroup/cpu.max", "50000 100000");
  EXPECT_EQ(read({0, 1}).usable_cores(), 1);
}

TEST_F(RecordedMachine, TheNarrowestGroupOnTheWayUpWins) {
  write("proc/self/mountinfo", v2_mount);
  write("proc/self/cgroup", "0::/a/b/c");
  write("sys/fs/cgroup/a/cpu.max", "300000 100000");
  write("sys/fs/cgroup/a/b/cpu.max", "max 100000");
  write("sys/fs/cgroup/a/b/c/cpu.max", "600000 100000");
  EXPECT_EQ(read({0, 1, 2, 3, 4, 5, 6, 7}).quota_cores, 3);
}

TEST_F(RecordedMachine, NoLimitIsNoLimit) {
  write("proc/self/mountinfo", v2_mount + "\n" + v1_mount);
  write("proc/self/cgroup", "0::/a\n4:cpu,cpuacct:/a");
  write("sys/fs/cgroup/a/cpu.max", "max 100000");
  write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1");
  write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000");
  EXPECT_EQ(read({0, 1, 2}).usable_cores(), 3);
}

TEST_F(RecordedMachine, AQuotaOfTheFirstVersionCounts) {
  write("proc/self/mountinfo", v1_mount);
  write("proc/self/cgroup", "7:memory:/m\n4:cpu,cpuacct:/docker/abc");
  write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "399999");
  write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000");
  EXPECT_EQ(read({0, 1, 2, 3, 4}).usable_cores(), 3);
}

TEST_F(RecordedMachine, AContainerThatSeesOnlyItsOwnGroupReadsTheTopOfTheMount) {
  write("proc/self/mountinfo",
        "30 24 0:27 /docker/abc /sys/fs/cgroup ro,nosuid - cgroup2 cgroup2 rw");
  write("proc/self/cgroup", "0::/docker/abc");
  write("sys/fs/cgroup/cpu.max", "200000 100000");
  EXPECT_EQ(read({0, 1, 2, 3}).usable_cores(), 2);
  write("proc/self/cgroup", "0::/../..");
  EXPECT_EQ(read({0, 1, 2, 3}).usable_cores(), 2);
}

TEST_F(RecordedMachine, DamagedFilesAreNoLimit) {
  write("proc/self/mountinfo", v2_mount + "\nnonsense\n- - -");
  write("proc/self/cgroup", "no colons\n0:\n0::/a");
  write("sys/fs/cgroup/a/cpu.max", "99999999999999999999 100000");
  write("sys/fs/cgroup/cpu.max", "100000 0");
  EXPECT_EQ(read({0, 1}).usable_cores(), 2);
}

TEST(ThisMachine, TheDefaultStaysWithinTheAffinityMask) {
  cpu_set_t mask;
  ASSERT_EQ(sched_getaffinity(0, sizeof mask, &mask), 0);
  const CpuSet set = read_cpus();
  EXPECT_EQ(static_cast<int>(set.cpus.size()), CPU_COUNT(&mask));
  EXPECT_GE(default_thread_count(), 1);
  EXPECT_LE(default_thread_count(), CPU_COUNT(&mask));
}

}  // namespace
}  // namespace premise
