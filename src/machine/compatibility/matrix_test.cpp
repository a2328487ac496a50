// Walks the matrix for contradictions: facts from twenty pages that were typed in by hand.
#include "machine/compatibility/matrix.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "machine/compatibility/cards.h"
#include "machine/compatibility/embedded.h"
#include "machine/compatibility/rules.h"

namespace premise {
namespace {

Version driver_version(const std::string& text) {
  const auto version = parse_version(text);
  EXPECT_TRUE(version) << text;
  return version.value_or(Version{});
}

bool contains(const std::vector<Version>& list, const Version& one) {
  return std::ranges::find(list, one) != list.end();
}

TEST(Matrix, the_embedded_text_reads_without_an_error) {
  const Result<Matrix> parsed = parse_matrix(embedded_matrix());
  ASSERT_TRUE(parsed.ok()) << parsed.error().what.en;
  EXPECT_FALSE(parsed->cuda.empty());
  EXPECT_FALSE(parsed->frameworks.empty());
}

TEST(Matrix, every_row_names_a_source_and_every_source_is_used) {
  std::set<std::string> named, used;
  for (const auto& [name, where] : builtin_matrix().sources) {
    named.insert(name);
    EXPECT_THAT(where, ::testing::Not(::testing::IsEmpty())) << name;
  }
  for (const auto& row : builtin_matrix().cuda) used.insert({row.source, row.capabilities_source});
  for (const auto& row : builtin_matrix().minor_compatibility) used.insert(row.source);
  for (const auto& row : builtin_matrix().branches) used.insert(row.source);
  for (const auto& row : builtin_matrix().architectures) used.insert(row.source);
  for (const auto& row : builtin_matrix().frameworks) {
    used.insert(row.source);
    if (!row.capabilities_source.empty()) used.insert(row.capabilities_source);
  }
  for (const auto& row : builtin_matrix().cudnn) used.insert(row.source);
  for (const auto& row : builtin_matrix().nccl) used.insert(row.source);
  for (const auto& row : builtin_matrix().withdrawn) used.insert(row.source);
  for (const std::string& source : used) EXPECT_TRUE(named.contains(source)) << source;
  EXPECT_THAT(named, ::testing::IsSubsetOf(used)) << "a source that no row names";
}

TEST(Matrix, a_newer_cuda_wants_a_newer_driver) {
  for (std::size_t i = 1; i < builtin_matrix().cuda.size(); ++i) {
    const CudaRow &older = builtin_matrix().cuda[i - 1], &newer = builtin_matrix().cuda[i];
    EXPECT_LT(older.cuda, newer.cuda);
    EXPECT_LT(driver_version(older.driver), driver_version(newer.driver)) << newer.driver;
  }
}

TEST(Matrix, a_card_that_a_cuda_release_dropped_does_not_come_back) {
  std::set<Version> seen, dropped;
  for (const CudaRow& row : builtin_matrix().cuda) {
    for (const Version& one : row.capabilities) {
      EXPECT_FALSE(dropped.contains(one)) << major_minor(one) << " in " << major_minor(row.cuda);
      seen.insert(one);
    }
    for (const Version& one : seen) {
      if (!contains(row.capabilities, one)) dropped.insert(one);
    }
  }
}

TEST(Matrix, the_first_and_last_cuda_of_an_architecture_are_those_of_the_rows) {
  for (const ArchitectureRow& row : builtin_matrix().architectures) {
    for (const Version& one : row.capabilities) {
      std::vector<Version> with;
      for (const CudaRow& cuda : builtin_matrix().cuda) {
        if (contains(cuda.capabilities, one)) with.push_back(cuda.cuda);
      }
      ASSERT_FALSE(with.empty()) << major_minor(one);
      EXPECT_EQ(with.front(), row.cuda_first) << row.name << " " << major_minor(one);
      EXPECT_EQ(with.back(), row.cuda_last.value_or(builtin_matrix().cuda.back().cuda))
          << row.name << " " << major_minor(one);
    }
  }
}

TEST(Matrix, every_capability_of_a_compiler_belongs_to_one_architecture) {
  for (const Version& one : builtin_matrix().cuda.back().capabilities) {
    EXPECT_FALSE(architecture_name(builtin_matrix(), one).empty()) << major_minor(one);
  }
  std::set<Version> once;
  for (const ArchitectureRow& row : builtin_matrix().architectures) {
    for (const Version& one : row.capabilities) {
      EXPECT_TRUE(once.insert(one).second) << major_minor(one) << " stands twice";
    }
  }
}

TEST(Matrix, the_driver_of_each_cuda_belongs_to_the_branch_that_shows_it) {
  for (const CudaRow& row : builtin_matrix().cuda) {
    const DriverBranch* branch = find_branch(builtin_matrix(), driver_version(row.driver).major);
    ASSERT_TRUE(branch) << row.driver;
    EXPECT_EQ(branch->cuda, row.cuda) << row.driver;
  }
}

TEST(Matrix, newer_branches_show_newer_cuda) {
  for (std::size_t i = 1; i < builtin_matrix().branches.size(); ++i) {
    EXPECT_LT(builtin_matrix().branches[i - 1].branch, builtin_matrix().branches[i].branch);
    EXPECT_LT(builtin_matrix().branches[i - 1].cuda, builtin_matrix().branches[i].cuda);
  }
}

TEST(Matrix, there_is_a_supported_long_term_branch_on_the_day_of_the_table) {
  const DriverBranch* branch = long_term_branch(builtin_matrix(), builtin_matrix().date);
  ASSERT_TRUE(branch);
  EXPECT_FALSE(support_ended(*branch, builtin_matrix().date));
}

TEST(Matrix, ends_of_support_are_months) {
  for (const DriverBranch& row : builtin_matrix().branches) {
    EXPECT_THAT(row.end,
                ::testing::AnyOf("ended", ::testing::MatchesRegex("20[0-9][0-9]-[0-1][0-9]")))
        << row.branch;
  }
}

TEST(Matrix, minor_version_compatibility_begins_with_the_first_driver_of_the_major_version) {
  for (const MinorCompatibilityRow& row : builtin_matrix().minor_compatibility) {
    const CudaRow* first = find_cuda(builtin_matrix(), row.cuda);
    ASSERT_TRUE(first);
    EXPECT_EQ(row.cuda.minor, 0);
    EXPECT_GE(driver_version(row.driver), driver_version(first->driver));
    EXPECT_EQ(driver_version(row.driver).major, driver_version(first->driver).major);
  }
}

TEST(Matrix, a_framework_has_kernels_only_for_cards_that_its_cuda_knows) {
  for (const FrameworkBuild& build : builtin_matrix().frameworks) {
    const CudaRow* cuda = find_cuda(builtin_matrix(), build.cuda);
    ASSERT_TRUE(cuda) << build.framework << " " << major_minor(build.version);
    for (const Version& one : build.capabilities) {
      EXPECT_TRUE(contains(cuda->capabilities, one))
          << build.framework << " " << major_minor(build.version) << ": " << major_minor(one);
    }
    if (build.ptx) {
      EXPECT_TRUE(contains(build.capabilities, *build.ptx));
    }
  }
}

TEST(Matrix, a_release_of_a_framework_has_at_most_one_default_build_and_no_build_twice) {
  std::set<std::tuple<std::string, Version, Version>> builds;
  std::set<std::pair<std::string, Version>> defaults;
  for (const FrameworkBuild& build : builtin_matrix().frameworks) {
    EXPECT_TRUE(builds.insert({build.framework, build.version, build.cuda}).second);
    if (!build.by_default) continue;
    EXPECT_TRUE(defaults.insert({build.framework, build.version}).second)
        << build.framework << " " << major_minor(build.version);
  }
}

TEST(Matrix, cudnn_names_known_cuda_releases_their_driver_and_their_cards) {
  for (const CudnnRow& row : builtin_matrix().cudnn) {
    std::set<Version> cards;
    for (const Version& version : row.cuda) {
      const CudaRow* cuda = find_cuda(builtin_matrix(), version);
      ASSERT_TRUE(cuda) << major_minor(version);
      cards.insert(cuda->capabilities.begin(), cuda->capabilities.end());
      EXPECT_NE(driver_fit(builtin_matrix(), driver_version(row.driver), version),
                DriverFit::insufficient);
    }
    for (const Version& one : row.capabilities) EXPECT_TRUE(cards.contains(one));
  }
  for (const NcclRow& row : builtin_matrix().nccl) {
    for (const Version& version : row.cuda) EXPECT_TRUE(find_cuda(builtin_matrix(), version));
  }
}

TEST(Matrix, a_withdrawn_package_has_a_successor_that_is_not_withdrawn) {
  for (const WithdrawnPackage& row : builtin_matrix().withdrawn) {
    for (const WithdrawnPackage& other : builtin_matrix().withdrawn) {
      EXPECT_NE(row.replacement, other.package);
    }
  }
}

// The examples that the specification names.
TEST(Matrix, says_what_is_known_of_ampere_pytorch_and_tensorflow) {
  EXPECT_EQ(first_cuda_for(builtin_matrix(), {8, 6, 0}), (Version{11, 1, 0}));
  EXPECT_EQ(find_build(builtin_matrix(), "pytorch", {2, 0, 0}, std::nullopt)->cuda,
            (Version{11, 7, 0}));
  EXPECT_EQ(find_build(builtin_matrix(), "tensorflow", {2, 10, 0}, std::nullopt)->cuda,
            (Version{11, 2, 0}));
}

TEST(Matrix, a_row_that_lacks_a_field_is_named) {
  const char* text = R"({"format": 1, "date": "2026-01-01", "sources": {},
    "cuda": [{"cuda": "12.0", "driver": 525, "capabilities": ["5.0"], "source": "a"}]})";
  const Result<Matrix> parsed = parse_matrix(text);
  ASSERT_FALSE(parsed.ok());
  EXPECT_THAT(parsed.error().what.en, ::testing::HasSubstr("cuda[0] driver"));
}

