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


@pytest.mark.parametrize("setting", [
    '[filter]\nwords = ["w.txt"]', '[cache]\nresults = "memory"', '[audit]\ntext = true'])
def test_a_setting_that_nothing_obeys_yet_is_refused(tiny, tmp_path, setting):
    (tmp_path / "w.txt").write_text("word\n")
    path = tmp_path / "premise.toml"
    path.write_text(f'{setting}\n[[model]]\npath = "{tiny}"\n')
    result = subprocess.run([PROGRAM, "serve", "--config", path, "--check"],
                            env={"PATH": os.environ["PATH"], "LANG": "C",
                                 "PREMISE_HOME": str(tmp_path)},
                            capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    assert result.returncode == 2
    assert "not built yet" in result.stderr.decode()


def test_keys_and_models_lie_in_files_of_their_own(tmp_path):
    """The store's may be thrown away and built again from the blobs, that of the keys may not."""
    environment = {"PATH": os.environ["PATH"], "LANG": "C", "PREMISE_HOME": str(tmp_path)}
    assert keys(tmp_path, "create", "--name", "alice").returncode == 0
    assert subprocess.run([PROGRAM, "list"], env=environment, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=60).returncode == 0
    assert (tmp_path / "gate.db").exists() and (tmp_path / "premise.db").exists()
    assert b"alice" in keys(tmp_path, "list").stdout
