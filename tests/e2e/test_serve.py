"""premise serve from outside: a server on loopback, asked over real sockets.

A tiny random model answers: what it says means nothing, but streams, limits, errors and counts do.
"""

import concurrent.futures
import json
import re
import subprocess
import time

import pytest

from serving import CONTEXT, PROGRAM, Server, completion, environment


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
    result = subprocess.run([PROGRAM, "serve", *arguments], env=environment(tmp_path), capture_output=True,
                            stdin=subprocess.DEVNULL, timeout=60)
    assert result.returncode in (2, 3)
    assert says in result.stderr.decode()