TEST(Matrix, what_is_no_data_file_is_refused) {
  for (const char* text : {"", "[]", "{}", R"({"format": 2, "date": "x", "sources": {}})",
                           R"({"format": 1, "date": 5, "sources": {}})",
                           R"({"format": 1, "date": "x", "sources": {"a": 1}})"}) {
    EXPECT_FALSE(parse_matrix(text).ok()) << text;
  }
}

TEST(Cards, the_embedded_text_reads_and_every_row_has_a_source_and_a_known_capability) {
  const Result<Cards> parsed = parse_cards(embedded_cards());
  ASSERT_TRUE(parsed.ok()) << parsed.error().what.en;
  std::set<std::string> names, slugs;
  for (const Card& card : parsed->cards) {
    EXPECT_TRUE(names.insert(card.name).second && slugs.insert(card.slug).second) << card.slug;
    EXPECT_TRUE(std::ranges::count(parsed->sources, card.source,
                                   &std::pair<std::string, std::string>::first))
        << card.slug;
    EXPECT_TRUE(first_cuda_for(builtin_matrix(), card.capability)) << card.slug;
    EXPECT_GT(card.memory_gib, 0) << card.slug;
    EXPECT_GT(card.bandwidth_bytes_per_second, 1e11) << card.slug;
    EXPECT_GT(card.board_watts, 50) << card.slug;
  }
}

