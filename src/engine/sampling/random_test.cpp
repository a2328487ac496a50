#include "engine/sampling/random.h"

#include <gtest/gtest.h>

#include <set>

namespace premise {
namespace {

// As the authors' C program gives it; rand_xoshiro of Rust tests the same numbers.
TEST(Random, is_xoshiro256_plus_plus) {
  Random random(Random::State{1, 2, 3, 4});
  for (const std::uint64_t expected : {41943041u, 58720359u}) EXPECT_EQ(random.bits(), expected);
  for (const std::uint64_t expected :
       {3588806011781223u, 3591011842654386u, 9228616714210784205u, 9973669472204895162u,
        14011001112246962877u, 12406186145184390807u, 15849039046786891736u, 10450023813501588000u})
    EXPECT_EQ(random.bits(), expected);
}

TEST(SplitMix, gives_its_published_sequence) {
  std::uint64_t state = 1234567;
  for (const std::uint64_t expected :
       {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u,
        16408922859458223821u})
    EXPECT_EQ(split_mix(state), expected);
}

TEST(Random, uniform_numbers_lie_in_the_half_open_unit_interval_and_fill_it) {
  Random random(3);
  int bins[16] = {};
  for (int i = 0; i < 16'000; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    ++bins[static_cast<int>(u * 16.0)];
  }
  double chi_square = 0.0;
  for (const int count : bins) chi_square += (count - 1000.0) * (count - 1000.0) / 1000.0;
  EXPECT_LT(chi_square, 37.7);  // 15 degrees, 1 in 1,000
}

TEST(Random, neighbouring_seeds_have_nothing_in_common) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    for (int i = 0; i < 10; ++i) seen.insert(random.bits());
  }
  EXPECT_EQ(seen.size(), 1000u);
}

}  // namespace
}  // namespace premise
