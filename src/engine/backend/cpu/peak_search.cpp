#include "engine/backend/cpu/peak_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "numerics/kernels/contracts/packed_layout.h"

namespace premise {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr Peak no_peak{-infinity, 0};
constexpr std::size_t panels_at_once = 16;  // whose products stay in the first-level cache

// Blocks that a thread takes at a time: long enough a stream for memory, and a thread that lost its
// processor for a while leaves the rest to the others. The head is a phase of many milliseconds.
constexpr std::size_t blocks_at_once = 64;

// Products beyond this could overflow on the way, and a bound that did says nothing.
constexpr float bound_max = 1e25f;

bool above(const Peak& a, const Peak& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

}  // namespace

Result<std::unique_ptr<PeakSearch>> PeakSearch::create(const PackedMatrix& head, Isa isa,
                                                       std::size_t rows_max, ThreadTeam& team) {
  const PeakKernel* kernel = peak_kernel(isa, head);
  if (kernel == nullptr) return std::unique_ptr<PeakSearch>();
  auto self = std::unique_ptr<PeakSearch>(
      new PeakSearch(head, *kernel, *matmul_kernel(isa, head.layout), team));
  PREMISE_CHECK(self->allocate(rows_max));
  if (!self->measure_norms()) return std::unique_ptr<PeakSearch>();
  return self;
}

Status PeakSearch::allocate(std::size_t rows_max) {
  blocks_ = peak_block_count(head_.rows);
  PREMISE_TRY(coarse_memory_, AlignedBuffer::allocate(coarse_bytes(rows_max, head_.columns)));
  coarse_ = coarse_rows_at(coarse_memory_.data(), rows_max, head_.columns);
  const std::uint64_t norms = panel_count(head_.rows) * panel_rows;
  PREMISE_TRY(bounds_memory_,
              AlignedBuffer::allocate((norms + rows_max * blocks_) * sizeof(float)));
  norms_ = reinterpret_cast<float*>(bounds_memory_.data());
  upper_ = norms_ + norms;
  unbounded_.resize(rows_max);
  found_.resize(static_cast<std::size_t>(team_.size()));
  return {};
}

bool PeakSearch::measure_norms() {
  team_.run([this](int thread) {
    const Range panels = split(panel_count(head_.rows), team_.size(), thread);
    kernel_->norms(head_, panels.first, panels.last, norms_);
  });
  const std::span norms(norms_, panel_count(head_.rows) * panel_rows);
  for (const float norm : norms) {
    if (!std::isfinite(norm)) return false;
    largest_norm_ = std::max(largest_norm_, norm);
  }
  return true;
}

void PeakSearch::begin(const QuantizedRows& in, std::size_t first, std::size_t count) {
  in_ = in;
  first_ = first;
  count_ = count;
  counter_.reset(blocks_, blocks_at_once);
  for (Found& found : found_) {
    found.lower.assign(count, -infinity);
    found.peaks.assign(count, no_peak);
  }
}

void PeakSearch::coarsen(int thread) {
  if (few()) return;
  const Range rows = split(count_, team_.size(), thread);
  for (std::size_t i = rows.first; i < rows.last; ++i) {
    premise::coarsen(in_, first_ + i, head_.columns, coarse_, i);
    const float reach = coarse_.slack[i] * largest_norm_;
    unbounded_[i] = !(reach < bound_max);  // NaN too
    if (unbounded_[i] != 0) coarse_.slack[i] = 0.0f;
  }
}

void PeakSearch::bound(int thread, void* scratch) {
  Found& found = found_[static_cast<std::size_t>(thread)];
  const std::uint64_t panels = panel_count(head_.rows);
  for (Range blocks = counter_.next(); !blocks.empty(); blocks = counter_.next()) {
    if (!few()) {
      kernel_->bound(head_, norms_, blocks.first, blocks.last, coarse_, count_, upper_, blocks_,
                     found.lower.data());
      continue;
    }
    const std::uint64_t last = std::min<std::uint64_t>(panels, blocks.last * peak_block_panels);
    for (std::uint64_t panel = blocks.first * peak_block_panels; panel < last;
         panel += panels_at_once)
      multiply(panel, std::min<std::uint64_t>(panels_at_once, last - panel), 0, count_, scratch,
               found.peaks);
  }
}

void PeakSearch::settle(int thread, void* scratch) {
  if (few()) return;
  const Range blocks = split(blocks_, team_.size(), thread);
  const std::uint64_t panels = panel_count(head_.rows);
  std::span<Peak> best(found_[static_cast<std::size_t>(thread)].peaks);
  for (std::size_t row = 0; row < count_; ++row) {
    float least = -infinity;  // the largest product is not below it
    for (const Found& found : found_) least = std::max(least, found.lower[row]);
    const float* upper = upper_ + row * blocks_;
    for (std::size_t block = blocks.first; block < blocks.last; ++block) {
      if (unbounded_[row] == 0 && upper[block] < least) continue;
      const std::uint64_t first = std::uint64_t{block} * peak_block_panels;
      multiply(first, std::min<std::uint64_t>(peak_block_panels, panels - first), row, 1, scratch,
               best.subspan(row, 1));
    }
  }
}

// Exact products of some panels (at most panels_at_once) and rows (at most few_rows), into `best`.
void PeakSearch::multiply(std::uint64_t first_panel, std::uint64_t panels, std::size_t first_row,
                          std::size_t rows, void* scratch, std::span<Peak> best) const {
  constexpr std::size_t most = panels_at_once * panel_rows;
  const std::uint64_t first = first_panel * panel_rows;
  PackedMatrix part = head_;
  part.data += first_panel * head_.panel_bytes;
  part.rows = std::min<std::uint64_t>(panels * panel_rows, head_.rows - first);
  const Activations input{nullptr, 0, without_first(in_, first_ + first_row)};
  float products[few_rows * most];
  exact_.run(part, 0, panels, input, rows, products, most, scratch);
  for (std::size_t row = 0; row < rows; ++row) {
    Peak here = finite_peak(std::span(products + row * most, part.rows));
    here.token += first;
    if (here.logit != -infinity && above(here, best[row])) best[row] = here;
  }
}

std::span<const Peak> PeakSearch::collect() {
  peaks_.assign(count_, no_peak);
  for (const Found& found : found_)
    for (std::size_t row = 0; row < count_; ++row)
      if (above(found.peaks[row], peaks_[row])) peaks_[row] = found.peaks[row];
  return peaks_;
}

}  // namespace premise