TEST(Cards, a_supply_is_large_enough_for_its_card) {
  for (const Card& card : builtin_cards().cards) {
    if (card.supply_watts) {
      EXPECT_GT(*card.supply_watts, card.board_watts * 1.5) << card.slug;
    }
  }
}

TEST(Cards, the_longest_name_that_fits_is_meant) {
  const auto slug = [](std::string_view name) {
    const Card* card = find_card(builtin_cards(), name);
    return card ? card->slug : "none";
  };
  EXPECT_EQ(slug("NVIDIA GeForce RTX 3060"), "rtx3060");
  EXPECT_EQ(slug("NVIDIA GeForce RTX 3060 Ti"), "rtx3060ti");
  EXPECT_EQ(slug("NVIDIA GeForce RTX 4090 D"), "rtx4090d");
  EXPECT_EQ(slug("NVIDIA A100-SXM4-80GB"), "a100");
  EXPECT_EQ(slug("NVIDIA A10"), "a10");
  EXPECT_EQ(slug("NVIDIA L40S"), "l40s");
  EXPECT_EQ(slug("NVIDIA H100 80GB HBM3"), "h100");
  EXPECT_EQ(slug("NVIDIA H200 NVL"), "h200-nvl");
  EXPECT_EQ(slug("NVIDIA GeForce RTX 3060 Laptop GPU"), "none");
  EXPECT_EQ(slug("NVIDIA GeForce GT 710"), "none");
  EXPECT_EQ(slug(""), "none");
}

TEST(Cards, people_may_type_a_model_as_they_like) {
  EXPECT_EQ(find_card_by_slug(builtin_cards(), "RTX 3060")->name, "GeForce RTX 3060");
  EXPECT_EQ(find_card_by_slug(builtin_cards(), "a100-40")->memory_gib, 40);
  EXPECT_EQ(find_card_by_slug(builtin_cards(), "voodoo2"), nullptr);
}

}  // namespace
}  // namespace premise
