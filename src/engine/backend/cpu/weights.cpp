#include "engine/backend/cpu/weights.h"

#include <algorithm>
#include <chrono>

#include "base/version.h"
#include "model/plan/matrices.h"
#include "numerics/kernels/contracts/packed_layout.h"
#include "numerics/quant/decode.h"

namespace premise {
namespace {

// Source bytes packed between two releases of the file's pages: large against a thread's start
// (about 2 µs at 1 GB/s per 2 kB), small against the 150 MB that a process may use on top.
constexpr std::uint64_t release_bytes = 16u << 20;

void pack(const TensorView& view, const TensorSource& source, ThreadTeam& team,
          std::byte* destination) {
  const std::uint64_t panels = panel_count(view.shape.rows());
  const std::uint64_t row_size = view.bytes.size() / view.shape.rows();
  const std::uint64_t step = std::max<std::uint64_t>(1, release_bytes / (16 * row_size));
  for (std::uint64_t begin = 0; begin < panels; begin += step) {
    const std::uint64_t end = std::min(panels, begin + step);
    team.run([&](int thread) {
      const Range part = split(end - begin, team.size(), thread);
      pack_panels(view, begin + part.first, begin + part.last, destination);
    });
    const std::uint64_t first = begin * 16 * row_size;
    const std::uint64_t last = std::min<std::uint64_t>(end * 16 * row_size, view.bytes.size());
    source.release(view.bytes.subspan(first, last - first));
  }
}

Text place_of(const TensorSource& source, const std::string& tensor) {
  return text({"{}: tensor {}", "{}：张量 {}"}, source.path(), tensor);
}

Result<std::vector<float>> decode_vector(const TensorSource& source, const Weight& weight) {
  const TensorView view = source.view(weight.source_index);
  std::vector<float> values(view.shape.elements());
  auto decoded = decode_row(view.dtype, view.bytes, values);
  if (!decoded) return at(place_of(source, weight.name), std::move(decoded).error());
  return values;
}

// A time stamp of the file system is as coarse as a tick of the kernel: a file changed a moment ago
// may be changed again without its identity telling.
constexpr std::int64_t settled_ns = 100'000'000;

bool is_settled(const SourceOrigin& origin) {
  const std::int64_t now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count();
  return std::ranges::all_of(origin.files, [&](const SourceFile& file) {
    return now - std::max(file.identity.modified_ns, file.identity.changed_ns) > settled_ns;
  });
}

void say(const PackedCacheOptions& cache, const Text& line) {
  if (cache.notice) cache.notice(line);
}

/// Whether the matrices are in `memory` now.
bool read_from(const PackedCacheOptions& cache, const PackedHeader& header, ThreadTeam& team,
               std::span<std::byte> memory) {
  const auto read = read_packed(packed_path(cache.folder, header.key), header, team, memory);
  if (read.ok()) return *read;
  say(cache, at(text({"packing the weights again", "重新重排权重"}), read.error()).what);
  return false;
}

}  // namespace

Result<PackedHeader> CpuWeights::lay_out(const Plan& plan, const TensorSource& source) {
  PackedHeader header;
  header.layout_version = packed_layout_version;
  header.isa = "any";
  header.program = version();
  const std::vector<bool> is_matrix = matrices_of(plan);
  for (std::size_t i = 0; i < plan.weights.size(); ++i) {
    if (!is_matrix[i]) {
      PREMISE_TRY(vectors_[i], decode_vector(source, plan.weights[i]));
      continue;
    }
    const TensorInfo& tensor = source.tensors()[plan.weights[i].source_index];
    auto bytes = packed_bytes(tensor.dtype, tensor.shape.rows(), tensor.shape.columns());
    if (!bytes) return at(place_of(source, tensor.name), std::move(bytes).error());
    header.sections.push_back({tensor.name, static_cast<std::uint32_t>(tensor.dtype),
                               tensor.shape.rows(), tensor.shape.columns(), header.data_bytes,
                               *bytes});
    header.data_bytes += *bytes;
  }
  return header;
}

Status CpuWeights::fill(const Plan& plan, const TensorSource& source, ThreadTeam& team,
                        const PackedCacheOptions* cache, PackedHeader header) {
  const SourceOrigin origin = source.origin();
  if (cache && header.data_bytes >= cache->least_bytes)
    header.key = packed_key(cache->sha256, origin);
  const bool cached = !header.key.empty();
  if (cached) header.model = cache->model;
  for (const SourceFile& file : origin.files) {
    std::error_code code;
    header.origins.push_back({std::filesystem::absolute(file.path, code).string(), file.identity});
  }
  if (cached && read_from(*cache, header, team, {memory_.data(), memory_.bytes()})) {
    // Reading the vectors has mapped pages of matrices around them, which pack() would give back.
    for (std::size_t i = 0; i < plan.weights.size(); ++i)
      if (matrices_[i].data) source.release(source.view(plan.weights[i].source_index).bytes);
    return {};
  }
  for (std::size_t i = 0; i < plan.weights.size(); ++i)
    if (matrices_[i].data)
      pack(source.view(plan.weights[i].source_index), source, team,
           const_cast<std::byte*>(matrices_[i].data));
  if (!cached || !is_settled(origin)) return {};
  PREMISE_CHECK(source.check_unchanged());  // a mixture of two models must not outlive this load
  auto writer = PackedWriter::start(*cache, std::move(header), {memory_.data(), memory_.bytes()});
  if (writer.ok())
    writer_ = std::move(writer).value();
  else
    say(*cache,
        at(text({"packed weights are not cached", "重排权重未写入缓存"}), std::move(writer).error())
            .what);
  return {};
}

Result<CpuWeights> CpuWeights::load(const Plan& plan, const TensorSource& source, ThreadTeam& team,
                                    const PackedCacheOptions* cache) {
  CpuWeights weights;
  weights.matrices_.resize(plan.weights.size());
  weights.vectors_.resize(plan.weights.size());
  PREMISE_TRY(PackedHeader header, weights.lay_out(plan, source));
  PREMISE_TRY(weights.memory_, AlignedBuffer::allocate(header.data_bytes));
  const std::vector<bool> is_matrix = matrices_of(plan);
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < plan.weights.size(); ++i) {
    if (!is_matrix[i]) continue;
    const TensorInfo& tensor = source.tensors()[plan.weights[i].source_index];
    weights.matrices_[i] = view_of(tensor.dtype, tensor.shape.rows(), tensor.shape.columns(),
                                   weights.memory_.data() + offset);
    offset += *packed_bytes(tensor.dtype, tensor.shape.rows(), tensor.shape.columns());
  }
  PREMISE_CHECK(weights.fill(plan, source, team, cache, std::move(header)));
  return weights;
}

}  // namespace premise
