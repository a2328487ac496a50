// One plain loop does not reach what memory can give: a core waits for each page's beginning, and
// its hardware prefetcher follows few streams. What helps differs by processor, so two ways take
// turns and the best pass counts: eight streams a thread (29–30 GB/s where one gave 26: 2 threads,
// Sapphire Rapids), and one stream with prefetching a page ahead, which is how the engine's kernels
// read (Zen 4, where several streams a thread lose). The loop is plain C++ that compilers turn into
// 128-bit loads; wider ones gain nothing, since a core issues two loads a cycle and memory gives a
// few bytes a cycle.
#include "machine/measure/memory_bandwidth.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <set>

#include "machine/facts/words.h"
#include "machine/measure/stopwatch.h"
#include "numerics/device/available_memory.h"
#include "numerics/device/memory.h"
#include "numerics/device/thread_team.h"

namespace premise {
namespace {

using Word = std::uint64_t;

constexpr std::size_t line_words = 8;  // a cache line
constexpr std::size_t streams_most = 8;
constexpr std::uint64_t least_bytes = std::uint64_t{64} << 20;
constexpr std::uint64_t most_bytes = std::uint64_t{8} << 30;

/// Reads every word, prefetching `ahead_lines` in each stream; the sum keeps compilers from leaving
/// it out.
template <std::size_t streams, std::size_t ahead_lines>
Word read_all(const Word* words, std::size_t lines) {
  const std::size_t each = lines / streams;
  Word sums[line_words] = {};
  for (std::size_t line = 0; line < each; ++line) {
    for (std::size_t stream = 0; stream < streams; ++stream) {
      const Word* at = words + (stream * each + line) * line_words;
      __builtin_prefetch(at + ahead_lines * line_words);
      for (std::size_t i = 0; i < line_words; ++i) sums[i] += at[i];
    }
  }
  Word sum = 0;
  for (const Word part : sums) sum += part;
  return sum;
}

/// Bytes a second of `readers` of the team's threads: the best of the passes that fit.
double rate_of(ThreadTeam& team, int readers, const AlignedBuffer& memory, double seconds) {
  const std::size_t lines = memory.bytes() / (line_words * sizeof(Word));
  const Word* words = reinterpret_cast<const Word*>(memory.data());
  std::atomic<Word> sink{0};
  double best = 0;
  bool in_streams = false;
  const SteadyClock::time_point start = SteadyClock::now();
  do {
    const SteadyClock::time_point pass = SteadyClock::now();
    in_streams = !in_streams;
    team.run([&](int index) {
      if (index >= readers) return;
      const Range range = split(lines, readers, index, streams_most);
      const auto read = in_streams ? read_all<streams_most, 16> : read_all<1, 64>;
      sink += read(words + range.first * line_words, range.size());
    });
    best = std::max(best, static_cast<double>(memory.bytes()) / seconds_since(pass));
  } while (seconds_since(start) < seconds);
  return best;
}

}  // namespace

Result<std::vector<ThreadRate>> measure_memory_read(int threads, std::uint64_t cache_bytes,
                                                    double seconds,
                                                    const std::function<bool()>& stop) {
  const std::uint64_t available = available_memory_bytes().value_or(least_bytes * 4);
  const std::uint64_t wanted = std::max<std::uint64_t>(4 * cache_bytes, 4 * least_bytes);
  const std::uint64_t bytes = std::min({wanted, available / 4, most_bytes});
  if (bytes < least_bytes) {
    return error(ErrorCode::no_resources,
                 {"only {} bytes of memory are available, too few to measure with",
                  "仅有 {} 字节可用内存，不足以测量"},
                 available);
  }
  PREMISE_TRY(AlignedBuffer memory, AlignedBuffer::allocate(static_cast<std::size_t>(bytes)));
  PREMISE_TRY(const auto team, ThreadTeam::create(threads));
  // Each thread touches what it will read, so that its pages lie on its own socket.
  team->run([&](int index) {
    const Range range = split(memory.bytes(), threads, index, 4096);
    std::memset(memory.data() + range.first, index + 1, range.size());
  });
  std::vector<int> counts;
  for (int count = 1; count < threads; count *= 2) counts.push_back(count);
  counts.push_back(threads);
  std::vector<ThreadRate> rates;
  for (const int count : counts) {
    if (stop && stop()) break;
    rates.push_back({count, rate_of(*team, count, memory, seconds)});
  }
  return rates;
}

std::uint64_t last_cache_bytes(MachineSource& machine) {
  const auto line = read_line(machine, "/sys/devices/system/cpu/online");
  const auto cpus = line ? number_list(*line) : std::nullopt;
  std::set<std::string> seen;  // caches, by the processors that share them
  std::uint64_t total = 0;
  for (const int cpu : cpus.value_or(std::vector<int>{})) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/index3/";
    const auto shared = read_line(machine, folder + "shared_cpu_list");
    if (!shared || !seen.insert(*shared).second) continue;
    const std::string size = read_line(machine, folder + "size").value_or("");  // "32768K"
    total += static_cast<std::uint64_t>(leading_number(size).value_or(0)) * 1024;
  }
  return total;
}

}  // namespace premise
