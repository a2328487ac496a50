#include "serve/unsupported.h"

namespace premise {

Status check_supported(const Config& config) {
  for (const ModelConfig& model : config.models) {
    if (model.kv_memory)
      return error(ErrorCode::usage,
                   {"[[model]] kv_memory is not built yet; context × parallel decides",
                    "[[model]] kv_memory 尚未实现；由 context × parallel 决定"});
  }
  return {};
}

}  // namespace premise
