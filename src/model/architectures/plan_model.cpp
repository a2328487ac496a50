#include "model/plan/architecture.h"

namespace premise {

Result<Plan> plan_model(const ArchitectureInput& input) {
  PREMISE_TRY(const std::string name, input.source.metadata().string("general.architecture"));
  std::string known;
  for (const Architecture* architecture : all_architectures()) {
    if (architecture->name == name) return architecture->plan(input);
    known += known.empty() ? "" : ", ";
    known += architecture->name;
  }
  return error(ErrorCode::bad_input,
               {"{}: architecture \"{}\" is not one that Premise computes",
                "{}：Premise 不支持架构“{}”"},
               input.source.path(), name)
      .with_hint(text({"known architectures: {}", "支持的架构：{}"}, known));
}

}  // namespace premise
