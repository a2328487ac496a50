#include "engine/host.h"

#include "numerics/device/available_memory.h"
#include "numerics/device/cpu.h"

namespace premise {

Result<std::unique_ptr<Host>> Host::create(const HostOptions& options) {
  PREMISE_TRY(UsableIsa usable, usable_isa(options.isa));
  const int threads = options.threads > 0 ? options.threads : default_thread_count();
  PREMISE_TRY(auto team, ThreadTeam::create(threads));
  return std::unique_ptr<Host>(new Host(std::move(team), std::move(usable)));
}

Status Host::afford(std::uint64_t bytes, const Text& what) const {
  const auto available = available_memory_bytes();
  if (!available || bytes <= *available) return {};
  constexpr double gigabyte = 1e9;
  const auto in_gigabytes = [](std::uint64_t n) { return static_cast<double>(n) / gigabyte; };
  return Error{ErrorCode::no_resources,
               {fmt::format("{} needs {:.2f} GB of memory; {:.2f} GB are available", what.en,
                            in_gigabytes(bytes), in_gigabytes(*available)),
                fmt::format("{}需要 {:.2f} GB 内存，目前可用 {:.2f} GB", what.zh,
                            in_gigabytes(bytes), in_gigabytes(*available))},
               text({"use a smaller context or a smaller weight type",
                     "请减小上下文长度，或使用更小的权重类型"})};
}

}  // namespace premise
