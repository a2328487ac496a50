"""premise serve and premise keys from outside: a server on loopback, asked over real sockets.

A tiny random model answers: what it says means nothing, but streams, limits, errors and counts do.
"""

import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import tiny_model

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))
CONTEXT = 256


class Server:
    """A running server; asked with a connection for each request."""

    def __init__(self, home, *arguments):
        self.environment = {"PATH": os.environ["PATH"], "LANG": "C", "HOME": str(home),
                            "PREMISE_HOME": str(home)}
        self.process = subprocess.Popen([PROGRAM, "serve", *map(str, arguments), "--port", "0"],
                                        env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.said = []
        self.port = None
        for line in self.process.stderr:
            self.said.append(line)
            found = re.search(r"http://127\.0\.0\.1:(\d+)  ", line)
            if found:
                self.port = int(found[1])
                break

    def ask(self, method, path, body=None, **headers):
        """(status, headers, bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            if isinstance(body, dict):
                body = json.dumps(body)
            connection.request(method, path, body, {"Content-Type": "application/json",
                                                    **{k.replace("_", "-"): v
                                                       for k, v in headers.items()}})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def json(self, *arguments, **headers):
        status, _, body = self.ask(*arguments, **headers)
        assert status == 200, body
        return json.loads(body)

    def metric(self, name):
        page = self.ask("GET", "/metrics")[2].decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.M)
        return float(found[1]) if found else 0.0

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        _, error = self.process.communicate(timeout=60)
        return self.process.returncode, error


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    path.write_bytes(tiny_model.model_bytes())
    return path


@pytest.fixture(scope="module")
def server(tiny, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("home"), tiny, "--context", CONTEXT, "--parallel", 4,
                    "--threads", 2)
    assert server.port, server.said
    yield server
    assert server.stop()[0] == 0


@pytest.fixture(scope="module")
def model(server):
    return server.json("GET", "/v1/models")["data"][0]["id"]


def completion(model, **more):
    return {"model": model, "prompt": "hello", "max_tokens": 8, "temperature": 0,
            "ignore_eos": True, **more}


def test_health_and_readiness(server):
    assert server.json("GET", "/health") == {"status": "ok"}
    assert server.json("GET", "/ready") == {"status": "ready"}


def test_a_completion_counts_its_tokens(server, model):
    answer = server.json("POST", "/v1/completions", completion(model))
    assert answer["usage"]["completion_tokens"] == 8
    assert answer["choices"][0]["finish_reason"] == "length"


def test_a_stream_says_what_the_whole_answer_says(server, model):
    whole = server.json("POST", "/v1/completions", completion(model))["choices"][0]["text"]
    status, headers, body = server.ask("POST", "/v1/completions", completion(model, stream=True))
    assert status == 200 and headers["content-type"].startswith("text/event-stream")
    events = [line.removeprefix("data: ") for line in body.decode().split("\n\n") if line]
    assert events[-1] == "[DONE]"
    assert "".join(json.loads(event)["choices"][0]["text"] for event in events[:-1]) == whole


def test_a_conversation_with_a_base_model(server):
    answer = server.json("POST", "/chat", {"input_text": "hello"})
    assert isinstance(answer["reply"], str)


def test_answers_do_not_depend_on_company(server, model):
    alone = server.json("POST", "/v1/completions", completion(model))["choices"][0]["text"]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(server.json, "POST", "/v1/completions", completion(model))
                 for _ in range(32)]
        assert {each.result()["choices"][0]["text"] for each in asked} == {alone}


def test_a_long_beginning_is_computed_once(server, model):
    body = completion(model, prompt="hello " * 20)
    first = server.json("POST", "/v1/completions", body)
    again = server.json("POST", "/v1/completions", body)
    assert again["usage"]["prompt_tokens_details"]["cached_tokens"] > 0
    assert again["choices"][0]["text"] == first["choices"][0]["text"]


@pytest.mark.parametrize("body, status, code", [
    ('{"model":', 400, None), ({"prompt": "x", "temprature": 1}, 400, "unknown_parameter"),
    ({"model": "no-such", "prompt": "x"}, 404, "model_not_found"),
    ({"prompt": "x", "max_tokens": 100000}, 400, "context_length_exceeded")])
def test_what_is_refused_says_why(server, model, body, status, code):
    if isinstance(body, dict):
        body = {"model": model, **body}
    found, _, answer = server.ask("POST", "/v1/completions", body)
    error = json.loads(answer)["error"]
    assert found == status, error
    assert error["message"] and (code is None or error["code"] == code)


def test_web_pages_of_others_are_refused(server):
    assert server.ask("GET", "/v1/models", Host="evil.example")[0] == 403
    assert server.ask("GET", "/v1/models", Origin="http://evil.example")[0] == 403


def test_errors_are_said_in_the_language_that_was_asked_for(server):
    _, _, body = server.ask("GET", "/nothing", Accept_Language="zh-CN")
    assert re.search("[\u4e00-\u9fff]", json.loads(body)["error"]["message"])


def test_a_client_that_leaves_frees_its_place(server, model):
    body = json.dumps(completion(model, max_tokens=CONTEXT - 16, stream=True)).encode()
    for _ in range(8):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Type: application/json\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body) + body)
            client.recv(64)
    for _ in range(100):
        if server.metric("premise_requests_running") == 0:
            break
        time.sleep(0.1)
    assert server.metric("premise_requests_running") == 0
    assert server.json("POST", "/v1/completions", completion(model))["choices"]


def test_metrics_count(server, model):
    name = f'premise_tokens_total{{kind="completion",model="{model}",key="none"}}'
    before = server.metric(name)
    server.json("POST", "/v1/completions", completion(model))
    assert server.metric(name) == before + 8
    assert server.metric("premise_kv_blocks_total") > server.metric("premise_kv_blocks_kept")
    assert server.metric("premise_kv_blocks_used") == 0


# Keys


def keys(home, *arguments):
    environment = {"PATH": os.environ["PATH"], "LANG": "C", "PREMISE_HOME": str(home)}
    return subprocess.run([PROGRAM, "keys", *map(str, arguments)], env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def test_keys_open_and_close_the_door(tiny, tmp_path):
    (tmp_path / "premise.toml").write_text(
        f'[auth]\nrequired = true\n[[model]]\nname = "tiny"\npath = "{tiny}"\ncontext = 256\n')
    created = keys(tmp_path, "create", "--name", "alice", "--rpm", 2, "--json")
    assert created.returncode == 0, created.stderr
    secret = json.loads(created.stdout)["key"]
    assert secret.startswith("sk-")
    server = Server(tmp_path, "--config", tmp_path / "premise.toml")
    try:
        bearer = {"Authorization": f"Bearer {secret}"}
        assert server.ask("GET", "/health")[0] == 200
        assert server.ask("GET", "/v1/models")[0] == 401
        assert server.ask("GET", "/v1/models", Authorization="Bearer sk-wrong")[0] == 401
        assert server.ask("GET", "/metrics", **bearer)[0] == 403
        assert server.ask("GET", "/v1/models", **bearer)[0] == 200
        assert server.ask("GET", "/v1/models", **bearer)[0] == 200
        status, headers, _ = server.ask("GET", "/v1/models", **bearer)
        assert status == 429 and int({k.lower(): v for k, v in headers.items()}["retry-after"]) > 0
        assert keys(tmp_path, "revoke", "alice").returncode == 0
        for _ in range(50):
            if server.ask("GET", "/v1/models", **bearer)[0] == 401:
                break
            time.sleep(0.1)
        assert server.ask("GET", "/v1/models", **bearer)[0] == 401
    finally:
        assert server.stop()[0] == 0


# Models and settings that change


class Hearing(threading.Thread):
    """Reads what a server says, so that it never waits for its reader, and finds lines in it."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.lines, self.changed = server, [], threading.Condition()
        self.start()

    def run(self):
        for line in self.server.process.stderr:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def wait_for(self, text):
        with self.changed:
            assert self.changed.wait_for(lambda: any(text in line for line in self.lines), 30), \
                (text, self.lines)
            return next(line for line in self.lines if text in line)


@pytest.fixture
def configured(tiny, tmp_path):
    """A server with a premise.toml, and a function that writes it anew and sends SIGHUP."""
    path = tmp_path / "premise.toml"
    model = f'[[model]]\nname = "tiny"\npath = "{tiny}"\ncontext = 256\n'
    path.write_text(model)
    server = Server(tmp_path, "--config", path)
    assert server.port, server.said
    heard = Hearing(server)

    def reload(text, model=model):
        path.write_text(text + model)
        server.process.send_signal(signal.SIGHUP)

    server.heard, server.reload, server.home = heard, reload, tmp_path
    yield server
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=60) == 0


