// What engines share: the one team of threads, the instruction set and the memory of the machine.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "numerics/device/isa.h"
#include "numerics/device/thread_team.h"
#include "numerics/kernels/usable_isa.h"

namespace premise {

struct HostOptions {
  int threads = 0;                      // 0: one for each physical core that this process may use
  std::optional<std::string_view> isa;  // PREMISE_ISA, where set; never replaced by another
};

/// Outlives the engines that borrow from it. One engine computes at a time.
class Host {
 public:
  static Result<std::unique_ptr<Host>> create(const HostOptions& options);

  ThreadTeam& team() { return *team_; }
  Isa isa() const { return usable_.isa; }
  /// Why it is narrower than what the machine offers, to be shown; usually nothing.
  const std::optional<Text>& isa_notice() const { return usable_.notice; }

  /// Error (no_resources) where the machine has less memory to give than `bytes`, needed for
  /// `what`.
  Status afford(std::uint64_t bytes, const Text& what) const;

 private:
  Host(std::unique_ptr<ThreadTeam> team, UsableIsa usable)
      : team_(std::move(team)), usable_(std::move(usable)) {}

  std::unique_ptr<ThreadTeam> team_;
  UsableIsa usable_;
};

}  // namespace premise
