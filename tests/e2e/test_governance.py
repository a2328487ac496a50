"""premise serve as an organisation governs it: words that must not pass, answers that are kept, and
books that survive the hardest end."""

import http.server
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from serving import PROGRAM, Server, text_of

WAIT = 20  # seconds until something must have been noticed


@pytest.fixture
def serve(tiny, tmp_path):
    """Starts servers that end with the test."""
    started = []

    def start(settings="", name="premise.toml"):
        file = tmp_path / name
        file.write_text(f'{settings}\n[[model]]\nname = "tiny"\npath = "{tiny}"\ncontext = 256\n')
        server = Server(tmp_path, "--config", file)
        assert server.port, server.said
        started.append(server)
        return server

    yield start
    for server in started:
        if server.process.poll() is None:
            server.stop()


def premise(home, *arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments), "--json"], timeout=60,
                          env={"PATH": os.environ["PATH"], "LANG": "C", "PREMISE_HOME": str(home)},
                          capture_output=True, stdin=subprocess.DEVNULL)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def make_key(home, *arguments):
    return premise(home, "keys", "create", "--name", "alice", *arguments)[1]["key"]


def asked(**more):
    return {"model": "tiny", "prompt": "hello", "max_tokens": 12, "temperature": 0,
            "ignore_eos": True, **more}


# Words


def test_a_listed_word_is_refused_and_not_repeated(serve, tmp_path):
    (tmp_path / "words.txt").write_text("# secret things\n绝密\ntop secret\n")
    server = serve('[filter]\nwords = ["words.txt"]\n')
    for prompt in ("这是 绝 密 文件", "a ＴＯＰ   Secret file"):
        status, _, body = server.ask("POST", "/v1/completions", asked(prompt=prompt))
        assert status == 400, body
        error = json.loads(body)["error"]
        assert error["code"] == "content_filter"
        assert "绝" not in error["message"] and "secret" not in error["message"].lower()
    assert server.ask("POST", "/v1/completions", asked(prompt="topsecret"))[0] == 200
    assert server.metric('premise_refusals_total{reason="content_filter"}') == 2


def test_a_listed_word_ends_an_answer_or_is_masked(serve, tmp_path):
    (tmp_path / "words.txt").write_text("nothing\n")
    server = serve('[filter]\nwords = ["words.txt"]\naction = "mask"\n')
    whole = text_of(server.json("POST", "/v1/completions", asked()))
    letter = next(c for c in whole if c.isalpha())
    # The list is read again when it changes; a word of one letter is found where letters end.
    (tmp_path / "words.txt").write_text("\n".join(sorted(
        {word for word in "".join(c if c.isalnum() else " " for c in whole).split()})))
    end = time.monotonic() + WAIT
    while (masked := text_of(server.json("POST", "/v1/completions", asked()))) == whole:
        assert time.monotonic() < end, "the changed list was not noticed"
        time.sleep(0.1)
    assert letter not in masked and "*" in masked and len(masked) == len(whole)
    body = server.ask("POST", "/v1/completions", asked(stream=True))[2].decode()
    pieces = [json.loads(line[6:]) for line in body.split("\n\n") if line.startswith("data: {")]
    assert "".join(text_of(piece) for piece in pieces) == masked


# Answers that are kept


def test_a_repeated_question_is_answered_from_the_cache(serve):
    server = serve('[cache]\nresults = "memory"\n')
    _, headers, first = server.ask("POST", "/v1/completions", asked())
    assert headers["x-premise-cache"] == "miss"
    _, headers, again = server.ask("POST", "/v1/completions", asked())
    assert headers["x-premise-cache"] == "hit"
    assert text_of(json.loads(first)) == text_of(json.loads(again))
    assert server.metric('premise_cache_hits_total{cache="result"}') == 1
    for other in (asked(cache=False), asked(temperature=1.0)):
        assert server.ask("POST", "/v1/completions", other)[1]["x-premise-cache"] == "bypass"
    _, headers, streamed = server.ask("POST", "/v1/completions", asked(stream=True))
    assert headers["x-premise-cache"] == "hit" and streamed.endswith(b"data: [DONE]\n\n")


# Books


def test_what_was_answered_is_in_the_audit_log(serve, tmp_path):
    secret = make_key(tmp_path)
    server = serve("[auth]\nrequired = true\n[audit]\ntext = true\n")
    bearer = {"Authorization": f"Bearer {secret}"}
    answer = server.json("POST", "/v1/completions", asked(), **bearer)
    server.ask("POST", "/v1/completions", asked(), Authorization="Bearer sk-wrong")
    assert server.stop()[0] == 0
    lines = premise(tmp_path, "audit", "list")[1]
    complete = next(line for line in lines if line["action"] == "/v1/completions")
    assert complete["key_name"] == "alice" and complete["model"] == "tiny"
    assert complete["output_tokens"] == 12 and complete["client"] == "127.0.0.1"
    assert complete["answer"] == text_of(answer) and "hello" in complete["prompt"]
    assert any(line["outcome"] == "refused" and line["reason"] == "invalid_api_key"
               for line in lines)
    assert premise(tmp_path, "audit", "verify")[0] == 0


