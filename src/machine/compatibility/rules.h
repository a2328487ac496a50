// Questions to the matrix. All are pure functions; the driver is given as the whole version text.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "machine/compatibility/matrix.h"

namespace premise {

/// Whether a driver runs programs that were built with a CUDA release.
enum class DriverFit {
  full,          // everything
  minor_only,    // programs run, PTX is not compiled: kernels must be there for the very card
  insufficient,  // "CUDA driver version is insufficient for CUDA runtime version"
};
DriverFit driver_fit(const Matrix& matrix, const Version& driver, const Version& cuda);

/// The oldest driver with which programs of this CUDA release run at all.
std::optional<std::string> driver_needed(const Matrix& matrix, const Version& cuda);

/// The newest CUDA that a driver runs in full; nothing for drivers older than the matrix.
std::optional<Version> newest_cuda(const Matrix& matrix, const Version& driver);

const CudaRow* find_cuda(const Matrix& matrix, const Version& cuda);
const DriverBranch* find_branch(const Matrix& matrix, int branch);

/// The newest long-term branch that is supported on a day ("2026-11-22").
const DriverBranch* long_term_branch(const Matrix& matrix, std::string_view day);

/// Whether the support of a branch is over on a day.
bool support_ended(const DriverBranch& branch, std::string_view day);

/// "Ampere"; empty for a capability that the matrix does not know.
std::string_view architecture_name(const Matrix& matrix, const Version& capability);

/// The first CUDA release whose compiler makes code for a card.
std::optional<Version> first_cuda_for(const Matrix& matrix, const Version& capability);

/// The build of a framework: with that CUDA, or the one that a plain installation brings.
const FrameworkBuild* find_build(const Matrix& matrix, std::string_view framework,
                                 const Version& version, std::optional<Version> cuda);

/// The newest build of a framework that has kernels for a card and runs on a driver; one that a
/// plain installation brings, if any such fits.
const FrameworkBuild* suggest_build(const Matrix& matrix, std::string_view framework,
                                    const Version& capability, const Version& driver);

/// How a program that was built for certain architectures runs on a card.
enum class KernelFit {
  binary,  // machine code for it is there
  ptx,     // compiled by the driver at the first start
  none,    // "no kernel image is available for execution on the device"
};

/// `architectures` as frameworks and nvcc write them: "sm_86", "compute_90", "sm_90a", "8.6",
/// "9.0+PTX". The rules (CUDA C++ Programming Guide, "Application Compatibility"): machine code
/// runs on its own capability and on later minor ones of the same major; code with the suffix a
/// runs on exactly its own, with f on its family; PTX runs on everything later. What is not
/// understood counts for nothing.
KernelFit kernel_fit(std::span<const std::string> architectures, const Version& capability);
KernelFit kernel_fit(const FrameworkBuild& build, const Version& capability);

}  // namespace premise
