#include "machine/compatibility/rules.h"

#include <algorithm>
#include <tuple>

namespace premise {
namespace {

Version version_of(const std::string& text) { return parse_version(text).value_or(Version{}); }

// A driver that lists "450.51.05" as the first for CUDA 11.0 and "450.80.02" as the first for all
// of 11.x runs 11.0 from the earlier one on.
std::optional<std::string> minor_driver(const Matrix& matrix, const Version& cuda) {
  for (const MinorCompatibilityRow& row : matrix.minor_compatibility) {
    if (row.cuda.major == cuda.major) return row.driver;
  }
  return std::nullopt;
}

// The row of the release, or of the next later one of the same major where it has no row.
const CudaRow* row_at_or_after(const Matrix& matrix, const Version& cuda) {
  for (const CudaRow& row : matrix.cuda) {
    if (row.cuda.major == cuda.major && row.cuda.minor >= cuda.minor) return &row;
  }
  return nullptr;
}

struct KernelTarget {
  Version capability;
  bool machine_code = false;
  bool ptx = false;
  char suffix = 0;  // 'a' or 'f'
};

// "90a" or "9.0": the last digit is the minor version where there is no dot.
std::optional<Version> capability_of(std::string_view digits) {
  if (digits.find('.') != std::string_view::npos) return parse_version(digits);
  const std::optional<Version> whole = parse_version(digits);
  if (!whole || whole->major < 10) return std::nullopt;
  return Version{whole->major / 10, whole->major % 10, 0};
}

std::optional<KernelTarget> parse_target(std::string_view text) {
  KernelTarget target;
  target.machine_code = true;
  if (text.starts_with("compute_")) {
    target.machine_code = false;
    target.ptx = true;
    text.remove_prefix(8);
  } else if (text.starts_with("sm_")) {
    text.remove_prefix(3);
  }
  if (text.ends_with("+PTX")) {
    target.ptx = true;
    text.remove_suffix(4);
  }
  if (text.ends_with('a') || text.ends_with('f')) {
    target.suffix = text.back();
    text.remove_suffix(1);
  }
  const std::optional<Version> capability = capability_of(text);
  if (!capability) return std::nullopt;
  target.capability = *capability;
  return target;
}

bool runs_machine_code(const KernelTarget& target, const Version& card) {
  if (!target.machine_code || target.capability.major != card.major) return false;
  if (target.suffix == 'a') return target.capability == card;
  return target.capability.minor <= card.minor;
}

bool runs_ptx(const KernelTarget& target, const Version& card) {
  if (!target.ptx) return false;
  if (target.suffix == 'a') return target.capability == card;
  if (target.suffix == 'f') {
    return target.capability.major == card.major && target.capability <= card;
  }
  return target.capability <= card;
}

}  // namespace

DriverFit driver_fit(const Matrix& matrix, const Version& driver, const Version& cuda) {
  if (const CudaRow* row = row_at_or_after(matrix, cuda);
      row && driver >= version_of(row->driver)) {
    return DriverFit::full;
  }
  const std::optional<Version> newest = newest_cuda(matrix, driver);
  if (newest && newest->major > cuda.major) return DriverFit::full;
  const std::optional<std::string> minor = minor_driver(matrix, cuda);
  if (minor && driver >= version_of(*minor)) return DriverFit::minor_only;
  return DriverFit::insufficient;
}

std::optional<std::string> driver_needed(const Matrix& matrix, const Version& cuda) {
  if (std::optional<std::string> minor = minor_driver(matrix, cuda)) return minor;
  if (const CudaRow* row = row_at_or_after(matrix, cuda)) return row->driver;
  return std::nullopt;
}

std::optional<Version> newest_cuda(const Matrix& matrix, const Version& driver) {
  std::optional<Version> newest;
  for (const CudaRow& row : matrix.cuda) {
    if (driver >= version_of(row.driver)) newest = row.cuda;
  }
  return newest;
}

const CudaRow* find_cuda(const Matrix& matrix, const Version& cuda) {
  for (const CudaRow& row : matrix.cuda) {
    if (row.cuda.major == cuda.major && row.cuda.minor == cuda.minor) return &row;
  }
  return nullptr;
}

const DriverBranch* find_branch(const Matrix& matrix, int branch) {
  for (const DriverBranch& row : matrix.branches) {
    if (row.branch == branch) return &row;
  }
  return nullptr;
}

bool support_ended(const DriverBranch& branch, std::string_view day) {
  return branch.end == "ended" || day.substr(0, branch.end.size()) > branch.end;
}

const DriverBranch* long_term_branch(const Matrix& matrix, std::string_view day) {
  const DriverBranch* newest = nullptr;
  for (const DriverBranch& row : matrix.branches) {
    if (row.kind == DriverBranch::Kind::long_term && !support_ended(row, day)) newest = &row;
  }
  return newest;
}

std::string_view architecture_name(const Matrix& matrix, const Version& capability) {
  for (const ArchitectureRow& row : matrix.architectures) {
    if (std::ranges::find(row.capabilities, capability) != row.capabilities.end()) return row.name;
  }
  return {};
}

std::optional<Version> first_cuda_for(const Matrix& matrix, const Version& capability) {
  for (const CudaRow& row : matrix.cuda) {
    if (std::ranges::find(row.capabilities, capability) != row.capabilities.end()) return row.cuda;
  }
  return std::nullopt;
}

const FrameworkBuild* find_build(const Matrix& matrix, std::string_view framework,
                                 const Version& version, std::optional<Version> cuda) {
  for (const FrameworkBuild& build : matrix.frameworks) {
    const bool same = build.framework == framework && build.version.major == version.major &&
                      build.version.minor == version.minor;
    if (!same) continue;
    if (cuda ? build.cuda.major == cuda->major && build.cuda.minor == cuda->minor
             : build.by_default) {
      return &build;
    }
  }
  return nullptr;
}

const FrameworkBuild* suggest_build(const Matrix& matrix, std::string_view framework,
                                    const Version& capability, const Version& driver) {
  const FrameworkBuild* best = nullptr;
  for (const FrameworkBuild& build : matrix.frameworks) {
    if (build.framework != framework) continue;
    const DriverFit fit = driver_fit(matrix, driver, build.cuda);
    const KernelFit kernels = kernel_fit(build, capability);
    if (fit == DriverFit::insufficient || kernels == KernelFit::none) continue;
    if (fit == DriverFit::minor_only && kernels == KernelFit::ptx) continue;
    const auto rank = [](const FrameworkBuild& b) {
      return std::tuple(b.by_default, b.version, b.cuda);
    };
    if (!best || rank(build) > rank(*best)) best = &build;
  }
  return best;
}

KernelFit kernel_fit(std::span<const std::string> architectures, const Version& capability) {
  KernelFit best = KernelFit::none;
  for (const std::string& text : architectures) {
    const std::optional<KernelTarget> target = parse_target(text);
    if (!target) continue;
    if (runs_machine_code(*target, capability)) return KernelFit::binary;
    if (runs_ptx(*target, capability)) best = KernelFit::ptx;
  }
  return best;
}

KernelFit kernel_fit(const FrameworkBuild& build, const Version& capability) {
  std::vector<std::string> architectures;
  for (const Version& one : build.capabilities) architectures.push_back(major_minor(one));
  if (build.ptx) architectures.push_back(major_minor(*build.ptx) + "+PTX");
  return kernel_fit(architectures, capability);
}

}  // namespace premise
