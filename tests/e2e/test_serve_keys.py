"""premise keys from outside: who may use a running server."""

import json
import subprocess
import time

from serving import PROGRAM, Server, environment, keys


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