def test_a_kill_loses_nothing_that_was_answered(serve, tmp_path):
    secret = make_key(tmp_path, "--tpd", 60)
    bearer = {"Authorization": f"Bearer {secret}"}
    server = serve("[auth]\nrequired = true\n")
    used = server.json("POST", "/v1/completions", asked(), **bearer)["usage"]["total_tokens"]
    used += server.json("POST", "/v1/completions", asked(), **bearer)["usage"]["total_tokens"]
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    lines = premise(tmp_path, "audit", "list")[1]
    assert sum(line["action"] == "/v1/completions" for line in lines) == 2
    assert premise(tmp_path, "audit", "verify")[0] == 0
    server = serve("[auth]\nrequired = true\n")
    status, headers, body = server.ask("POST", "/v1/completions",
                                       asked(max_tokens=61 - used), **bearer)
    assert status == 429 and b"tokens_per_day" in body
    assert server.ask("POST", "/v1/completions", asked(max_tokens=1), **bearer)[0] == 200


def test_requests_of_a_day_are_counted_over_a_restart(serve, tmp_path):
    secret = make_key(tmp_path, "--rpd", 2)
    bearer = {"Authorization": f"Bearer {secret}"}
    for statuses in ([200], [200, 429]):
        server = serve("[auth]\nrequired = true\n")
        assert [server.ask("POST", "/v1/completions", asked(), **bearer)[0]
                for _ in statuses] == statuses
        assert server.stop()[0] == 0


# Traces


@pytest.fixture
def collector():
    """What a collector of OpenTelemetry was told, by path."""
    told = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            told.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", told
    server.shutdown()
    server.server_close()


def test_an_answer_is_a_span_of_its_callers_trace(serve, collector):
    address, told = collector
    server = serve(f'[tracing]\nendpoint = "{address}"\n')
    trace = "0af7651916cd43dd8448eb211c80319c"
    assert server.ask("POST", "/v1/completions", asked(),
                      traceparent=f"00-{trace}-b7ad6b7169203331-01")[0] == 200
    assert server.stop()[0] == 0
    assert told and {path for path, _ in told} == {"/v1/traces"}
    spans = [span for _, document in told for resource in document["resourceSpans"]
             for scope in resource["scopeSpans"] for span in scope["spans"]]
    span = next(span for span in spans if span["traceId"] == trace)
    assert span["parentSpanId"] == "b7ad6b7169203331"
    attributes = {each["key"]: each["value"] for each in span["attributes"]}
    assert attributes["gen_ai.request.model"] == {"stringValue": "tiny"}
    assert attributes["gen_ai.usage.output_tokens"] == {"intValue": "12"}


def test_what_is_done_to_the_server_is_in_its_audit_log(serve, tiny, tmp_path):
    """Keys, models and the configuration: who, what, and what became of it."""
    key = make_key(tmp_path, "--scope", "admin,inference")
    settings = "[auth]\nrequired = true\n"
    server = serve(settings)
    bearer = {"Authorization": f"Bearer {key}"}

    def act(action, **body):
        return server.ask("POST", f"/admin/models/{action}?wait", body, **bearer)[0]

    assert act("load", name="extra", path=str(tiny), context=64) == 200
    assert act("swap", name="extra", path="/nonexistent.gguf") == 422
    assert act("unload", name="extra") == 200
    model = f'[[model]]\nname = "tiny"\npath = "{tiny}"\ncontext = 256\n'
    (tmp_path / "premise.toml").write_text(
        settings + "[audit]\nenabled = false\n[log]\nlevel = \"error\"\n" + model)
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("was reloaded")
    (tmp_path / "premise.toml").write_text("[sever]\n")
    server.process.send_signal(signal.SIGHUP)  # of which no line is kept any more
    server.wait_for("nothing was changed")
    premise(tmp_path, "keys", "revoke", "alice")
    assert server.stop()[0] == 0
    lines = premise(tmp_path, "audit", "list")[1]
    done = [(line["key_name"], line["action"], line["model"], line["outcome"]) for line in lines]
    assert done == [
        ("alice", "keys create", "", "complete"),
        ("alice", "/admin/models/load", "extra", "asked"),
        ("alice", "/admin/models/load", "extra", "complete"),
        ("alice", "/admin/models/swap", "extra", "asked"),
        ("alice", "/admin/models/swap", "extra", "failed"),
        ("alice", "/admin/models/unload", "extra", "asked"),
        ("alice", "/admin/models/unload", "extra", "complete"),
        ("", "reload", "", "complete"),
        ("alice", "keys revoke", "", "complete")]
    assert "nonexistent" in lines[4]["reason"]
    assert lines[7]["reason"] == "changed: audit.enabled, log.level"
    assert all(lines[each]["client"].startswith("user ") for each in (0, 7, 8))
    assert premise(tmp_path, "audit", "verify")[0] == 0


def test_a_model_beside_the_configuration_is_found(serve, tiny, tmp_path):
    (tmp_path / "beside.gguf").write_bytes(tiny.read_bytes())
    server = serve('[[model]]\npath = "beside.gguf"\ncontext = 64\n')
    names = {model["id"] for model in server.json("GET", "/v1/models")["data"]}
    assert names == {"beside.gguf", "tiny"}
