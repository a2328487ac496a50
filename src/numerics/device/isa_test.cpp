#include "numerics/device/isa.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace premise {
namespace {

/// The flags of the first processor in /proc/cpuinfo: the kernel's own opinion.
std::set<std::string> kernel_flags() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("flags", 0) != 0) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    std::set<std::string> flags;
    for (std::string word; words >> word;) flags.insert(word);
    return flags;
  }
  return {};
}

bool all_in(const std::set<std::string>& flags, std::initializer_list<const char*> wanted) {
  for (const char* flag : wanted) {
    if (!flags.contains(flag)) return false;
  }
  return true;
}

TEST(Isa, NamesGoBothWays) {
  for (Isa isa : {Isa::ref, Isa::avx2, Isa::avx512, Isa::amx_emulated, Isa::amx})
    EXPECT_EQ(isa_from_name(name_of(isa)), isa);
  EXPECT_EQ(isa_from_name("AVX2"), std::nullopt);
  EXPECT_EQ(isa_from_name(""), std::nullopt);
}

TEST(Isa, TheWidestSetIsTheOneTheKernelReports) {
  const std::set<std::string> flags = kernel_flags();
  if (flags.empty()) GTEST_SKIP() << "/proc/cpuinfo lists no flags here";
  const bool avx2 = all_in(flags, {"avx2", "fma", "f16c", "bmi1", "bmi2", "movbe", "abm"});
  const bool avx512 = avx2 && all_in(flags, {"avx512f", "avx512bw", "avx512cd", "avx512dq",
                                             "avx512vl", "avx512_vnni"});
  // Tiles the kernel must also grant to the process, which its flags do not tell.
  const bool amx = avx512 && all_in(flags, {"amx_tile", "amx_bf16", "avx512_bf16"});
  if (amx && widest_isa() == Isa::amx) return;
  EXPECT_EQ(widest_isa(), avx512 ? Isa::avx512 : avx2 ? Isa::avx2 : Isa::ref);
}

TEST(Isa, WithoutForceTheWidestIsChosen) {
  const Result<Isa> chosen = choose_isa(std::nullopt);
  ASSERT_TRUE(chosen.ok());
  EXPECT_EQ(*chosen, widest_isa());
}

TEST(Isa, EveryNarrowerSetCanBeForced) {
  for (Isa isa : {Isa::ref, Isa::avx2, Isa::avx512, Isa::amx_emulated, Isa::amx}) {
    const Result<Isa> chosen = choose_isa(name_of(isa));
    if (offers(isa)) {
      ASSERT_TRUE(chosen.ok()) << name_of(isa);
      EXPECT_EQ(*chosen, isa);
    } else {
      ASSERT_FALSE(chosen.ok()) << name_of(isa);
      EXPECT_NE(chosen.error().what.en.find(name_of(isa)), std::string::npos);
    }
  }
}

TEST(Isa, AnUnknownNameIsAnErrorThatQuotesItInBothLanguages) {
  const Result<Isa> chosen = choose_isa("avx10");
  ASSERT_FALSE(chosen.ok());
  EXPECT_EQ(chosen.error().code, ErrorCode::usage);
  EXPECT_NE(chosen.error().what.en.find("'avx10'"), std::string::npos);
  EXPECT_NE(chosen.error().what.zh.find("“avx10”"), std::string::npos);
  EXPECT_FALSE(chosen.error().hint.empty());
}

TEST(Isa, AnEmptyNameIsNotTheSameAsNone) { EXPECT_FALSE(choose_isa("").ok()); }

}  // namespace
}  // namespace premise
