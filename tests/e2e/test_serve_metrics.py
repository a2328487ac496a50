"""/metrics: what it counts, and that docs/observability.md names all of it."""

import pathlib
import re
import shutil
import subprocess
import time

import pytest

from serving import Server, completion

DOCUMENT = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "observability.md"


def test_metrics_count(server, model):
    name = f'premise_tokens_total{{kind="completion",model="{model}",key="none"}}'
    before = server.metric(name)
    server.json("POST", "/v1/completions", completion(model))
    assert server.metric(name) == before + 8
    assert server.metric("premise_kv_blocks_total") > server.metric("premise_kv_blocks_kept")
    server.comes_to_rest()


def test_steps_are_counted_by_what_they_computed(server, model):
    names = ("premise_step_prompt_tokens_sum", "premise_step_decode_rows_sum",
             "premise_step_decode_rows_count")
    before = [server.metric(name) for name in names]
    usage = server.json("POST", "/v1/completions",
                        completion(model, prompt="unlike any other", max_tokens=9))["usage"]
    prompt, rows, steps = (server.metric(name) - was for name, was in zip(names, before))
    # The first token comes with the prompt; what was found in the cache is not read again.
    found = usage["prompt_tokens_details"]["cached_tokens"]
    assert (prompt, rows, steps) == (usage["prompt_tokens"] - found, 8, 9)


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificates")
def test_the_end_of_the_certificate_is_told_and_follows_a_reload(tiny, tmp_path):
    def certify(days):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", str(days), "-subj", "/CN=t",
                        "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
                       check=True, capture_output=True)

    def days_left(server):
        left = server.metric("premise_tls_certificate_expiry_seconds") - time.time()
        return round(left / 86_400, 2)

    certify(10)
    settings = tmp_path / "premise.toml"
    settings.write_text('[server]\ntls_cert = "cert.pem"\ntls_key = "key.pem"\n'
                        f'[[model]]\nname = "tiny"\npath = "{tiny}"\ncontext = 64\n')
    server = Server(tmp_path, "--config", settings)
    assert server.tls and days_left(server) == 10
    certify(90)
    server.process.send_signal(1)  # SIGHUP
    server.wait_for("was reloaded")
    assert days_left(server) == 90
    assert server.stop()[0] == 0


def test_without_tls_no_certificate_is_told_of(server):
    assert "premise_tls" not in server.metrics()


def test_every_metric_is_documented_with_its_type_and_labels(server, model, tiny, tmp_path):
    """Those of this page, and of a server with all that adds metrics."""
    server.json("POST", "/v1/completions", completion(model))
    (tmp_path / "premise.toml").write_text(
        '[audit]\ntext = true\n[cache]\nresults = "memory"\n'
        '[tracing]\nendpoint = "http://127.0.0.1:9/v1/traces"\n'
        f'[[model]]\nname = "tiny"\npath = "{tiny}"\ncontext = 64\n')
    other = Server(tmp_path, "--config", tmp_path / "premise.toml")
    pages = server.metrics() + other.metrics()
    assert other.stop()[0] == 0
    rows = re.findall(r"^\| `(\w+)`(?: \{([^}]*)\})? \| (\w+) \|", DOCUMENT.read_text(), re.M)
    documented = {name: (kind, set(labels.split(", ")) - {""}) for name, labels, kind in rows}
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", pages, re.M):
        assert documented.get(name, ("nothing",))[0] == kind, name
    for name, labels in re.findall(r"^(\w+)\{(.*)\} ", pages, re.M):
        if name in documented:
            assert set(re.findall(r"(\w+)=\"", labels)) == documented[name][1], name
