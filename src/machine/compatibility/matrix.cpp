#include "machine/compatibility/matrix.h"

#include "machine/compatibility/embedded.h"
#include "machine/compatibility/rows.h"

namespace premise {
namespace {

DriverBranch::Kind kind_of(RowReader& row, const char* field) {
  const std::string name = row.text(field);
  if (name == "long_term") return DriverBranch::Kind::long_term;
  if (name == "new_feature") return DriverBranch::Kind::new_feature;
  if (name != "production") row.wrong("driver_branches", field);
  return DriverBranch::Kind::production;
}

void read_drivers(RowReader& row, Matrix& matrix) {
  row.for_each("cuda", [&] {
    matrix.cuda.push_back({row.version("cuda"), row.text("driver"), row.versions("capabilities"),
                           row.text("source"), row.text("capabilities_source")});
  });
  row.for_each("cuda_minor_compatibility", [&] {
    matrix.minor_compatibility.push_back(
        {row.version("cuda"), row.text("driver"), row.text("source")});
  });
  row.for_each("driver_branches", [&] {
    matrix.branches.push_back({static_cast<int>(row.whole("branch")), kind_of(row, "kind"),
                               row.version("cuda"), row.text("end"), row.text("source")});
  });
  row.for_each("architectures", [&] {
    ArchitectureRow one{
        row.text("name"),  row.versions("capabilities"), row.version("cuda_first"), {}, {},
        row.text("source")};
    if (row.has("cuda_last")) one.cuda_last = row.version("cuda_last");
    if (row.has("branch_last")) one.branch_last = static_cast<int>(row.whole("branch_last"));
    matrix.architectures.push_back(std::move(one));
  });
}

void read_software(RowReader& row, Matrix& matrix) {
  row.for_each("frameworks", [&] {
    FrameworkBuild build;
    build.framework = row.text("framework");
    build.version = row.version("version");
    build.cuda = row.version("cuda");
    build.by_default = row.flag("default");
    if (row.has("cudnn")) build.cudnn = row.version("cudnn");
    if (row.has("capabilities")) build.capabilities = row.versions("capabilities");
    if (row.has("ptx")) build.ptx = row.version("ptx");
    build.source = row.text("source");
    if (row.has("capabilities_source")) {
      build.capabilities_source = row.text("capabilities_source");
    }
    matrix.frameworks.push_back(std::move(build));
  });
  row.for_each("cudnn", [&] {
    matrix.cudnn.push_back({row.version("cudnn"), row.versions("cuda"), row.text("driver"),
                            row.versions("capabilities"), row.text("source")});
  });
  row.for_each("nccl", [&] {
    matrix.nccl.push_back({row.version("nccl"), row.versions("cuda"), row.text("source")});
  });
  row.for_each("withdrawn_packages", [&] {
    matrix.withdrawn.push_back({row.text("package"), row.text("replacement"), row.text("source")});
  });
}

}  // namespace

Result<Matrix> parse_matrix(std::string_view json) {
  PREMISE_TRY(DataFile file, parse_data_file("matrix.json", json));
  RowReader row("matrix.json", file.document);
  Matrix matrix;
  matrix.date = file.date;
  matrix.sources = std::move(file.sources);
  read_drivers(row, matrix);
  read_software(row, matrix);
  PREMISE_CHECK(row.status());
  return matrix;
}

const Matrix& builtin_matrix() {
  static const Matrix matrix = [] {
    Result<Matrix> parsed = parse_matrix(embedded_matrix());
    assert(parsed.ok());  // a test reads the very same text
    return parsed.ok() ? *std::move(parsed) : Matrix{};
  }();
  return matrix;
}

}  // namespace premise
