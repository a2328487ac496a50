// A processor, a hypervisor or an emulator of one may grant tiles and compute something else, and
// wrong sums look like a worse model. So the kernel that will compute is asked first. Odd sizes:
// every shape of a product (two or one tile of tokens, two panels or one; sums from nothing and
// sums taken up again) and every edge occurs. In a child process, since a hypervisor that carries
// no tiles lets their instructions fault.
#include "numerics/kernels/usable_isa.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "numerics/kernels/contracts/packed_layout.h"
#include "numerics/kernels/matmul.h"
#include "numerics/kernels/packed_format.h"
#include "numerics/tensor/dtype.h"

namespace premise {
namespace {

constexpr std::uint64_t rows = 40;
constexpr std::uint64_t columns = 595;
constexpr std::size_t tokens = 37;

struct Delete {
  void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t{64}); }
};
using Bytes = std::unique_ptr<std::byte, Delete>;

Bytes zeros(std::uint64_t bytes) {
  auto* memory = static_cast<std::byte*>(::operator new(bytes, std::align_val_t{64}));
  std::memset(memory, 0, bytes);
  return Bytes(memory);
}

/// −4 … 4, in no order that a wrong row or column would keep.
float small(std::uint64_t i) { return static_cast<float>(i * 2654435761u % 4093 % 9) - 4.0f; }

std::uint16_t bf16_of(float exact) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(exact) >> 16);
}

std::vector<float> product(const MatmulKernel& kernel, const std::byte* weights,
                           const TileRows& x) {
  std::vector<float> y(tokens * rows, -1.0f);
  const Bytes scratch = zeros(kernel.scratch_bytes);
  const PackedMatrix matrix = view_of(DType::bf16, rows, columns, weights);
  kernel.run(matrix, 0, panel_count(rows), {nullptr, 0, {}, x}, tokens, y.data(), rows,
             scratch.get());
  return y;
}

constexpr int yes = 0;

}  // namespace

bool holds_in_child(bool (*check)()) {
  const pid_t child = ::fork();
  if (child < 0) return check();  // no process to be had: then without the net
  if (child == 0) {
    ::prctl(PR_SET_DUMPABLE, 0);  // a fault is an answer, no core to keep
    for (const int fault : {SIGILL, SIGSEGV, SIGBUS, SIGFPE}) ::signal(fault, SIG_DFL);
    ::_exit(check() ? yes : 1);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == yes;
}

namespace {

bool tiles_agree() {
  static const bool agree = holds_in_child([] {
    return same_product(*tile_kernel(Isa::amx, Layout::bf16),
                        *tile_kernel(Isa::amx_emulated, Layout::bf16));
  });
  return agree;
}

}  // namespace

bool same_product(const MatmulKernel& kernel, const MatmulKernel& expected) {
  const std::uint64_t panel_bytes = *panel_bytes_of(*packed_format(DType::bf16), columns);
  const Bytes weights = zeros(panel_count(rows) * panel_bytes);
  for (std::uint64_t row = 0; row < rows; ++row)
    for (std::uint64_t k = 0; k < columns; ++k) {
      const std::uint16_t value = bf16_of(small(row * columns + k));
      std::memcpy(weights.get() + row / panel_rows * panel_bytes +
                      (k * panel_rows + row % panel_rows) * sizeof value,
                  &value, sizeof value);
    }
  const Bytes input = zeros(tile_rows_bytes(tokens, columns));
  const TileRows x = tile_rows_at(input.get(), columns);
  for (std::size_t token = 0; token < tokens; ++token)
    for (std::uint64_t k = 0; k < columns; ++k)
      x.data[token / 16 * x.block_stride + k / 32 * 512 + token % 16 * 32 + k % 32] =
          bf16_of(small(7 + 131 * token + k));
  return product(kernel, weights.get(), x) == product(expected, weights.get(), x);
}

Result<UsableIsa> usable_isa(std::optional<std::string_view> forced) {
  PREMISE_TRY(const Isa chosen, choose_isa(forced));
  return usable_isa(forced, chosen, chosen != Isa::amx || tiles_agree());
}

Result<UsableIsa> usable_isa(std::optional<std::string_view> forced, Isa chosen, bool tiles_agree) {
  if (chosen != Isa::amx || tiles_agree) return UsableIsa{chosen, std::nullopt};
  if (!forced)
    return UsableIsa{Isa::avx512,
                     text({"warning: this machine's AMX tiles failed the check at the "
                           "start; Premise computes with AVX-512",
                           "警告：本机 AMX 未通过启动自检；Premise 改用 AVX-512 计算"})};
  return error(ErrorCode::usage,
               {"PREMISE_ISA: this machine's AMX tiles failed the check at the start",
                "PREMISE_ISA：本机 AMX 未通过启动自检"})
      .with_hint(text(
          {"unset PREMISE_ISA to compute with AVX-512", "取消 PREMISE_ISA 即可使用 AVX-512 计算"}));
}

}  // namespace premise