def test_a_reload_takes_what_it_can_and_names_the_rest(configured):
    log = configured.home / "access.log"
    configured.reload(f'[server]\nconnections = 50\n[log]\npath = "{log}"\nformat = "json"\n')
    assert "log.path" in configured.heard.wait_for("was reloaded")
    assert "server.connections" in configured.heard.wait_for("next start")
    assert configured.ask("GET", "/health")[0] == 200
    assert '"/health"' in log.read_text()
    configured.reload('[auth]\nrequired = true\n[server]\nlanguage = "zh"\n')
    configured.heard.wait_for("auth.required")
    assert "路径" in configured.ask("GET", "/nowhere")[2].decode()


def test_a_reload_of_a_file_with_a_mistake_changes_nothing(configured):
    configured.reload("[server]\nprot = 1\n")
    configured.heard.wait_for("nothing was changed")
    assert "prot" in configured.heard.wait_for("error: ")
    assert configured.json("POST", "/v1/completions", completion("tiny"))["choices"]


def test_a_reload_drops_no_stream_and_brings_models(configured, tiny):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(configured.ask, "POST", "/v1/completions",
                             completion("tiny", max_tokens=200, stream=True)) for _ in range(4)]
        configured.reload(f'[[model]]\nname = "second"\npath = "{tiny}"\ncontext = 64\n')
        configured.heard.wait_for("the model second is ready")
        assert configured.json("POST", "/v1/completions", completion("second"))["choices"]
        for each in asked:
            assert each.result()[2].endswith(b"data: [DONE]\n\n")
    configured.reload("")
    configured.heard.wait_for("the model second is unloaded")
    assert configured.ask("POST", "/v1/completions", completion("second"))[0] == 404


