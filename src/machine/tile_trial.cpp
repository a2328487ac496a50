// AMX needs three yeses. The processor must name it (CPUID leaf 7, EDX bit 24 for tiles, 25 for
// int8, 22 for bf16), the kernel must save its 8 KiB of registers, which it does only for processes
// that asked (arch_prctl(2), since Linux 5.16; Documentation/arch/x86/xstate.rst), and no
// hypervisor may have taken the instructions away. The last one only an instruction can tell.
#include "machine/tile_trial.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "machine/child_process.h"

namespace premise {
namespace {

constexpr char refused = 'r';
constexpr char wrong = 'w';
constexpr char works = 'y';

bool processor_names_tiles() {
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
  constexpr std::uint32_t amx_tile = 1u << 24;
  constexpr std::uint32_t amx_int8 = 1u << 25;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 &&
         (edx & (amx_tile | amx_int8)) == (amx_tile | amx_int8);
}

/// One product: 1 × 4 bytes of threes by 4 × 1 bytes of fives is 60. Instructions stand as bytes,
/// since their names are unknown to assemblers of this file's baseline.
bool multiply_one_tile() {
  struct alignas(64) Configuration {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {4, 4, 4};
    std::uint8_t rows[16] = {1, 1, 1};
  };
  static_assert(sizeof(Configuration) == 64);
  const Configuration configuration;
  const std::array<std::uint8_t, 4> threes{3, 3, 3, 3};
  const std::array<std::uint8_t, 4> fives{5, 5, 5, 5};
  std::int32_t product = 0;
  const std::uint64_t stride = 64;
  asm volatile(
      ".byte 0xc4, 0xe2, 0x78, 0x49, 0x07\n\t"        // ldtilecfg   (%%rdi)
      ".byte 0xc4, 0xe2, 0x7b, 0x49, 0xc0\n\t"        // tilezero    %%tmm0
      ".byte 0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x0e\n\t"  // tileloadd   (%%rsi,%%rcx), %%tmm1
      ".byte 0xc4, 0xe2, 0x7b, 0x4b, 0x14, 0x0a\n\t"  // tileloadd   (%%rdx,%%rcx), %%tmm2
      ".byte 0xc4, 0xe2, 0x68, 0x5e, 0xc1\n\t"        // tdpbuud     %%tmm2, %%tmm1, %%tmm0
      ".byte 0xc4, 0xe2, 0x7a, 0x4b, 0x04, 0x08\n\t"  // tilestored  %%tmm0, (%%rax,%%rcx)
      ".byte 0xc4, 0xe2, 0x78, 0x49, 0xc0"            // tilerelease
      :
      : "D"(&configuration), "S"(threes.data()), "d"(fives.data()), "a"(&product), "c"(stride)
      : "memory");
  return product == 60;
}

std::size_t ask(char* buffer) {
  constexpr long request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long tile_data = 18;               // XFEATURE_XTILEDATA
  if (::syscall(SYS_arch_prctl, request_permission, tile_data) != 0) {
    *buffer = refused;
  } else {
    *buffer = multiply_one_tile() ? works : wrong;
  }
  return 1;
}

}  // namespace

ProcessorTrial::Amx try_tiles() {
  using Amx = ProcessorTrial::Amx;
  if (!processor_names_tiles()) return Amx::absent;
  const auto end = try_in_fork(ask, std::chrono::milliseconds(1000));
  if (!end) return Amx::refused;
  if (end->bytes.size() != 1) return Amx::faulted;
  if (end->bytes.front() == refused) return Amx::refused;
  return end->bytes.front() == works ? Amx::works : Amx::faulted;
}

}  // namespace premise
