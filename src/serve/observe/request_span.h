// The span of an answered request: what the access log knows of it, in OpenTelemetry's names.
//
// HTTP server span with the attributes of the GenAI conventions (1.41; in development, so names may
// still move) on the same span: the model runs in this process, and a second span would say the
// same times again. Texts of prompts and answers are never among them.
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/
// https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
#pragma once

#include <string>
#include <vector>

#include "serve/observe/access_log.h"
#include "serve/observe/span.h"
#include "serve/observe/trace_context.h"

namespace premise {

struct RequestSpanDetails {
  std::string route;                        // as routed; empty: no route took it
  std::string scheme = "http";              // or https
  std::string operation;                    // "chat", "text_completion"; empty: no model was asked
  std::vector<std::string> finish_reasons;  // of the choices, as the client was told
};

Span request_span(const TraceContext& trace, const AccessRecord& record,
                  const RequestSpanDetails& details);

/// Whether a trace is told. A caller's decision is kept (its header's sampled flag); a trace that
/// begins here is told where its id falls into `share` (0 to 1) of all ids, so that everybody who
/// goes by the id decides alike: its last 56 bits are at least (1 - share) of 2^56 (W3C Trace
/// Context level 2, OpenTelemetry's consistent probability sampling).
bool is_sampled(const TraceContext& trace, double share);

}  // namespace premise
