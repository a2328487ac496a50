// Any bytes as a config.json: an error or a shape, and from a shape to a plan without a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/plan/architecture.h"
#include "planning/hf_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto model = premise::parse_hf_config(text, "config.json");
  if (!model.ok() || model->shape.layers > 4) return 0;  // more layers are only slower
  const auto source = premise::shape_source(model->shape, model->dtype, "config.json");
  if (!source.ok()) return 0;
  const auto plan = premise::plan_model({**source, 0});
  if (!plan.ok() && plan.error().what.empty()) __builtin_trap();
  return 0;
}
