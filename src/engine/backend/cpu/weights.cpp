#include "engine/backend/cpu/weights.h"

#include <algorithm>

#include "model/plan/matrices.h"
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

}  // namespace

Result<CpuWeights> CpuWeights::load(const Plan& plan, const TensorSource& source,
                                    ThreadTeam& team) {
  CpuWeights weights;
  weights.matrices_.resize(plan.weights.size());
  weights.vectors_.resize(plan.weights.size());
  const std::vector<bool> is_matrix = matrices_of(plan);

  std::vector<std::uint64_t> offsets(plan.weights.size(), 0);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < plan.weights.size(); ++i) {
    const TensorInfo& tensor = source.tensors()[plan.weights[i].source_index];
    if (!is_matrix[i]) {
      PREMISE_TRY(weights.vectors_[i], decode_vector(source, plan.weights[i]));
      continue;
    }
    auto bytes = packed_bytes(tensor.dtype, tensor.shape.rows(), tensor.shape.columns());
    if (!bytes) return at(place_of(source, tensor.name), std::move(bytes).error());
    offsets[i] = total;
    total += *bytes;
  }
  PREMISE_TRY(weights.memory_, AlignedBuffer::allocate(total));
  for (std::size_t i = 0; i < plan.weights.size(); ++i) {
    if (!is_matrix[i]) continue;
    const TensorView view = source.view(plan.weights[i].source_index);
    std::byte* place = weights.memory_.data() + offsets[i];
    weights.matrices_[i] = view_of(view.dtype, view.shape.rows(), view.shape.columns(), place);
    pack(view, source, team, place);
  }
  return weights;
}

}  // namespace premise
