#include "numerics/device/isa.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>

namespace premise {
namespace {

struct Name {
  Isa isa;
  std::string_view name;
};
constexpr std::array names{Name{Isa::ref, "ref"}, Name{Isa::avx2, "avx2"},
                           Name{Isa::avx512, "avx512"}, Name{Isa::amx_emulated, "amx-emulated"},
                           Name{Isa::amx, "amx"}};

struct Leaf {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  Leaf out;
  // __get_cpuid_count answers 0 for a leaf beyond the processor's last one: every bit stays clear.
  __get_cpuid_count(leaf, subleaf, &out.eax, &out.ebx, &out.ecx, &out.edx);
  return out;
}

/// XCR0: which register files the operating system saves on a context switch. A processor may
/// offer AVX-512 under a kernel (or hypervisor) that does not; its instructions then fault.
std::uint64_t enabled_state(const Leaf& basic) {
  if (!(basic.ecx & bit_OSXSAVE)) return 0;
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  // The intrinsic _xgetbv needs -mxsave, which the baseline of this file does not have.
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

bool has(std::uint64_t word, std::uint64_t bits) { return (word & bits) == bits; }

bool has_avx512_bf16() { return has(cpuid(7, 1).eax, 1u << 5); }

/// AMX needs three yeses: of the processor, of the kernel that saves the registers (XCR0), and of
/// the kernel for this process, which must ask before it touches a tile (arch_prctl(2), Linux 5.16;
/// Documentation/arch/x86/xstate.rst). The grant holds for all threads, later ones too. It fails
/// where a signal stack of the process is too small for the larger frames.
bool has_tiles(const Leaf& extended, std::uint64_t state) {
  constexpr std::uint64_t tile_state = 3u << 17;          // TILECFG, TILEDATA
  constexpr std::uint32_t amx = (1u << 22) | (1u << 24);  // AMX-BF16, AMX-TILE
  constexpr long request_permission = 0x1023;             // ARCH_REQ_XCOMP_PERM
  constexpr long tile_data = 18;                          // XFEATURE_XTILEDATA
  return has(extended.edx, amx) && has(state, tile_state) && has_avx512_bf16() &&
         ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

Isa detect() {
  const Leaf basic = cpuid(1, 0);
  const Leaf extended = cpuid(7, 0);
  const std::uint64_t state = enabled_state(basic);

  constexpr std::uint64_t ymm_state = 0x06;  // SSE, AVX
  constexpr std::uint64_t zmm_state = 0xe6;  // and mask registers, upper halves, zmm16 to zmm31
  constexpr std::uint32_t lzcnt = 1u << 5;   // of extended leaf 0x80000001
  const bool avx2 =
      has(state, ymm_state) && has(basic.ecx, bit_AVX | bit_FMA | bit_F16C | bit_MOVBE) &&
      has(extended.ebx, bit_AVX2 | bit_BMI | bit_BMI2) && has(cpuid(0x80000001, 0).ecx, lzcnt);
  if (!avx2) return Isa::ref;
  const bool avx512 =
      has(state, zmm_state) &&
      has(extended.ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL) &&
      has(extended.ecx, bit_AVX512VNNI);
  if (!avx512) return Isa::avx2;
  return has_tiles(extended, state) ? Isa::amx : Isa::avx512;
}

}  // namespace

std::string_view name_of(Isa isa) {
  for (const Name& entry : names) {
    if (entry.isa == isa) return entry.name;
  }
  assert(false);
  return {};
}

std::optional<Isa> isa_from_name(std::string_view name) {
  for (const Name& entry : names) {
    if (entry.name == name) return entry.isa;
  }
  return std::nullopt;
}

Isa widest_isa() {
  static const Isa widest = detect();
  return widest;
}

bool offers(Isa isa) {
  if (isa == Isa::amx_emulated) return widest_isa() >= Isa::avx512 && has_avx512_bf16();
  return isa <= widest_isa();
}

Result<Isa> choose_isa(std::optional<std::string_view> forced) {
  const Isa widest = widest_isa();
  if (!forced) return widest;
  const std::optional<Isa> wanted = isa_from_name(*forced);
  if (!wanted) {
    return error(ErrorCode::usage,
                 {"PREMISE_ISA: '{}' is not an instruction set that Premise knows",
                  "PREMISE_ISA：Premise 不认识指令集“{}”"},
                 *forced)
        .with_hint(text({"use ref, avx2, avx512 or amx, or unset it for the widest one",
                         "请使用 ref、avx2、avx512 或 amx；不设置则自动选择最宽的一种"}));
  }
  if (!offers(*wanted)) {
    Error refused = error(ErrorCode::usage,
                          {"PREMISE_ISA: this machine does not offer {}; its widest set is {}",
                           "PREMISE_ISA：本机不支持 {}，最宽的指令集是 {}"},
                          *forced, name_of(widest));
    if (*wanted == Isa::amx)
      return std::move(refused).with_hint(
          text({"unset PREMISE_ISA to use {}; premise doctor says what AMX lacks here",
                "取消 PREMISE_ISA 即可使用 {}；premise doctor 会说明本机 AMX 不可用的原因"},
               name_of(widest)));
    return std::move(refused).with_hint(
        text({"unset PREMISE_ISA to use {}", "取消 PREMISE_ISA 即可使用 {}"}, name_of(widest)));
  }
  return *wanted;
}

}  // namespace premise
