// What goes with what: drivers, CUDA releases, compute capabilities, frameworks. The facts stand in
// matrix.json beside this file, one row a line, each with the name of its source; the file is built
// into the program, and a test walks it for contradictions. Facts change with every release of a
// driver, code should not: to bring the doctor up to date is to add rows and the date.
//
// Rejected: tables in C++ (nobody outside can read or check them), and asking the network (a doctor
// must work on a machine that has none).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "machine/compatibility/version.h"

namespace premise {

struct CudaRow {
  Version cuda;
  std::string driver;                 // the first Linux driver that runs all of it: "550.54.14"
  std::vector<Version> capabilities;  // what its compiler makes code for
  std::string source, capabilities_source;
};

/// The first driver that runs programs of any CUDA release of this major version, as far as they
/// need no compilation of PTX (NVIDIA's "minor version compatibility").
struct MinorCompatibilityRow {
  Version cuda;
  std::string driver;
  std::string source;
};

struct DriverBranch {
  enum class Kind { long_term, production, new_feature };
  int branch = 0;  // 580 of 580.65.06
  Kind kind = Kind::production;
  Version cuda;     // what nvidia-smi shows: the newest CUDA it runs
  std::string end;  // the last month of support, "2028-06"; "ended" where long past; never empty
  std::string source;
};

struct ArchitectureRow {
  std::string name;  // "Ampere"
  std::vector<Version> capabilities;
  Version cuda_first;
  std::optional<Version> cuda_last;  // nothing: still supported
  std::optional<int> branch_last;
  std::string source;
};

struct FrameworkBuild {
  std::string framework;    // "pytorch", "tensorflow"
  Version version;          // major and minor
  Version cuda;             // the CUDA it is built with and brings along
  bool by_default = false;  // what a plain installation brings
  std::optional<Version> cudnn;
  std::vector<Version> capabilities;  // empty: not stated by the source
  std::optional<Version> ptx;         // kernels in PTX too, which newer cards compile themselves
  std::string source;
  std::string capabilities_source;  // where it is another one
};

struct CudnnRow {
  Version cudnn;
  std::vector<Version> cuda;
  std::string driver;
  std::vector<Version> capabilities;
  std::string source;
};

struct NcclRow {
  Version nccl;
  std::vector<Version> cuda;
  std::string source;
};

struct WithdrawnPackage {
  std::string package;
  std::string replacement;
  std::string source;
};

struct Matrix {
  std::string date;                                          // of the facts: "2026-11-22"
  std::vector<std::pair<std::string, std::string>> sources;  // name, where
  std::vector<CudaRow> cuda;                                 // oldest first
  std::vector<MinorCompatibilityRow> minor_compatibility;
  std::vector<DriverBranch> branches;  // oldest first
  std::vector<ArchitectureRow> architectures;
  std::vector<FrameworkBuild> frameworks;
  std::vector<CudnnRow> cudnn;
  std::vector<NcclRow> nccl;
  std::vector<WithdrawnPackage> withdrawn;
};

/// The matrix that is built into the program. Read once; immutable; any thread.
const Matrix& builtin_matrix();

/// Reads a matrix.json; the error names row and field.
Result<Matrix> parse_matrix(std::string_view json);

}  // namespace premise
