#!/usr/bin/env python3
"""Holds the access log of a running server to the Elastic Common Schema, and what lies in deploy/elk
to the log: every field of a line is one of the schema's with its type, or Premise's own.

Filebeat and Logstash themselves are not run: neither Debian nor a package index has them. Their own
check of the two files stands in the first lines of each.
"""

import csv
import datetime
import http.client
import ipaddress
import json
import pathlib
import re
import tempfile

import yaml

import _server

ELK = _server.ROOT / "deploy" / "elk"
FIELDS = _server.ROOT / "tests" / "golden" / "ecs_fields.csv"
OWN = "premise."


def schema():
    """(version, {field: (type, is a list)})"""
    head, *rows = FIELDS.read_text(encoding="utf-8").splitlines()
    return head.split()[-1], {row["field"]: (row["type"], row["normalization"] == "array")
                              for row in csv.DictReader(rows)}


def fits(kind, value):
    if kind == "date":
        return datetime.datetime.fromisoformat(value).tzinfo is not None
    if kind == "ip":
        return bool(ipaddress.ip_address(value))
    if kind in ("long", "integer"):
        return type(value) is int
    if kind in ("float", "scaled_float"):
        return type(value) in (int, float)
    if kind == "boolean":
        return type(value) is bool
    return kind in ("keyword", "wildcard", "match_only_text", "text") and type(value) is str


def lines_after_traffic():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "access.log"
        with _server.running(log=f'path = {json.dumps(str(path))}\nformat = "json"') as (port, key):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            for method, where, body, secret in (
                    ("POST", "/v1/completions", {"model": "tiny", "prompt": "x"}, key),
                    ("POST", "/v1/completions", {"model": "none", "prompt": "x"}, key),
                    ("GET", "/v1/models", None, "sk-wrong"), ("GET", "/no\"where?q=secret", None, key),
                    ("GET", "/health", None, key)):
                connection.request(method, where, body and json.dumps(body),
                                   {"Authorization": f"Bearer {secret}",
                                    "Content-Type": "application/json"})
                connection.getresponse().read()
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def check_lines(lines):
    version, fields = schema()
    assert len(lines) == 5, lines
    for line in lines:
        assert line["ecs.version"] == version, (line["ecs.version"], version)
        assert "secret" not in json.dumps(line), line
        for name, value in line.items():
            if name.startswith(OWN):
                continue
            assert name in fields, f"{name} is no field of ECS {version}"
            kind, is_list = fields[name]
            assert isinstance(value, list) == is_list, (name, value)
            for each in value if is_list else [value]:
                assert fits(kind, each), f"{name} is a {kind}, not {each!r}"
    assert {line["event.outcome"] for line in lines} == {"success", "failure"}
    print(f"{len(lines)} lines of {len(set().union(*lines))} fields: ECS {version}")
    return set().union(*lines)


def check_filebeat():
    document = yaml.safe_load((ELK / "filebeat.yml").read_text(encoding="utf-8"))
    found, = document["filebeat.inputs"]
    parser, = (each["ndjson"] for each in found["parsers"] if "ndjson" in each)
    assert parser["expand_keys"] and parser["overwrite_keys"] and parser["target"] == "", parser
    outputs = [key for key in document if key.startswith("output.")]
    assert len(outputs) == 1, f"Filebeat takes one output, not {outputs}"
    print("filebeat.yml: YAML, one input, one output")


def check_logstash(names):
    text = (ELK / "logstash.conf").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^\s*#.*$", "", text)
    fields = {found.replace("][", ".") for found in re.findall(r"\[([a-z_]+(?:\]\[[a-z_]+)+)\]", text)}
    bare = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"|/\^.*/ ", "", text)
    assert bare.count("{") == bare.count("}"), "logstash.conf: braces do not match"
    unknown = {each for each in fields if each not in names and not each.startswith(OWN)}
    assert fields and not unknown, f"logstash.conf asks for {unknown}, which no line has"
    assert "premise.access" in text
    print(f"logstash.conf: asks for {', '.join(sorted(fields))}")


def main():
    names = check_lines(lines_after_traffic())
    check_filebeat()
    check_logstash(names)


if __name__ == "__main__":
    main()
