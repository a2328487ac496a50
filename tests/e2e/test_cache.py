"""The cache of packed weights as users meet it: written by the first load, read by the next, never trusted.

A tiny model with a wide feed-forward network, since models below 16 MiB are not kept. Whether a load
has read the cache shows in the time of its file, which is the time of last use.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import resource
import signal
import sqlite3
import subprocess
import time

import pytest

import serving
import tiny_model

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))
LONG_AGO = 1_000_000_000


@pytest.fixture(scope="session")
def contents():
    return tiny_model.model_bytes(feed_forward=12288)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def model(tmp_path, contents):
    path = tmp_path / "wide.gguf"
    path.write_bytes(contents)
    time.sleep(0.2)  # a file that was changed a moment ago is not cached
    return path


def premise(home, *arguments, prepare=None):
    environment = {"PATH": os.environ["PATH"], "LANG": "C", "HOME": str(home.parent), "PREMISE_HOME": str(home)}
    return subprocess.run([PROGRAM, *map(str, arguments)], env=environment, capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL, preexec_fn=prepare, restore_signals=False)


def complete(home, model, *more, prepare=None):
    result = premise(home, "complete", model, "-p", "the sea", "-n", 8, "--temperature", 0, "--json", *more,
                     prepare=prepare)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)["tokens"], result.stderr


def entries(home):
    return sorted((home / "cache/packed").glob("*.packed"))


def listed(home):
    result = premise(home, "cache", "list", "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def cached(home, model):
    """A cache with one entry, whose last use was long ago; what the model says."""
    tokens, said = complete(home, model)
    assert said == ""
    (entry,) = entries(home)
    os.utime(entry, (LONG_AGO, LONG_AGO))
    return entry, tokens


def test_the_first_load_writes_it_and_the_next_reads_it(home, model):
    entry, tokens = cached(home, model)
    inode = entry.stat().st_ino
    assert complete(home, model) == (tokens, "")
    assert entry.stat().st_ino == inode
    assert entry.stat().st_mtime > LONG_AGO
    assert list(entry.parent.iterdir()) == [entry]


def test_without_it_everything_is_as_before(home, model):
    tokens, said = complete(home, model, "--no-repack-cache")
    assert (entries(home), said) == ([], "")
    entry, with_cache = cached(home, model)
    assert with_cache == tokens
    assert complete(home, model, "--no-repack-cache") == (tokens, "")
    assert entry.stat().st_mtime == LONG_AGO


@pytest.mark.parametrize("where", ["magic", "head", "weights", "cut", "empty", "folder"])
def test_a_damaged_one_is_said_and_packed_again(home, model, where):
    entry, tokens = cached(home, model)
    size = entry.stat().st_size
    if where in ("magic", "head", "weights"):
        with entry.open("r+b") as file:
            file.seek({"magic": 0, "head": 60, "weights": size - 5000}[where])
            file.write(b"\xa5\x5a\xa5")
    elif where == "folder":
        entry.unlink()
        entry.mkdir()
    else:
        os.truncate(entry, size // 2 if where == "cut" else 0)
    again, said = complete(home, model)
    assert again == tokens
    assert said.startswith("packing the weights again: ") and str(entry) in said
    assert said.count("\n") == 1
    os.utime(entry, (LONG_AGO, LONG_AGO))
    assert complete(home, model) == (tokens, "")
    assert entry.stat().st_mtime > LONG_AGO


def test_a_model_that_changed_is_packed_again_and_its_old_entry_goes(home, model, contents):
    entry, tokens = cached(home, model)
    model.write_bytes(contents[:-200_000] + bytes(200_000))
    time.sleep(0.2)
    changed, _ = complete(home, model)
    assert changed == complete(home, model, "--no-repack-cache")[0]
    (new,) = entries(home)
    assert new != entry


def test_list_shows_it_and_clear_removes_it(home, model):
    assert listed(home)["entries"] == []
    entry, _ = cached(home, model)
    found = listed(home)
    assert found["folder"] == str(entry.parent)
    (row,) = found["entries"]
    assert row["model"] == row["source"] == str(model)
    assert row["bytes"] == found["bytes"] == entry.stat().st_size
    assert (row["isa"], row["last_use"], row["sha256"]) == ("any", "2001-09-09T01:46:40Z", None)
    assert str(model) in premise(home, "cache", "list").stdout
    assert "指令集" in premise(home, "cache", "list", "--lang", "zh").stdout
    missing = premise(home, "cache", "clear", "/nowhere.gguf", model)
    assert missing.returncode == 1 and "/nowhere.gguf" in missing.stderr and entry.exists()
    cleared = premise(home, "cache", "clear", model, "--json")
    assert json.loads(cleared.stdout) == {"removed": 1, "freed_bytes": row["bytes"]}
    assert entries(home) == []


def test_list_takes_away_what_belongs_to_no_model(home, model):
    entry, _ = cached(home, model)
    (entry.parent / "file-1.packed").write_bytes(b"no such thing")
    (entry.parent / "file-2.packed.partial").write_bytes(b"left by a killed one")
    found = listed(home)
    assert (found["removed"], len(found["entries"])) == (2, 1)
    model.unlink()
    assert premise(home, "cache", "list").returncode == 0
    assert list(entry.parent.iterdir()) == []


def test_a_model_of_the_store_is_known_by_its_digest_and_rm_takes_its_entry(home, contents):
    assert premise(home, "list").returncode == 0  # makes the store
    digest = hashlib.sha256(contents).hexdigest()
    with contextlib.closing(sqlite3.connect(home / "premise.db")) as database, database:
        database.execute("INSERT INTO blobs VALUES (?, ?)", (digest, len(contents)))
        (number,) = database.execute("INSERT INTO models(name) VALUES ('wide') RETURNING id").fetchone()
        database.execute("INSERT INTO manifests(model, tag, digest, format, file_name, source, licence)"
                         " VALUES (?, 'test', ?, 'gguf', 'wide.gguf', 'file', '')", (number, digest))
    (home / "blobs" / f"sha256-{digest}").write_bytes(contents)
    time.sleep(0.2)
    entry, _ = cached(home, "wide:test")
    assert entry.name == f"sha256-{digest}.packed"
    (row,) = listed(home)["entries"]
    assert (row["model"], row["sha256"]) == ("wide:test", digest)
    os.utime(home / "blobs" / f"sha256-{digest}", (LONG_AGO, LONG_AGO))  # as if it had been mended
    time.sleep(0.2)
    assert "changed since" in complete(home, "wide:test")[1]
    assert complete(home, "wide:test")[1] == ""
    assert premise(home, "cache", "clear", "wide:test").returncode == 0
    assert entries(home) == []
    cached(home, "wide:test")
    removed = premise(home, "rm", "wide:test")
    assert removed.returncode == 0 and "packed weights" in removed.stderr
    assert entries(home) == []


def test_a_home_that_cannot_be_written_to_is_said_in_one_line(tmp_path, model):
    home = tmp_path / "file"
    home.write_text("in the way")
    tokens, said = complete(home, model)
    assert len(tokens) == 8
    assert said.startswith("packed weights are not cached: ") and said.count("\n") == 1


def test_a_disk_without_room_is_said_in_one_line(home, model):
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    tokens, said = complete(home, model, prepare=small_files)
    assert len(tokens) == 8
    assert said.startswith("packed weights are not cached: ") and said.count("\n") == 1
    assert list((home / "cache/packed").iterdir()) == []


def test_many_may_start_at_once(home, model):
    environment = {"PATH": os.environ["PATH"], "LANG": "C", "HOME": str(home), "PREMISE_HOME": str(home)}
    running = [subprocess.Popen([PROGRAM, "complete", str(model), "-p", "the sea", "-n", "4", "-t", "1", "--json",
                                 "--temperature", "0"], env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(6)]
    answers = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0] * 6
    assert {said for _, said in answers} == {""}
    assert len({str(json.loads(out)["tokens"]) for out, _ in answers}) == 1
    (entry,) = entries(home)
    assert list(entry.parent.iterdir()) == [entry]
    os.utime(entry, (LONG_AGO, LONG_AGO))
    complete(home, model)
    assert entry.stat().st_mtime > LONG_AGO


def test_one_that_is_killed_leaves_nothing_that_a_load_trusts(home, model):
    environment = {"PATH": os.environ["PATH"], "LANG": "C", "HOME": str(home), "PREMISE_HOME": str(home)}
    for delay in (0.02, 0.05, 0.08, 0.12):
        process = subprocess.Popen([PROGRAM, "complete", str(model), "-p", "the sea", "-n", "1"], env=environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
    expected = complete(home, model, "--no-repack-cache")[0]
    assert complete(home, model) == (expected, "")
    assert complete(home, model) == (expected, "")
    assert len(list((home / "cache/packed").iterdir())) == 1


def test_a_server_uses_it_unless_told_otherwise(home, model):
    home.mkdir()
    config = home / "off.toml"
    config.write_text("[engine]\nrepack_cache = false\n")
    for options, count in ((("--config", config), 0), ((), 1)):
        server = serving.Server(home, model, "--context", 256, "--threads", 2, *options)
        assert server.port, server.said
        deadline = time.monotonic() + 20  # it is written while the server serves
        while count > len(entries(home)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.stop()[0] == 0
        assert len(entries(home)) == count
