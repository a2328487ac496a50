// W3C Trace Context: which trace of the caller's a request belongs to.
// https://www.w3.org/TR/trace-context/
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace premise {

struct TraceContext {
  std::string trace_id;   // 32 hexadecimal digits, not all zero
  std::string parent_id;  // 16, the caller's span; empty where the trace begins here
  std::string span_id;    // 16, ours
  bool sampled = false;

  /// The header as it is passed on: our span is the parent of what comes after.
  std::string header() const;
};

/// Continues the trace of a `traceparent` header, or begins one where the header is absent or not
/// as the standard says (which is what the standard asks for: a broken header is not an error).
TraceContext trace_of(std::optional<std::string_view> traceparent);

/// 32 random hexadecimal digits, for request ids.
std::string random_hex_id();

}  // namespace premise
