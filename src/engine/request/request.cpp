#include "engine/request/request.h"

#include <cmath>
#include <string_view>

namespace premise {
namespace {

Status within(std::string_view name, float value, float least, float most) {
  if (value >= least && value <= most) return {};  // false for NaN
  return error(ErrorCode::usage,
               {"{} is {}; it must lie between {} and {}", "{} 为 {}，必须在 {} 和 {} 之间"}, name,
               value, least, most);
}

}  // namespace

Status check(const SamplingParams& p) {
  PREMISE_CHECK(within("repetition_penalty", p.repetition_penalty, 0.01f, 100.0f));
  PREMISE_CHECK(within("frequency_penalty", p.frequency_penalty, -100.0f, 100.0f));
  PREMISE_CHECK(within("presence_penalty", p.presence_penalty, -100.0f, 100.0f));
  PREMISE_CHECK(within("dry_multiplier", p.dry_multiplier, 0.0f, 100.0f));
  PREMISE_CHECK(within("dry_base", p.dry_base, 1.0f, 100.0f));
  PREMISE_CHECK(within("temperature", p.temperature, 0.0f, 100.0f));
  PREMISE_CHECK(within("mirostat_tau", p.mirostat_tau, 0.0f, 100.0f));
  PREMISE_CHECK(within("mirostat_eta", p.mirostat_eta, 0.0f, 1.0f));
  PREMISE_CHECK(within("typical_p", p.typical_p, 0.0f, 1.0f));
  PREMISE_CHECK(within("top_p", p.top_p, 0.0f, 1.0f));
  PREMISE_CHECK(within("min_p", p.min_p, 0.0f, 1.0f));
  for (const auto& [token, bias] : p.logit_bias)
    if (std::isnan(bias))
      return error(ErrorCode::usage,
                   {"logit_bias of token {} is not a number", "词元 {} 的 logit_bias 不是数字"},
                   token);
  return {};
}

}  // namespace premise