def test_versions_are_swapped_under_load_without_losing_a_request(server, model, tiny):
    stop = threading.Event()

    def client():
        count = 0
        while not stop.is_set():
            status, _, body = server.ask("POST", "/v1/completions",
                                         completion(model, max_tokens=32, stream=True))
            assert status == 200 and body.endswith(b"data: [DONE]\n\n"), (status, body[-200:])
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        clients = [pool.submit(client) for _ in range(6)]
        try:
            for _ in range(5):
                done = server.json("POST", "/admin/models/swap?wait",
                                   {"name": model, "path": str(tiny)})
                assert done["state"] == "ready" and done["watched"]
        finally:
            stop.set()
        assert sum(each.result() for each in clients) > 6
    assert done["version"] >= 6 and done["error"] is None
    assert server.metric(f'premise_model_swaps_total{{model="{model}",result="swapped"}}') == 5
    assert server.metric(f'premise_model_state{{model="{model}",state="ready"}}') == 1


def test_a_file_that_is_no_model_does_not_replace_one(server, model, tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + b"\xff" * 100)
    status, _, body = server.ask("POST", "/admin/models/swap?wait",
                                 {"name": model, "path": str(tmp_path / "bad.gguf")})
    assert status == 422 and "bad.gguf" in json.loads(body)["error"]["message"]
    assert server.json("POST", "/v1/completions", completion(model))["choices"]


