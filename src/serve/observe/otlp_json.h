// Spans as the OpenTelemetry protocol wants them over HTTP, in JSON.
//
// The protobuf mapping to JSON with OTLP's two exceptions: ids are hexadecimal, enumerations are
// numbers. 64-bit integers are strings, as in every protobuf JSON. Protobuf itself would be
// smaller, but every collector takes JSON, and it can be read where it is logged.
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "serve/observe/span.h"

namespace premise {

/// The body of a POST. `resource` is who tells it: service.name and the like. Text that is no UTF-8
/// comes out with U+FFFD in it.
std::string encode_otlp_traces(const SpanAttributes& resource, std::string_view scope_version,
                               std::span<const Span> spans);

/// How many spans the collector says it did not take, from the body of its answer; 0 where it says
/// nothing, or nothing that can be read.
std::uint64_t rejected_spans(std::string_view answer);

}  // namespace premise
