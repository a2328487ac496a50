#!/usr/bin/env python3
"""Writes the fields of the Elastic Common Schema that a service's log may use: name, type, and
whether a field holds a list.

    make_ecs_fields.py FIELDS.CSV OUT

FIELDS.CSV is generated/csv/fields.csv of github.com/elastic/ecs at the tag of the version that
access_log.cpp names in ecs.version (Apache-2.0).
"""

import csv
import pathlib
import sys

SETS = {"base", "client", "ecs", "error", "event", "host", "http", "log", "network", "process",
        "server", "service", "source", "trace", "tracing", "transaction", "span", "url", "user",
        "user_agent"}


def main():
    source, out = map(pathlib.Path, sys.argv[1:])
    with open(source, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file)
                if row["Field_Set"] in SETS or row["Field"] in ("trace.id", "span.id")]
    versions = {row["ECS_Version"] for row in rows}
    if len(versions) != 1:
        sys.exit(f"{source}: not one version but {versions}")
    # Below a field of its own set; what other sets nest into it (client.geo…) is not ours to use.
    lines = [f"{row['Field']},{row['Type']},{row['Normalization']}" for row in rows
             if row["Field"].count(".") < 4]
    out.write_text("\n".join([f"# Elastic Common Schema {versions.pop()}", "field,type,normalization",
                              *sorted(set(lines))]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
