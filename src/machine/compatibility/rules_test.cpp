#include "machine/compatibility/rules.h"

#include <gtest/gtest.h>

namespace premise {
namespace {

TEST(Version, takes_at_most_three_numbers_from_the_beginning) {
  EXPECT_EQ(parse_version("535.104.05"), (Version{535, 104, 5}));
  EXPECT_EQ(parse_version("12.4"), (Version{12, 4, 0}));
  EXPECT_EQ(parse_version("2.9.1+cu128"), (Version{2, 9, 1}));
  EXPECT_EQ(parse_version("9.10.2.21"), (Version{9, 10, 2}));
  EXPECT_EQ(parse_version("13, V13.0"), (Version{13, 0, 0}));
  EXPECT_EQ(parse_version("12."), (Version{12, 0, 0}));
}

TEST(Version, is_nothing_where_no_number_begins_or_it_is_absurd) {
  for (const char* text : {"", ".", "v12", "-1", "1234567", "12.1234567"}) {
    const auto version = parse_version(text);
    EXPECT_TRUE(!version || version->minor == 0) << text;
  }
  EXPECT_FALSE(parse_version("1234567"));
  EXPECT_FALSE(parse_version("N/A"));
}

TEST(Version, compares_numbers_and_not_letters) {
  EXPECT_LT(*parse_version("2.9"), *parse_version("2.10"));
  EXPECT_LT(*parse_version("535.54.03"), *parse_version("535.104.05"));
}

TEST(DriverFit, a_driver_runs_its_own_cuda_and_older_ones_in_full) {
  const Version driver{550, 54, 14};
  EXPECT_EQ(driver_fit(builtin_matrix(), driver, {12, 4, 0}), DriverFit::full);
  EXPECT_EQ(driver_fit(builtin_matrix(), driver, {12, 1, 0}), DriverFit::full);
  EXPECT_EQ(driver_fit(builtin_matrix(), driver, {11, 8, 0}), DriverFit::full);
  EXPECT_EQ(driver_fit(builtin_matrix(), driver, {10, 2, 0}), DriverFit::full);
}

TEST(DriverFit, a_newer_minor_release_of_the_same_cuda_runs_without_ptx) {
  EXPECT_EQ(driver_fit(builtin_matrix(), {525, 60, 13}, {12, 8, 0}), DriverFit::minor_only);
  EXPECT_EQ(driver_fit(builtin_matrix(), {580, 65, 6}, {13, 3, 0}), DriverFit::minor_only);
}

TEST(DriverFit, a_newer_major_release_is_insufficient) {
  EXPECT_EQ(driver_fit(builtin_matrix(), {550, 54, 14}, {13, 0, 0}), DriverFit::insufficient);
  EXPECT_EQ(driver_fit(builtin_matrix(), {470, 82, 1}, {12, 1, 0}), DriverFit::insufficient);
  EXPECT_EQ(driver_fit(builtin_matrix(), {450, 51, 6}, {11, 2, 0}), DriverFit::insufficient);
}

TEST(DriverFit, the_driver_that_is_needed_is_the_oldest_that_runs_the_major_release) {
  EXPECT_EQ(driver_needed(builtin_matrix(), {12, 8, 0}), "525.60.13");
  EXPECT_EQ(driver_needed(builtin_matrix(), {13, 2, 0}), "580.65.06");
  EXPECT_EQ(driver_needed(builtin_matrix(), {10, 1, 0}), "418.39");
  EXPECT_EQ(driver_needed(builtin_matrix(), {99, 0, 0}), std::nullopt);
}

TEST(DriverFit, releases_that_the_matrix_does_not_know_are_judged_by_their_major_version) {
  EXPECT_EQ(driver_fit(builtin_matrix(), {570, 26, 0}, {12, 7, 0}), DriverFit::full);
  EXPECT_EQ(driver_fit(builtin_matrix(), {610, 43, 2}, {13, 9, 0}), DriverFit::minor_only);
  EXPECT_EQ(driver_fit(builtin_matrix(), {610, 43, 2}, {14, 0, 0}), DriverFit::insufficient);
}

TEST(Branches, support_ends_with_the_month) {
  const DriverBranch branch{.branch = 580, .cuda = {}, .end = "2028-06", .source = {}};
  EXPECT_FALSE(support_ended(branch, "2028-06-30"));
  EXPECT_TRUE(support_ended(branch, "2028-07-01"));
  EXPECT_TRUE(support_ended({.branch = 1, .cuda = {}, .end = "ended", .source = {}}, "2019-01-01"));
}

TEST(Branches, the_long_term_branch_is_the_newest_that_is_supported) {
  EXPECT_EQ(long_term_branch(builtin_matrix(), "2026-11-22")->branch, 580);
  EXPECT_EQ(long_term_branch(builtin_matrix(), "2099-01-01"), nullptr);
}

TEST(KernelFit, machine_code_runs_on_later_minor_capabilities_of_its_major) {
  const std::vector<std::string> ampere = {"sm_80"};
  EXPECT_EQ(kernel_fit(ampere, {8, 0, 0}), KernelFit::binary);
  EXPECT_EQ(kernel_fit(ampere, {8, 6, 0}), KernelFit::binary);
  EXPECT_EQ(kernel_fit(ampere, {8, 9, 0}), KernelFit::binary);
  EXPECT_EQ(kernel_fit(ampere, {9, 0, 0}), KernelFit::none);
  EXPECT_EQ(kernel_fit(std::vector<std::string>{"sm_86"}, {8, 0, 0}), KernelFit::none);
}

TEST(KernelFit, ptx_runs_on_everything_later) {
  EXPECT_EQ(kernel_fit(std::vector<std::string>{"sm_70", "compute_70"}, {9, 0, 0}), KernelFit::ptx);
  EXPECT_EQ(kernel_fit(std::vector<std::string>{"7.0+PTX"}, {12, 0, 0}), KernelFit::ptx);
  EXPECT_EQ(kernel_fit(std::vector<std::string>{"compute_90"}, {8, 9, 0}), KernelFit::none);
}

TEST(KernelFit, an_architecture_with_a_suffix_runs_on_itself_alone_or_on_its_family) {
  EXPECT_EQ(kernel_fit(std::vector<std::string>{"sm_90a"}, {9, 0, 0}), KernelFit::binary);
  EXPECT_EQ(kernel_fit(std::vector<std::string>{"sm_100a"}, {10, 3, 0}), KernelFit::none);
  EXPECT_EQ(kernel_fit(std::vector<std::string>{"sm_100f"}, {10, 3, 0}), KernelFit::binary);
  EXPECT_EQ(kernel_fit(std::vector<std::string>{"compute_100f"}, {12, 0, 0}), KernelFit::none);
}

TEST(KernelFit, both_ways_of_writing_mean_the_same) {
  EXPECT_EQ(kernel_fit(std::vector<std::string>{"sm_120"}, {12, 0, 0}), KernelFit::binary);
  EXPECT_EQ(kernel_fit(std::vector<std::string>{"12.0"}, {12, 0, 0}), KernelFit::binary);
}

TEST(KernelFit, what_is_not_understood_counts_for_nothing) {
  const std::vector<std::string> odd = {"", "sm_", "sm_x", "compute_", "gfx906", "sm_9"};
  EXPECT_EQ(kernel_fit(odd, {9, 0, 0}), KernelFit::none);
}

TEST(Builds, a_release_is_found_with_its_cuda_or_as_the_default) {
  EXPECT_EQ(find_build(builtin_matrix(), "pytorch", {2, 9, 1}, std::nullopt)->cuda,
            (Version{12, 8, 0}));
  EXPECT_EQ(find_build(builtin_matrix(), "pytorch", {2, 9, 0}, Version{12, 6, 0})->cuda.minor, 6);
  EXPECT_EQ(find_build(builtin_matrix(), "pytorch", {2, 9, 0}, Version{11, 8, 0}), nullptr);
  EXPECT_EQ(find_build(builtin_matrix(), "pytorch", {99, 0, 0}, std::nullopt), nullptr);
}

TEST(Builds, the_suggestion_has_kernels_for_the_card_and_runs_on_the_driver) {
  const FrameworkBuild* newest =
      suggest_build(builtin_matrix(), "pytorch", {8, 6, 0}, {595, 45, 4});
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->version, (Version{2, 14, 0}));
  const FrameworkBuild* older =
      suggest_build(builtin_matrix(), "pytorch", {8, 6, 0}, {535, 104, 5});
  ASSERT_TRUE(older);
  EXPECT_EQ(older->cuda, (Version{12, 8, 0}));
  EXPECT_EQ(older->version, (Version{2, 10, 0}));
  const FrameworkBuild* pascal =
      suggest_build(builtin_matrix(), "pytorch", {6, 1, 0}, {580, 95, 5});
  ASSERT_TRUE(pascal);
  EXPECT_NE(kernel_fit(*pascal, {6, 1, 0}), KernelFit::none);
  EXPECT_EQ(suggest_build(builtin_matrix(), "pytorch", {3, 0, 0}, {470, 82, 1}), nullptr);
}

}  // namespace
}  // namespace premise
