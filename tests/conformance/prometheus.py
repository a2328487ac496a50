#!/usr/bin/env python3
"""Prometheus' own tool reads what is for Prometheus: the alert rules, their tests, and a live page.

Also holds the rules to the page: a rule that names a metric or a label the server does not have
would never fire, and nobody would notice.
"""

import http.client
import json
import re
import shutil
import subprocess
import sys

import _server

FOLDER = _server.ROOT / "deploy" / "prometheus"
RULES = FOLDER / "premise-alerts.yml"
GIVEN_BY_PROMETHEUS = {"up"}
ONLY_WITH_TLS = {"premise_tls_certificate_expiry_seconds"}  # tests/e2e/test_serve_metrics.py
LABELS_OF_PROMETHEUS = {"job", "instance", "le"}


def promtool(*words, text=None):
    done = subprocess.run([PROMTOOL, *map(str, words)], input=text, capture_output=True, text=True,
                          cwd=FOLDER, check=False)
    if done.returncode != 0 or "error" in done.stderr.lower():
        sys.exit(f"promtool {' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    print(f"promtool {words[0]} {words[1]}: well")


def page_after_traffic():
    """The text of /metrics of a server that has answered, refused and not known."""
    with _server.running(("inference", "metrics")) as (port, key):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

        def ask(method, path, body=None, secret=key):
            connection.request(method, path, body and json.dumps(body),
                               {"Authorization": f"Bearer {secret}",
                                "Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.getheader("content-type"), answer.read().decode()

        for prompt in ("hello " * 30, "hello " * 30, "other"):
            ask("POST", "/v1/completions", {"model": "tiny", "prompt": prompt, "max_tokens": 4})
        ask("POST", "/v1/completions", {"model": "a\"b\\c\nd", "prompt": "x"})
        ask("POST", "/v1/completions", {"model": "tiny", "prompt": "x", "max_tokens": 10**6})
        ask("GET", "/v1/models", secret="sk-wrong")
        ask("GET", "/no\"where")
        kind, page = ask("GET", "/metrics")
        assert kind.startswith("text/plain; version=0.0.4"), kind
        return page


def check_names(page):
    """Every metric of the rules is on the page, with every label that a rule asks for."""
    described = set(re.findall(r"^# TYPE (\w+) ", page, re.M))
    labels = {name: set(re.findall(r"(\w+)=\"", found))
              for name, found in re.findall(r"^(\w+)\{(.*)\} ", page, re.M)}
    rules = re.sub(r"(?m)^\s*(summary|description|summary_zh):.*$|#.*$", "",
                   RULES.read_text(encoding="utf-8"))
    used = re.findall(r"\b((?:premise|process)_\w+|up)(?:\{([^}]*)\})?", rules)
    names = {name for name, _ in used}
    assert len(names) > 5, names
    for name, selectors in used:
        if name in GIVEN_BY_PROMETHEUS | ONLY_WITH_TLS:
            continue
        family = re.sub(r"_bucket$", "", name)
        assert family in described, f"{RULES.name} asks for {name}, which the server does not have"
        wanted = set(re.findall(r"(\w+)\s*[=!]", selectors)) - LABELS_OF_PROMETHEUS
        missing = wanted - labels.get(name, set())
        assert not missing, f"{RULES.name} asks for {name} by {missing}, which it does not have"
    print(f"all {len(names)} metrics of {RULES.name} are on the page, with their labels")


def main():
    promtool("check", "rules", RULES.name)
    promtool("test", "rules", "premise-alerts_test.yml")
    promtool("check", "config", "--syntax-only", "prometheus.yml")
    page = page_after_traffic()
    promtool("check", "metrics", text=page)
    check_names(page)


if __name__ == "__main__":
    PROMTOOL = shutil.which("promtool")
    if not PROMTOOL:
        sys.exit("promtool is missing; make conformance installs it")
    main()
