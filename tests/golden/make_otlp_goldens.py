#!/usr/bin/env python3
"""Records spans as protobuf's own JSON mapping writes them: make_otlp_goldens.py OUT.json

Needs the packages opentelemetry-proto and protobuf. The two exceptions of OTLP's JSON are made here as
its specification says: ids in hexadecimal, enumerations as numbers.
"""

import base64
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


def add(attributes, key, **value):
    one = attributes.add()
    one.key = key
    for kind, content in value.items():
        if kind == "array":
            for text in content:
                one.value.array_value.values.add().string_value = text
        else:
            setattr(one.value, kind, content)


def main(path):
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    add(resource.resource.attributes, "service.name", string_value="premise")
    scope = resource.scope_spans.add()
    scope.scope.name = "premise"
    scope.scope.version = "1.2.3"
    span = scope.spans.add()
    span.trace_id = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
    span.span_id = bytes.fromhex("b7ad6b7169203331")
    span.parent_span_id = bytes.fromhex("00f067aa0ba902b7")
    span.name = "POST /v1/chat/completions"
    span.kind = Span.SPAN_KIND_SERVER
    span.start_time_unix_nano = 1769903999123000000
    span.end_time_unix_nano = 1769904000623000000
    add(span.attributes, "text", string_value="说")
    add(span.attributes, "number", int_value=-9007199254740993)
    add(span.attributes, "fraction", double_value=0.25)
    add(span.attributes, "flag", bool_value=True)
    add(span.attributes, "list", array=["stop", "length"])
    span.status.code = Status.STATUS_CODE_ERROR
    span.status.message = "it broke"
    plain = scope.spans.add()
    plain.trace_id = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
    plain.span_id = bytes.fromhex("b7ad6b7169203332")
    plain.name = "GET"
    plain.kind = Span.SPAN_KIND_INTERNAL
    plain.start_time_unix_nano = 1
    plain.end_time_unix_nano = 2
    add(plain.attributes, "one", int_value=1)

    made = json_format.MessageToDict(request, use_integers_for_enums=True)
    for one in made["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for key in ("traceId", "spanId", "parentSpanId"):
            if key in one:
                one[key] = base64.b64decode(one[key]).hex()
    with open(path, "w", encoding="utf-8") as file:
        json.dump(made, file, ensure_ascii=False, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
