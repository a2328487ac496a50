"""premise synth as its users call it: a model for measuring, written whole or not at all, which every
command that computes takes for a model."""

import errno
import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))
ARCHITECTURES = ("qwen2", "qwen3", "llama", "gemma3")
LONG = ("--arch", "qwen2", "--size", "1.5b", "--type", "f16")  # 3 GB, seconds on any disk
LONG_BYTES = 4 << 30


def environment():
    return {"PATH": os.environ["PATH"], "LANG": "C", "HOME": "/nonexistent", "PREMISE_HOME": "/nonexistent/store"}


def premise(*arguments, given=b""):
    return subprocess.run([PROGRAM, *map(str, arguments)], env=environment(), input=given,
                          capture_output=True, timeout=120)


def document(*arguments, given=b""):
    result = premise(*arguments, "--json", given=given)
    assert result.returncode == 0, result.stderr.decode()
    return json.loads(result.stdout)


def synth(path, *more, arch="qwen2", size="tiny", type="q8_0"):
    return premise("synth", "--arch", arch, "--size", size, "--type", type, "-o", path, *more)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A tiny model of every architecture, as people would download it."""
    folder = tmp_path_factory.mktemp("synthetic")
    for arch in ARCHITECTURES:
        result = synth(folder / f"{arch}.gguf", arch=arch, type="q4_k_m")
        assert result.returncode == 0, result.stderr.decode()
    return folder


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_made_model_completes_a_text(models, arch):
    answer = document("complete", models / f"{arch}.gguf", "-p", "A text, 一段文字", "-n", 8, "--ignore-eos")
    assert len(answer["tokens"]) == 8
    assert answer["finish_reason"] == "length"


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_made_model_is_measured(models, arch):
    measured = document("bench", "engine", models / f"{arch}.gguf", "-p", 16, "-n", 4, "-b", "1,2", "-r", 1)
    assert [row["tokens"] for row in measured["prefill"]] == [16]
    assert [row["batch"] for row in measured["decode"]] == [1, 2]
    assert all(row["tokens_per_second"] > 0 for row in measured["prefill"] + measured["decode"])


def test_logits_spread_as_those_of_a_trained_model_do(models):
    """Neither all alike (text would be noise of the sampler) nor one beyond all others."""
    row = document("logits", models / "llama.gguf", "--tokens", "300,700,1100", "--top", 10)["positions"][-1]
    logprobs = [entry["logprob"] for entry in row["top"]]
    assert -8 < logprobs[-1] < logprobs[0] < -0.001


def test_tokens_give_the_text_back(models):
    text = "What is said, 说过的话, comes back: {x} = 10 % 🙂\n".encode()
    tokens = document("tokenize", models / "qwen2.gguf", given=text)["tokens"]
    assert premise("tokenize", models / "qwen2.gguf", "--decode",
                   given=" ".join(map(str, tokens)).encode()).stdout == text
    assert len(tokens) < len(text)  # 2,048 tokens are few; made_vocabulary_test.cpp measures a whole one


def test_chat_speaks_the_models_own_format(models):
    result = premise("chat", models / "qwen3.gguf", "-n", 4, given=b"hello\n")
    assert result.returncode == 0, result.stderr.decode()


def test_the_document_says_what_was_written(tmp_path):
    path = tmp_path / "model.gguf"
    made = json.loads(synth(path, "--json", "--seed", 5).stdout)
    assert made["path"] == str(path) and made["seed"] == 5 and made["type"] == "q8_0"
    assert made["bytes"] == path.stat().st_size
    seen = document("inspect", path)
    assert seen["parameters"] == made["parameters"]
    assert seen["metadata"]["general.architecture"] == made["architecture"] == "qwen2"
    assert seen["metadata"]["tokenizer.ggml.tokens"]["count"] == made["vocabulary"]


def test_a_seed_gives_the_same_bytes(tmp_path):
    first, again, other = (tmp_path / name for name in ("a.gguf", "b.gguf", "c.gguf"))
    for path, seed in ((first, 1), (again, 1), (other, 2)):
        assert synth(path, "--seed", seed).returncode == 0
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()


def test_an_existing_file_is_kept_unless_forced(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"precious")
    refused = synth(path)
    assert refused.returncode == 2 and b"--force" in refused.stderr
    assert path.read_bytes() == b"precious"
    assert synth(path, "--force").returncode == 0
    assert path.read_bytes()[:4] == b"GGUF"


@pytest.mark.parametrize("arguments, says", [
    ({"arch": "gpt5"}, b"qwen2, qwen3"),
    ({"size": "8b"}, b"0.5b, 1.5b"),
    ({"type": "q9_9"}, b"q4_k_m"),
])
def test_what_is_not_known_is_named_with_what_is(tmp_path, arguments, says):
    refused = synth(tmp_path / "model.gguf", **arguments)
    assert refused.returncode == 2 and says in refused.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_is_no_file_and_a_missing_one_is_named(tmp_path):
    assert synth(tmp_path).returncode == 2
    missing = synth(tmp_path / "nowhere" / "model.gguf")
    assert missing.returncode == 3 and b"nowhere" in missing.stderr


def test_a_disk_without_room_is_told_before_anything_is_written(tmp_path):
    if shutil.disk_usage(tmp_path).free > 1_700_000_000_000:
        pytest.skip("this disk has room for 1.6 TB")
    refused = synth(tmp_path / "model.gguf", arch="llama", size="405b", type="f32")
    assert refused.returncode == 4 and b"free on this disk" in refused.stderr
    assert not list(tmp_path.iterdir())


def test_ctrl_c_leaves_no_part_of_a_file(tmp_path):
    if shutil.disk_usage(tmp_path).free < LONG_BYTES:
        pytest.skip("this disk has no room for 4 GB")
    child = subprocess.Popen([PROGRAM, "synth", *LONG, "-o", str(tmp_path / "model.gguf")],
                             env=environment(), stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not any(path.stat().st_size > 1 << 20 for path in tmp_path.iterdir()):
        assert time.monotonic() < until and child.poll() is None
        time.sleep(0.005)
    child.send_signal(signal.SIGINT)
    said = child.communicate(timeout=60)[1]
    assert child.returncode == 130, said
    assert not list(tmp_path.iterdir())


def test_a_terminal_shows_progress(tmp_path):
    master, slave = pty.openpty()
    child = subprocess.Popen([PROGRAM, "synth", "--arch", "gemma3", "--size", "tiny", "--type", "f32",
                              "-o", str(tmp_path / "model.gguf")],
                             env=environment(), stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError as problem:
            assert problem.errno == errno.EIO  # the other side is closed
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert child.wait(timeout=60) == 0
    assert b"writing" in shown and b"MB" in shown
