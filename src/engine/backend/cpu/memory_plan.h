// Where the values of a step lie: one arena, in which values that are never needed at the same time
// share their bytes.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace premise {

/// A value is written in phase `first`, read for the last time in phase `last`.
struct Lifetime {
  std::size_t first = 0;
  std::size_t last = 0;
  std::size_t bytes = 0;  // 0: needs no place
};

struct MemoryPlan {
  std::vector<std::size_t> offsets;  // by value, multiples of `alignment`
  std::size_t bytes = 0;             // of the arena
};

/// Places each value at the lowest offset that is free during its whole life, the largest values
/// first. Deterministic; within a few percent of the peak of live bytes for chains of layers.
MemoryPlan plan_memory(std::span<const Lifetime> lifetimes, std::size_t alignment);

}  // namespace premise
