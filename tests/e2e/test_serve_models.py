"""Models and settings that change while a server runs."""

import concurrent.futures
import errno
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from serving import PROGRAM, Server, completion


@pytest.fixture
def configured(tiny, tmp_path):
    """A server with a premise.toml, and a function that writes it anew and sends SIGHUP."""
    path = tmp_path / "premise.toml"
    model = f'[[model]]\nname = "tiny"\npath = "{tiny}"\ncontext = 256\n'
    path.write_text(model)
    server = Server(tmp_path, "--config", path)
    assert server.port, server.said

    def reload(text, model=model):
        path.write_text(text + model)
        server.process.send_signal(signal.SIGHUP)

    server.reload, server.home = reload, tmp_path
    yield server
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=60) == 0


def test_a_reload_takes_what_it_can_and_names_the_rest(configured):
    log = configured.home / "access.log"
    configured.reload(f'[server]\nconnections = 50\n[log]\npath = "{log}"\nformat = "json"\n')
    assert "log.path" in configured.wait_for("was reloaded")
    assert "server.connections" in configured.wait_for("next start")
    assert configured.ask("GET", "/health")[0] == 200
    assert '"/health"' in log.read_text()
    configured.reload('[auth]\nrequired = true\n[server]\nlanguage = "zh"\n')
    configured.wait_for("auth.required")
    assert "路径" in configured.ask("GET", "/nowhere")[2].decode()


def test_a_reload_of_a_file_with_a_mistake_changes_nothing(configured):
    configured.reload("[server]\nprot = 1\n")
    configured.wait_for("nothing was changed")
    assert "prot" in configured.wait_for("error: ")
    assert configured.json("POST", "/v1/completions", completion("tiny"))["choices"]


def test_a_reload_drops_no_stream_and_brings_models(configured, tiny):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(configured.ask, "POST", "/v1/completions",
                             completion("tiny", max_tokens=200, stream=True)) for _ in range(4)]
        configured.reload(f'[[model]]\nname = "second"\npath = "{tiny}"\ncontext = 64\n')
        configured.wait_for("the model second is ready")
        assert configured.json("POST", "/v1/completions", completion("second"))["choices"]
        for each in asked:
            assert each.result()[2].endswith(b"data: [DONE]\n\n")
    configured.reload("")
    configured.wait_for("the model second is unloaded")
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


def test_a_swap_is_watched_as_it_asks_to_be(server, model, tiny):
    swap = {"name": model, "path": str(tiny)}
    done = server.json("POST", "/admin/models/swap?wait", {**swap, "watch_seconds": 0})
    assert not done["watched"]
    done = server.json("POST", "/admin/models/swap?wait", {**swap, "error_rate": 0.5})
    assert done["watched"]
    status, _, body = server.ask("POST", "/admin/models/swap", {**swap, "error_rate": 2})
    assert status == 400 and json.loads(body)["error"]["param"] == "error_rate"


def test_limits_of_a_swap_change_without_a_new_version(configured, tiny):
    model = f'[[model]]\nname = "tiny"\npath = "{tiny}"\ncontext = 256\n'
    configured.reload("", model + "watch_seconds = 0\n")
    assert "model.tiny.watch_seconds" in configured.wait_for("was reloaded")
    assert configured.json("GET", "/admin/models/tiny")["version"] == 1
    done = configured.json("POST", "/admin/models/swap?wait", {"name": "tiny", "path": str(tiny)})
    assert done["version"] == 2 and not done["watched"]


def once_read(pipe):
    """The writing end of a pipe, as soon as somebody has opened it to read."""
    for _ in range(200):
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            assert error.errno == errno.ENXIO
            time.sleep(0.05)
    raise AssertionError(f"nobody reads {pipe}")


def test_a_server_is_stopped_although_a_model_is_being_loaded(tiny, tmp_path):
    """A pipe that nobody writes to is a template that is never read to its end."""
    os.mkfifo(tmp_path / "endless.jinja")
    settings = f'[server]\ndrain_seconds = 0.1\n[[model]]\nname = "t"\npath = "{tiny}"\ncontext = 64\n'
    (tmp_path / "premise.toml").write_text(settings)
    server = Server(tmp_path, "--config", tmp_path / "premise.toml")
    (tmp_path / "premise.toml").write_text(
        settings + settings[settings.index("[["):].replace('"t"', '"endless"') +
        'chat_template = "endless.jinja"\n')
    server.process.send_signal(signal.SIGHUP)
    writer = once_read(tmp_path / "endless.jinja")
    status, said = server.stop()
    os.close(writer)
    assert status == 0 and "endless is still being loaded" in said


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