def test_models_are_loaded_and_unloaded_while_it_runs(server, tiny):
    loaded = server.json("POST", "/admin/models/load?wait",
                         {"name": "extra", "path": str(tiny), "context": 64})
    assert loaded["state"] == "ready" and loaded["context_length"] == 64
    assert server.json("POST", "/v1/completions", completion("extra"))["choices"]
    assert {"extra"} < {m["id"] for m in server.json("GET", "/v1/models")["data"]}
    assert server.json("POST", "/admin/models/unload?wait", {"name": "extra"}) == {
        "name": "extra", "state": "unloaded"}
    assert server.ask("POST", "/v1/completions", completion("extra"))[0] == 404


def test_several_models_are_served_at_once(tiny, tmp_path):
    (tmp_path / "premise.toml").write_text("".join(
        f'[[model]]\nname = "{name}"\npath = "{tiny}"\ncontext = 128\n' for name in "ab"))
    server = Server(tmp_path, "--config", tmp_path / "premise.toml")
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(server.json, "POST", "/v1/completions", completion(name))
                     for name in "ab" * 4]
            assert {each.result()["model"] for each in asked} == {"a", "b"}
            assert len({each.result()["choices"][0]["text"] for each in asked}) == 1
    finally:
        assert server.stop()[0] == 0


def test_a_template_in_place_of_the_models_own(tiny, tmp_path):
    (tmp_path / "mine.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
    settings = f'[[model]]\npath = "{tiny}"\nname = "t"\nchat_template = "mine.jinja"\n'
    (tmp_path / "premise.toml").write_text(settings)
    server = Server(tmp_path, "--config", tmp_path / "premise.toml")
    try:
        body = {"model": "t", "max_tokens": 1, "messages": [{"role": "user", "content": "hello"}]}
        chat = server.json("POST", "/v1/chat/completions", body)
        raw = server.json("POST", "/v1/completions", completion("t"))
        assert chat["usage"]["prompt_tokens"] <= raw["usage"]["prompt_tokens"]
    finally:
        assert server.stop()[0] == 0
    (tmp_path / "mine.jinja").write_text("{% for %}")
    result = subprocess.run([PROGRAM, "serve", "--config", tmp_path / "premise.toml", "--check"],
                            env=server.environment, capture_output=True, stdin=subprocess.DEVNULL,
                            timeout=60)
    assert result.returncode == 3 and b"mine.jinja" in result.stderr


# Starting and stopping


def test_a_stream_that_runs_may_end_when_the_server_is_stopped(tiny, tmp_path):
    server = Server(tmp_path, tiny, "--context", CONTEXT)
    model = server.json("GET", "/v1/models")["data"][0]["id"]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.ask, "POST", "/v1/completions",
                            completion(model, max_tokens=CONTEXT - 16, stream=True))
        time.sleep(0.05)
        code, _ = server.stop()
        _, _, body = asked.result()
    assert code == 0
    assert body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("arguments, says", [
    ((), "no model"), (("/nonexistent.gguf",), "nonexistent"), (("--port", "70000"), "port")])
def test_a_server_that_cannot_start_says_why(tmp_path, arguments, says):
    environment = {"PATH": os.environ["PATH"], "LANG": "C", "PREMISE_HOME": str(tmp_path)}
    result = subprocess.run([PROGRAM, "serve", *arguments], env=environment, capture_output=True,
                            stdin=subprocess.DEVNULL, timeout=60)
    assert result.returncode in (2, 3)
    assert says in result.stderr.decode()


def test_keys_and_models_lie_in_files_of_their_own(tmp_path):
    """The store's may be thrown away and built again from the blobs, that of the keys may not."""
    environment = {"PATH": os.environ["PATH"], "LANG": "C", "PREMISE_HOME": str(tmp_path)}
    assert keys(tmp_path, "create", "--name", "alice").returncode == 0
    assert subprocess.run([PROGRAM, "list"], env=environment, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=60).returncode == 0
    assert (tmp_path / "gate.db").exists() and (tmp_path / "premise.db").exists()
    assert b"alice" in keys(tmp_path, "list").stdout
