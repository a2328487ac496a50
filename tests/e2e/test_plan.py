"""`premise plan` as a user or a script calls it, and held to what the engine really allocates."""

import json
import os
import pathlib
import pty
import re
import struct
import subprocess

import pytest

import tiny_model

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))
GOLDEN = ROOT / "tests/golden/planning"
FIELDS = ("weights_bytes", "kv_cache_bytes", "activation_bytes", "total_bytes", "capacity_bytes",
          "fits", "prefill_tokens_per_second", "decode_tokens_per_second",
          "time_to_first_token_seconds", "suggestions")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    path.write_bytes(tiny_model.model_bytes())
    return path


@pytest.fixture(scope="session")
def wide(tmp_path_factory):
    """Heads of 32 dimensions, as a cache of eight bits wants them."""
    path = tmp_path_factory.mktemp("models") / "wide.gguf"
    path.write_bytes(tiny_model.model_bytes(heads=2))
    return path


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def environment(home, **more):
    kept = {key: os.environ[key] for key in ("PATH",) if key in os.environ}
    return {**kept, "LANG": "C", "HOME": "/nonexistent", "PREMISE_HOME": str(home), **more}


def premise(*arguments, home="/nonexistent/store", **variables):
    return subprocess.run([PROGRAM, *map(str, arguments)], env=environment(home, **variables),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


def plan(*arguments, **variables):
    result = premise("plan", *arguments, "--json", **variables)
    assert result.returncode == 0, result.stderr.decode()
    return json.loads(result.stdout)


# What the engine does


@pytest.mark.parametrize("context, kv_type", [(64, "f16"), (513, "f16"), (4096, "f16"),
                                              (513, "q8_0"), (4096, "q8_0"), (513, "f32")])
def test_weights_and_cache_are_those_of_the_engine(wide, context, kv_type):
    loaded = subprocess.run([PROGRAM, "inspect", wide, "--plan", "--json", "--context", str(context),
                             "--kv-type", kv_type],
                            env=environment("/nonexistent/store"), capture_output=True, check=True)
    real = json.loads(loaded.stdout)
    predicted = plan(wide, "--context", context, "--kv-type", kv_type)
    assert predicted["kv_cache_bytes"] == real["cache_bytes"]
    # The engine counts packed matrices; norms come on top: 2 · 2 + 1 of 64 floats.
    assert predicted["weights_bytes"] == real["weight_bytes"] + 5 * 64 * 4
    # Of the logits that it sets aside for perplexity a request touches one row.
    logits = (512 - 1) * tiny_model.VOCABULARY * 4
    assert predicted["activation_bytes"] >= 0.5 * (real["workspace_bytes"] - logits)
    assert predicted["activation_bytes"] <= 1.5 * real["workspace_bytes"] + 2_600_000


def test_a_benchmark_leaves_how_far_predictions_were_off(tiny, home):
    assert plan(tiny, home=home)["history"] == []
    for length in (16, 32):
        bench = premise("bench", "engine", tiny, "-p", length, "-n", 4, "-r", 1, home=home)
        assert bench.returncode == 0 and b"off by: memory" in bench.stderr
    records = plan(tiny, home=home)["history"]
    assert len(records) == 2
    for name in ("memory_bytes", "prefill_tokens_per_second", "decode_tokens_per_second"):
        compared = records[-1][name]
        assert compared["measured"] > 0 and compared["predicted"] > 0
        assert compared["error"] == pytest.approx(
            (compared["predicted"] - compared["measured"]) / compared["measured"])
    shown = premise("plan", tiny, home=home).stdout.decode()
    assert "PREDICTED / MEASURED HERE" in shown and "tiny.gguf" in shown


def test_a_benchmark_succeeds_where_nothing_can_be_kept(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    bench = premise("bench", "engine", tiny, "-p", 4, "-n", 2, "-r", 1, "--json",
                    home=tmp_path / "file" / "store")
    assert bench.returncode == 0 and b"error: " in bench.stderr
    json.loads(bench.stdout)


def test_damaged_history_is_said_and_does_not_stop_the_plan(tiny, home):
    home.mkdir()
    (home / "predictions.json").write_text('{"records":')
    result = premise("plan", tiny, home=home)
    assert result.returncode == 0 and b"predictions.json" in result.stderr
    assert b"MEMORY" in result.stdout


@pytest.mark.skipif(not os.environ.get("PREMISE_TEST_REAL"), reason="PREMISE_TEST_REAL is not set")
def test_memory_of_the_real_model_is_within_five_percent(home):
    store = os.environ.get("PREMISE_HOME", str(pathlib.Path.home() / ".premise"))
    bench = json.loads(premise("bench", "engine", "gemma3:270m-base", "-p", 512, "-n", 64, "-r", 1,
                               "--json", home=store).stdout)
    predicted = plan("gemma3:270m-base", "--context", 513, home=store)
    assert predicted["total_bytes"] == pytest.approx(bench["peak_rss_bytes"], rel=0.05)


# Subjects


@pytest.mark.parametrize("subject", [
    ("--params", "7b"), (GOLDEN / "tiny-llama",), (GOLDEN / "tiny-llama/config.json",),
    (GOLDEN / "tiny-llama/model-00001-of-00004.safetensors",)])
@pytest.mark.parametrize("device", ["this", "rtx3060", "epyc-9354"])
def test_every_subject_on_every_kind_of_device(subject, device):
    answer = plan(*subject, "--on", device)
    assert all(field in answer for field in FIELDS)
    assert answer["total_bytes"] == sum(answer[f"{part}_bytes"] for part in
                                        ("weights", "kv_cache", "activation", "process"))
    assert answer["budget_bytes"] == pytest.approx(0.8 * answer["capacity_bytes"], abs=1)
    assert answer["fits"] == (answer["total_bytes"] <= answer["budget_bytes"])
    assert all(row["fits"] for row in answer["suggestions"])


def test_types_contexts_and_requests_change_what_is_needed():
    def need(*more):
        return plan("--params", "7b", "--on", "a100-80", *more)
    q4, q8 = need("--type", "q4_k_m"), need("--type", "Q8_0")
    assert q4["weights_bytes"] < q8["weights_bytes"]
    assert q4["decode_tokens_per_second"] > q8["decode_tokens_per_second"]
    assert need("--context", 8192)["kv_cache_bytes"] == 2 * q4["kv_cache_bytes"]
    assert need("--concurrency", 4)["kv_cache_bytes"] == 4 * q4["kv_cache_bytes"]
    assert need("--kv-type", "q8_0")["kv_cache_bytes"] == q4["kv_cache_bytes"] * 34 // 64


def test_the_nearest_shape_is_named():
    assert "Qwen2.5 7B" in plan("--params", "7b", "--on", "l4")["notes"][0]
    assert plan("--params", "8b", "--family", "llama", "--on", "l4")["model"] == "Llama 3.1 8B"
    assert "60 layers" not in plan("--params", "50b", "--on", "h200")["notes"][0]


def test_the_table_stands_beside_the_rules():
    rows = json.loads(premise("plan", "--table", "--json").stdout)["rows"]
    assert {row["size"] for row in rows} == {"7B", "13B", "14B", "32B", "70B"}
    ruled = [row for row in rows if row["rule"]]
    assert ruled and all(row["comparison"] for row in ruled)
    shown = premise("plan", "--table").stdout.decode()
    assert "10–12 GB" in shown and "≥16 GB" in shown and "2 to 3 times" in shown


# What goes wrong


@pytest.mark.parametrize("arguments, says", [
    ((), "MODEL or --params"),
    (("--params", "7b", "x.gguf"), "MODEL or --params"),
    (("--table", "--params", "7b"), "--table"),
    (("--family", "llama", "x.gguf"), "--family"),
    (("--params", "7"), "100m to 1000b"),
    (("--params", "99999999999999999999b"), "100m to 1000b"),
    (("--params", "-7b"), "100m to 1000b"),
    (("--params", "7b", "--type", "q4_k_x"), "q4_k_x"),
    (("--params", "7b", "--family", "lama"), "lama"),
    (("--params", "7b", "--on", "rtx9999"), "rtx9999"),
    (("--params", "7b", "--context", "0"), "from 1 to"),
    (("--params", "7b", "--context", "99999999999999999999"), "from 1 to"),
    (("--params", "7b", "--context", "1000000"), "131072"),
    (("--params", "7b", "--concurrency", "0"), "from 1 to"),
    (("--params", "7b", "--concurrency", "18446744073709551617"), "from 1 to"),
    (("--params", "7b", "--kv-type", "q3"), "q3"),
    (("nothing",), 'no model "nothing"'),
    (("nothing.gguf",), "nothing.gguf"),
])
def test_wrong_usage_is_2_and_says_what(arguments, says):
    result = premise("plan", *arguments)
    assert result.returncode == 2, result.stderr
    assert says in result.stderr.decode() and result.stdout == b""


def safetensors(header):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(64)


@pytest.mark.parametrize("name, contents", [
    ("cut.gguf", tiny_model.model_bytes()[:-1000]),
    ("cut-short.gguf", tiny_model.model_bytes()[:100]),
    ("config.json", b'{"model_type":'),
    ("config.json", b'{"model_type":"llama"}'),
    ("config.json", (GOLDEN / "tiny-llama/config.json").read_bytes().replace(b"16", b"1600000000000")),
    ("config.json", b"[" * 1_000_000),
    ("model.safetensors", struct.pack("<Q", 1 << 62) + b"{}"),
    ("model.safetensors", safetensors({"a": {"dtype": "F32", "shape": [1 << 40, 1 << 40],
                                             "data_offsets": [0, 64]}})),
])
def test_a_bad_file_is_3_and_is_named(tmp_path, name, contents):
    if name.endswith(".safetensors"):
        (tmp_path / "config.json").write_bytes((GOLDEN / "tiny-llama/config.json").read_bytes())
    (tmp_path / name).write_bytes(contents)
    result = premise("plan", tmp_path / name)
    assert result.returncode == 3, (result.returncode, result.stderr)
    assert name in result.stderr.decode() and result.stdout == b""


# How it looks


def test_help_in_both_languages():
    english, chinese = premise("plan", "--help"), premise("plan", "--help", "--lang", "zh")
    assert english.returncode == chinese.returncode == 0
    assert b"Usage:\n" in english.stdout and "用法：\n".encode() in chinese.stdout
    for spoken in (english.stdout, chinese.stdout):
        assert not re.search(rb"UINT|FLOAT| in \[", spoken)
    assert re.search("[一-鿿]", english.stdout.decode().split("Examples:")[0]) is None


@pytest.mark.parametrize("arguments", [
    ("--params", "7b"), ("--params", "70b", "--on", "rtx3060"), ("--params", "405b", "--on", "l4"),
    ("--table",)])
def test_english_has_no_chinese_and_the_other_way_round(arguments):
    english = premise("plan", *arguments).stdout.decode()
    chinese = premise("plan", *arguments, "--lang", "zh").stdout.decode()
    assert re.search("[一-鿿]", english) is None
    assert re.search("[一-鿿]", chinese)
    for word in ("MEMORY", "SUGGESTIONS", "fits", "tokens", "weights"):
        assert word not in chinese


def on_a_terminal(*arguments, **variables):
    mine, theirs = pty.openpty()
    with subprocess.Popen([PROGRAM, *arguments], env=environment("/nonexistent", **variables),
                          stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL) as run:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(mine, 4096):
                shown += chunk
        except OSError:
            pass  # the terminal has closed
        assert run.wait() == 0
    return shown


def test_colour_is_for_terminals():
    wish = ("plan", "--params", "7b", "--on", "rtx3060")
    assert b"\x1b[32m" in on_a_terminal(*wish, TERM="xterm")
    assert b"\x1b" not in on_a_terminal(*wish, TERM="xterm", NO_COLOR="1")
    assert b"\x1b" not in on_a_terminal(*wish, TERM="dumb")
    assert b"\x1b" not in premise(*wish).stdout
    assert b"\x1b[31m" in on_a_terminal("plan", "--params", "70b", "--on", "rtx3060", TERM="xterm")
