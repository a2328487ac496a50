"""premise keys from outside: who may use a running server."""

import json
import shutil
import socket
import subprocess
import time

import pytest

from serving import PROGRAM, Server, environment, keys


@pytest.fixture
def redis(tmp_path):
    """The address of a Redis that ends with the test."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                                "--dir", tmp_path], stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(timeout=30)


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


def test_keys_and_models_lie_in_files_of_their_own(tmp_path):
    """The store's may be thrown away and built again from the blobs, that of the keys may not."""
    assert keys(tmp_path, "create", "--name", "alice").returncode == 0
    assert subprocess.run([PROGRAM, "list"], env=environment(tmp_path), capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=60).returncode == 0
    assert (tmp_path / "gate.db").exists() and (tmp_path / "premise.db").exists()
    assert b"alice" in keys(tmp_path, "list").stdout


def test_servers_share_limits_by_the_names_of_keys(tiny, tmp_path, redis):
    """The key of one name has another number, and another secret, on each server."""
    servers, bearers = [], []
    try:
        for number, others in enumerate(([], ["bob", "carol"])):
            home = tmp_path / str(number)
            home.mkdir()
            for name in others:
                assert keys(home, "create", "--name", name).returncode == 0
            made = keys(home, "create", "--name", "alice", "--rpm", 3, "--json")
            (home / "premise.toml").write_text(
                f'[auth]\nrequired = true\n[limits]\ncounters = "{redis}"\n'
                f'[[model]]\nname = "tiny"\npath = "{tiny}"\ncontext = 64\n')
            servers.append(Server(home, "--config", home / "premise.toml"))
            assert servers[-1].port, servers[-1].said
            bearers.append({"Authorization": f"Bearer {json.loads(made.stdout)['key']}"})
        while time.time() % 60 > 50:  # a window of a minute begins soon: the requests shall share one
            time.sleep(1)
        taken = [servers[each].ask("GET", "/v1/models", **bearers[each])[0] for each in (0, 1, 1, 0, 1)]
        assert taken == [200, 200, 200, 429, 429]
    finally:
        assert [server.stop()[0] for server in servers] == [0, 0]
