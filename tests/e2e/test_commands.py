"""The commands that compute, as a user or a script calls them: fields, exit codes, streams, signals.

A tiny random model (tiny_model.py) stands in for a real one: what it says means nothing, but complete,
logits, tokenize and perplexity must agree about it. With PREMISE_TEST_REAL=1 and the default model in
$PREMISE_HOME, some checks run on real weights too.
"""

import fcntl
import json
import math
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import termios
import time

import pytest

import tiny_model

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))
REAL = "gemma3:270m-base"
ENDLESS = ("-n", "200000", "--ignore-eos", "--temperature", "1")


CHAT_TEMPLATE = """{{ bos_token }}{% for m in messages %}
{%- if m.content == 'forbidden' %}{{ raise_exception('No such word.') }}{% endif %}
{%- if m.role == 'user' %}user: {% elif m.role == 'assistant' %}assistant:{% endif %}
{{- m.content ~ eos_token }}{% endfor %}assistant:"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    (folder / "tiny.gguf").write_bytes(tiny_model.model_bytes())
    (folder / "wide.gguf").write_bytes(tiny_model.model_bytes(heads=2))  # heads of 32 dimensions
    (folder / "vocabulary.gguf").write_bytes(tiny_model.model_bytes(vocabulary_only=True))
    (folder / "template.gguf").write_bytes(tiny_model.model_bytes(chat_template=CHAT_TEMPLATE))
    (folder / "broken-template.gguf").write_bytes(tiny_model.model_bytes(chat_template="\n{% for %}"))
    (folder / "cut.gguf").write_bytes(tiny_model.model_bytes()[:-1000])
    (folder / "empty").mkdir()
    return folder


@pytest.fixture(scope="session")
def tiny(folder):
    return folder / "tiny.gguf"


def environment(**more):
    kept = {key: os.environ[key] for key in ("PATH",) if key in os.environ}
    return {**kept, "LANG": "C", "HOME": "/nonexistent", "PREMISE_HOME": "/nonexistent/store", **more}


def premise(*arguments, given=b"", **variables):
    return subprocess.run([PROGRAM, *map(str, arguments)], env=environment(**variables),
                          input=given, capture_output=True, timeout=60)


def document(*arguments, given=b"", **variables):
    result = premise(*arguments, "--json", given=given, **variables)
    assert result.returncode == 0, result.stderr.decode()
    return json.loads(result.stdout)


def started(*arguments, **streams):
    return subprocess.Popen([PROGRAM, *map(str, arguments)], env=environment(),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **streams)


# What goes wrong, and how it is said


@pytest.mark.parametrize("command", [
    ("complete",), ("chat",), ("tokenize",), ("logits",), ("perplexity",), ("bench", "engine"),
    ("inspect",), ("pull",), ("list",), ("verify",), ("rm",), ("synth",)])
def test_help_in_both_languages(command):
    english = premise(*command, "--help")
    chinese = premise(*command, "--help", "--lang", "zh")
    assert english.returncode == chinese.returncode == 0
    assert english.stderr == chinese.stderr == b""
    assert b"Usage:\n" in english.stdout and "用法：\n".encode() in chinese.stdout
    for spoken in (english.stdout, chinese.stdout):  # no name of a C++ type, no validator
        assert not re.search(rb"UINT|FLOAT| in \[", spoken)
    assert re.search("[一-鿿]", english.stdout.decode().split("Examples:")[0]) is None


@pytest.mark.parametrize("arguments, says", [
    (("complete",), "MODEL is missing"),
    (("complete", "tiny.gguf"), "--prompt is missing"),
    (("complete", "nothing", "-p", "x"), 'no model "nothing" in the store'),
    (("complete", "nothing.gguf", "-p", "x"), "nothing.gguf: no such file"),
    (("complete", "tiny.gguf", "-p", "x", "-n", "-3"), "from 0 to 1073741824"),
    (("complete", "tiny.gguf", "-p", "x", "-n", "many"), "a whole number"),
    (("complete", "tiny.gguf", "-p", "x", "-t", "0"), "from 1 to 1024"),
    (("complete", "tiny.gguf", "-p", "x", "--temperature", "nan"), "temperature"),
    (("complete", "tiny.gguf", "-p", "x", "--top-p", "1.5"), "top_p"),
    (("complete", "tiny.gguf", "-p", "x", "--stop", ""), "--stop is empty"),
    (("complete", "tiny.gguf", "-p", "x", "--logit-bias", "7"), "TOKEN=BIAS"),
    (("complete", "tiny.gguf", "-p", "x", "--logit-bias", "320=1"), "vocabulary of 320"),
    (("complete", "tiny.gguf", "-p", "x", "--context", "10"), "too many for a context of 10"),
    (("complete", "tiny.gguf", "-p", "x", "-n", "262144"), "too many for a context of 262144"),
    (("logits", "tiny.gguf", "--tokens", ""), "--tokens"),
    (("logits", "tiny.gguf", "--tokens", "1,-2"), "--tokens"),
    (("logits", "tiny.gguf", "--tokens", "1,320"), "vocabulary of 320"),
    (("logits", "tiny.gguf", "--tokens", "1", "--activations", "8"), '"8" is not a value it takes (expected: 16|mixed)'),
    (("logits", "tiny.gguf", "--tokens", "1", "--kv-type", "q4_0"), '"q4_0" is not a value it takes'),
    (("bench", "engine", "tiny.gguf", "--kv-type", ""), "--kv-type"),
    (("perplexity", "tiny.gguf", "x.txt", "--context", "1"), "from 4"),
    (("tokenize", "tiny.gguf", "--decode"), "not a token id"),
    (("inspect", "tiny.gguf", "--context", "64"), "--plan"),
    (("inspect", "tiny.gguf", "--kv-type", "f32"), "--plan"),
    (("bench",), "engine"),
    (("bench", "engine", "tiny.gguf", "-p", "8,x"), "a whole number"),
])
def test_wrong_usage_is_2_and_says_what(folder, arguments, says):
    typed = [folder / word if word.endswith(".gguf") else word for word in arguments]
    result = premise(*typed, given=b"nonsense")
    assert result.returncode == 2, result.stderr
    assert says in result.stderr.decode()
    assert result.stdout == b""


@pytest.mark.parametrize("command", [("complete", "-p", "x"), ("tokenize",), ("inspect",),
                                     ("logits", "--tokens", "1"), ("bench", "engine")])
@pytest.mark.parametrize("name", ["cut.gguf", "empty"])
def test_a_bad_file_is_3_and_is_named(folder, command, name):
    words = command if command[0] == "bench" else command[:1]
    result = premise(*words, folder / name, *command[len(words):])
    assert result.returncode == 3, result.stderr
    assert name in result.stderr.decode() and result.stdout == b""


def test_a_vocabulary_alone_tokenizes_but_does_not_complete(folder, tiny):
    alone = folder / "vocabulary.gguf"
    assert document("tokenize", alone, given=b"the sea") == document("tokenize", tiny, given=b"the sea")
    result = premise("complete", alone, "-p", "x")
    assert result.returncode == 3 and b"token_embd.weight" in result.stderr


def test_errors_come_in_chinese(tiny):
    result = premise("complete", "nothing", "-p", "x", "--lang", "zh")
    assert "错误：" in result.stderr.decode() and "提示：" in result.stderr.decode()
    result = premise("complete", tiny, "-p", "x", "-n", "-1", LANG="zh_CN.UTF-8")
    assert "0 到 1073741824 的整数" in result.stderr.decode()


def test_a_forced_instruction_set_is_used_or_refused(tiny):
    assert document("bench", "engine", tiny, "-p", 4, "-n", 2, "-r", 1, PREMISE_ISA="ref")["isa"] == "ref"
    refused = premise("complete", tiny, "-p", "x", PREMISE_ISA="nonsense")
    assert refused.returncode == 2 and b"PREMISE_ISA" in refused.stderr
    assert premise("complete", tiny, "-p", "x", "-n", 1, PREMISE_ISA="").returncode == 0


def test_tiles_compute_what_a_service_computes_with_many_tokens(tiny):
    forced = premise("bench", "engine", tiny, "-p", 4, "-n", 2, "-r", 1, "--json", PREMISE_ISA="amx")
    if forced.returncode != 0:
        assert forced.returncode == 2 and b"does not offer amx" in forced.stderr
    isa = "amx" if forced.returncode == 0 else "amx-emulated"
    if premise("complete", tiny, "-p", "x", "-n", 1, PREMISE_ISA=isa).returncode != 0:
        pytest.skip("this machine lacks AVX512-BF16")
    def kernels(tokens, *options):
        found = document("bench", "engine", tiny, "-p", tokens, "-n", 2, "-b", 1, "-r", 1, *options,
                         PREMISE_ISA=isa)
        assert found["isa"] == isa
        return {name for name, share in found["kernels"].items()
                if name.startswith("matmul.") and share > 0}
    assert any(name.endswith(f".{isa}") for name in kernels(16))
    assert not any(name.endswith(f".{isa}") for name in kernels(15))
    assert not any(name.endswith(f".{isa}") for name in kernels(64, "--activations", "16"))


def test_more_threads_than_processors_are_warned_of(tiny):
    result = premise("complete", tiny, "-p", "x", "-n", 2, "-t", 1 + os.cpu_count())
    assert result.returncode == 0 and b"warning: " in result.stderr


# complete


def test_complete_has_the_fields_of_the_contract(tiny):
    done = document("complete", tiny, "-p", "the sea", "-n", 12, "--ignore-eos")
    assert list(done) == ["text", "tokens", "finish_reason", "timings"]
    assert len(done["tokens"]) == 12 and done["finish_reason"] == "length"
    assert done["timings"]["generated_tokens"] == 12
    assert all(seconds >= 0 for seconds in done["timings"].values())
    plain = premise("complete", tiny, "-p", "the sea", "-n", 12, "--ignore-eos")
    assert plain.stdout.decode() == done["text"] + "\n" and plain.stderr == b""


def test_complete_takes_the_likeliest_token_each_time(tiny):
    prompt = document("tokenize", tiny, given=b"the sea is")["tokens"]
    drawn = document("complete", tiny, "-p", "the sea is", "-n", 16, "--ignore-eos")["tokens"]
    read = document("logits", tiny, "--tokens", ",".join(map(str, prompt + drawn)), "--top", 1)
    likeliest = [position["top"][0]["id"] for position in read["positions"]]
    assert likeliest[len(prompt) - 1:-1] == drawn


def test_prompt_from_standard_input_is_taken_byte_for_byte(tiny):
    for text in ("the sea", "the sea\n", "", "大海 \x00 \x07"):
        given = document("complete", tiny, "-p", "-", "-n", 3, given=text.encode())
        count = len(document("tokenize", tiny, given=text.encode())["tokens"])
        assert given["timings"]["prompt_tokens"] == count
    assert (document("complete", tiny, "-p", "-", "-n", 5, given=b"the sea")["tokens"] ==
            document("complete", tiny, "-p", "the sea", "-n", 5)["tokens"])
    assert premise("complete", tiny, "-p", "-", "-n", 2, given=b"\xff\xfe").returncode == 0


def test_nothing_to_generate_is_an_empty_text(tiny):
    done = document("complete", tiny, "-p", "x", "-n", 0)
    assert (done["text"], done["tokens"], done["finish_reason"]) == ("", [], "length")


def test_equal_seeds_give_equal_texts(tiny):
    def draw(seed, *more):
        return document("complete", tiny, "-p", "the", "-n", 32, "--temperature", "0.8", "--seed",
                        seed, "--ignore-eos", *more)["tokens"]
    assert draw(7) == draw(7) == draw(7, "-t", 1)
    assert draw(7) != draw(8)


def test_a_stop_string_ends_the_text_before_it(tiny):
    whole = document("complete", tiny, "-p", "the", "-n", 40, "--ignore-eos")["text"]
    stop = whole[len(whole) // 2:][:3]
    done = document("complete", tiny, "-p", "the", "-n", 40, "--ignore-eos", "--stop", stop)
    assert done["finish_reason"] == "stop"
    assert done["text"] == whole[:whole.index(stop)]


def test_text_arrives_while_it_is_written_and_ctrl_c_ends_it_cleanly(tiny):
    child = started("complete", tiny, "-p", "the", *ENDLESS)
    first = os.read(child.stdout.fileno(), 1)
    assert first and child.poll() is None
    child.send_signal(signal.SIGINT)
    rest, said = child.communicate(timeout=20)
    assert child.returncode == 130, said
    text = (first + rest).decode()  # whole characters only
    assert text.endswith("\n") and said == b""


def test_a_reader_that_leaves_ends_the_work_without_complaint(tiny):
    child = started("complete", tiny, "-p", "the", *ENDLESS)
    os.read(child.stdout.fileno(), 5)
    child.stdout.close()
    assert child.wait(timeout=20) == 0
    assert child.stderr.read() == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the machine has no /dev/full")
def test_output_that_cannot_be_written_is_an_error(tiny):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([PROGRAM, "complete", tiny, "-p", "the", *ENDLESS], timeout=20,
                                env=environment(), stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 4 and b"standard output" in result.stderr


# chat


class Terminal:
    """A program on a pseudo-terminal of its own, so that Ctrl-C reaches it as a signal."""

    def __init__(self, *arguments):
        self.master, slave = pty.openpty()

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.child = subprocess.Popen([PROGRAM, *map(str, arguments)], stdin=slave, stdout=slave,
                                      stderr=slave, env=environment(), preexec_fn=take_terminal)
        os.close(slave)
        self.shown = ""

    def type(self, text):
        self.shown = ""
        os.write(self.master, text.encode())

    def wait_for(self, text, seconds=20):
        until = time.monotonic() + seconds
        while text not in self.shown:
            ready, _, _ = select.select([self.master], [], [], max(0, until - time.monotonic()))
            assert ready, f"no {text!r} in {self.shown!r}"
            try:
                self.shown += os.read(self.master, 4096).decode(errors="replace")
            except OSError:  # the terminal was closed from the other side
                raise AssertionError(f"no {text!r} in {self.shown!r}") from None
        return self.shown

    def end(self):
        code = self.child.wait(timeout=20)
        os.close(self.master)
        return code


def test_chat_at_a_terminal_goes_on_after_ctrl_c_stopped_an_answer(tiny):
    terminal = Terminal("chat", tiny, "-n", "200000", "--context", "250000", "--temperature", "1",
                        "--logit-bias", f"{tiny_model.EOS}=-1000")
    assert "/exit" in terminal.wait_for("\n> ")
    terminal.type("hello\n")
    terminal.wait_for("hello\r\n")
    while len(terminal.shown) < 40:
        terminal.shown += os.read(terminal.master, 100).decode(errors="replace")
    terminal.type("\x03")
    terminal.wait_for("\n> ")
    terminal.type("/clear\n")
    terminal.wait_for("\n> ")
    terminal.type("/quit\n")
    assert "no such command" in terminal.wait_for("\n> ")
    terminal.type("/exit\n")
    assert terminal.end() == 0


@pytest.mark.parametrize("key, code", [("\x03", 130), ("\x04", 0)])
def test_ctrl_c_or_ctrl_d_at_the_prompt_ends_chat(tiny, key, code):
    terminal = Terminal("chat", tiny)
    terminal.wait_for("\n> ")
    terminal.type(key)
    assert terminal.end() == code


def test_chat_through_a_pipe_answers_each_line(tiny):
    result = premise("chat", tiny, "-n", 8, "--temperature", 0, given=b"hello\n\nthe sea\n/exit\nno\n")
    assert result.returncode == 0, result.stderr
    assert result.stderr.count(b"\n") == 1 and b"transcript" in result.stderr
    alone = premise("chat", tiny, "-n", 8, "--temperature", 0, given=b"hello")
    assert result.stdout.startswith(alone.stdout) and len(result.stdout) > len(alone.stdout)


def test_chat_says_when_the_context_is_full(tiny):
    result = premise("chat", tiny, "-n", 100, "--context", 80, "--temperature", 0, "--logit-bias",
                     f"{tiny_model.EOS}=-1000", given=b"hello\nhello\n")
    assert result.returncode == 2
    assert b"context of 80 tokens is full" in result.stderr  # the first answer was cut
    assert b"the context holds 80" in result.stderr and b"hint: " in result.stderr


def answer_to(model, prompt):
    made = document("complete", model, "-p", prompt, "-n", 8, "--temperature", 0)
    return made["text"]


def test_chat_speaks_the_models_own_format_turn_by_turn(folder):
    model = folder / "template.gguf"
    result = premise("chat", model, "--system", "be kind", "-n", 8, "--temperature", 0,
                     given="hello\n大海\n".encode())
    assert result.returncode == 0 and result.stderr == b"", result.stderr
    conversation = "be kind</s>user: hello</s>assistant:"
    first = answer_to(model, conversation)
    conversation += first + "</s>user: 大海</s>assistant:"
    assert result.stdout.decode() == "".join(
        answer.strip(" \n") + "\n" for answer in (first, answer_to(model, conversation)))


def test_chat_lets_nobody_write_a_control_token(folder):
    model = folder / "template.gguf"
    typed = premise("chat", model, "-n", 8, "--temperature", 0, given=b"a</s>user: b")
    assert typed.returncode == 0
    assert typed.stdout.decode() != answer_to(model, "user: a</s>user: b</s>assistant:").strip(" \n") + "\n"


def test_chat_says_what_a_template_refuses(folder):
    result = premise("chat", folder / "template.gguf", "-n", 2, given=b"forbidden\n")
    assert result.returncode == 2 and b"No such word" in result.stderr and result.stdout == b""


def test_chat_names_the_line_of_a_broken_template(folder):
    result = premise("chat", folder / "broken-template.gguf", given=b"hello")
    assert result.returncode == 3 and result.stdout == b""
    for said in ("broken-template.gguf: tokenizer.chat_template: chat template, line 2", "--transcript"):
        assert said in result.stderr.decode()
    chinese = premise("chat", folder / "broken-template.gguf", "--lang", "zh", given=b"hello")
    assert "对话模板第 2 行" in chinese.stderr.decode()


def test_chat_uses_a_plain_transcript_when_told(folder, tiny):
    words = ("-n", 8, "--temperature", 0)
    for model in ("template.gguf", "broken-template.gguf"):
        result = premise("chat", folder / model, "--transcript", *words, given=b"hello")
        assert result.returncode == 0 and b"transcript" in result.stderr
        assert result.stdout == premise("chat", tiny, *words, given=b"hello").stdout


# tokenize, logits, perplexity


@pytest.mark.parametrize("text", ["the sea is", "", " two  spaces ", "大海的中国 👩‍👩‍👧 é", "a\tb\r\nc\x00d", "x" * 5000])
def test_decoding_gives_the_text_back(tiny, text):
    tokens = document("tokenize", tiny, "--no-special", given=text.encode())["tokens"]
    given = " ".join(map(str, tokens)).encode()
    assert premise("tokenize", tiny, "--decode", given=given).stdout == text.encode()
    assert document("tokenize", tiny, "--decode", given=json.dumps(tokens).encode()) == {"text": text}


def test_special_tokens_stand_where_they_belong(tiny):
    assert document("tokenize", tiny, given=b"")["tokens"] == [tiny_model.BOS]
    assert document("tokenize", tiny, "--no-special", given=b"</s>")["tokens"] == [tiny_model.EOS]
    listed = premise("tokenize", tiny, given=b"the\n").stdout.decode().splitlines()
    assert [line.split(maxsplit=1)[1] for line in listed][0] == '"<s>"' and listed[-1].endswith('"\\n"')


def test_logits_are_a_distribution_in_falling_order(tiny):
    read = document("logits", tiny, "--tokens", "1,261,270", "--top", tiny_model.VOCABULARY)
    assert [position["token"] for position in read["positions"]] == [1, 261, 270]
    for position in read["positions"]:
        logprobs = [entry["logprob"] for entry in position["top"]]
        assert logprobs == sorted(logprobs, reverse=True)
        assert sum(map(math.exp, logprobs)) == pytest.approx(1, abs=1e-4)
        assert len({entry["id"] for entry in position["top"]}) == tiny_model.VOCABULARY


def test_perplexity_is_what_logits_say(tiny, tmp_path):
    window = 32
    text = ("the sea is in the west and the land is in the east, " * 3).encode()
    (tmp_path / "text.txt").write_bytes(text)
    found = document("perplexity", tiny, tmp_path / "text.txt", "--context", window)

    tokens = document("tokenize", tiny, given=text)["tokens"]
    windows = [tokens[at:at + window] for at in range(0, len(tokens) - window + 1, window)]
    surprise = []
    for piece in windows:
        piece[0] = tiny_model.BOS
        read = document("logits", tiny, "--tokens", ",".join(map(str, piece)), "--top",
                        tiny_model.VOCABULARY)["positions"]
        for at in range(window // 2 + 1, window):
            top = {entry["id"]: entry["logprob"] for entry in read[at - 1]["top"]}
            surprise.append(-top[piece[at]])
    assert len(windows) >= 2 and found["tokens"] == len(surprise) == 15 * len(windows)
    assert found["perplexity"] == pytest.approx(math.exp(sum(surprise) / len(surprise)), rel=1e-4)


def test_a_text_shorter_than_a_window_is_refused(tiny, tmp_path):
    (tmp_path / "short.txt").write_text("the sea")
    result = premise("perplexity", tiny, tmp_path / "short.txt")
    assert result.returncode == 3 and b"less than one window of 512" in result.stderr
    assert premise("perplexity", tiny, tmp_path / "nothing.txt").returncode == 3


# bench engine, inspect


def test_bench_engine_has_the_fields_of_the_contract(tiny):
    found = document("bench", "engine", tiny, "-p", 16, "-n", 4, "-b", "1,3", "-r", 1)
    assert [(row["tokens"], row["batch"]) for row in found["prefill"]] == [(16, 1)]
    assert [row["batch"] for row in found["decode"]] == [1, 3]
    assert all(row["tokens_per_second"] > 0 for row in found["prefill"] + found["decode"])
    assert sum(found["kernels"].values()) == pytest.approx(1, abs=1e-6)
    assert found["load_seconds"] > 0 and found["peak_rss_bytes"] > 600_000


def test_inspect_plan_names_a_kernel_for_every_operation(tiny):
    plan = document("inspect", tiny, "--plan", "--context", 64)
    assert (plan["architecture"], plan["layers"], plan["context"]) == ("llama", 2, 64)
    assert all(op["kernel"] for op in plan["ops"])
    assert {op["layer"] for op in plan["ops"]} == {None, 0, 1}
    named = {op.get("weight") for op in plan["ops"]} - {None}
    assert named == {name for name, _ in tiny_model.tensors()}
    kv_type = "f32" if plan["isa"] == "ref" else "f16"
    assert plan["cache_groups"] == [{"window": None, "layers": 2, "kv_heads": 2, "head_dim": 16,
                                     "type": kv_type,
                                     "bytes_per_token": {"f16": 256, "f32": 512}[kv_type]}]
    page = premise("inspect", tiny, "--plan", "--lang", "zh").stdout.decode()
    assert "第 0 层" in page and "第 1 层" in page and "blk.1" not in page
    assert page.count("select_rows") == 2  # the last layer is computed for the wanted rows alone


def test_the_type_of_the_cache_is_chosen_and_named(tiny):
    usual, exact = (document("inspect", tiny, "--plan", "--context", 64, *chosen)
                    for chosen in ((), ("--kv-type", "f32")))
    assert exact["cache_groups"][0]["type"] == "f32"
    assert exact["cache_groups"][0]["bytes_per_token"] == 512
    if usual["isa"] != "ref":
        assert exact["cache_bytes"] == 2 * usual["cache_bytes"]
        vectors = "avx512" if usual["isa"] == "amx" else usual["isa"]  # tiles multiply matrices only
        for plan, name in ((usual, "f16"), (exact, "f32")):
            assert {op["kernel"] for op in plan["ops"] if op["op"] == "attention"} == \
                {f"attention.{name}.{vectors}"}
        measured = document("bench", "engine", tiny, "-p", 4, "-n", 2, "-r", 1, "--kv-type", "f32")
        assert f"attention.f32.{vectors}" in measured["kernels"]
    refused = premise("logits", tiny, "--tokens", "1", "--kv-type", "f16", PREMISE_ISA="ref")
    assert refused.returncode == 2
    assert b"tiny.gguf: a KV cache of type f16 was asked for; with ref it can be: f32" in refused.stderr


def test_a_cache_of_eight_bits_takes_17_of_32_bytes_and_says_nearly_the_same(folder):
    wide = folder / "wide.gguf"
    half, eight = (document("inspect", wide, "--plan", "--context", 64, "--kv-type", kv_type,
                            PREMISE_ISA="avx2") for kv_type in ("f16", "q8_0"))
    assert eight["cache_groups"][0]["type"] == "q8_0"
    assert eight["cache_groups"][0]["bytes_per_token"] == 136
    assert eight["cache_bytes"] * 32 == half["cache_bytes"] * 17
    assert {op["kernel"] for op in eight["ops"] if op["op"] == "attention"} == {"attention.q8_0.avx2"}
    tokens = ",".join(str(1 + i * 7 % 300) for i in range(48))
    read = [[{entry["id"]: entry["logprob"] for entry in position["top"]}
             for position in document("logits", wide, "--tokens", tokens, "--kv-type", kv_type,
                                      "--top", tiny_model.VOCABULARY, PREMISE_ISA="avx2")["positions"]]
            for kv_type in ("f32", "q8_0")]
    off = [abs(eight[token] - exact[token]) for exact, eight in zip(*read) for token in exact]
    assert 1e-4 < max(off) < 0.2  # logits of this model have a spread of about 1.2


@pytest.mark.parametrize("command", [("complete", "-p", "x"), ("logits", "--tokens", "1"),
                                     ("inspect", "--plan"), ("bench", "engine"), ("plan",)])
def test_heads_that_do_not_divide_into_eight_bit_groups_are_refused_by_name(tiny, command):
    words = command if command[0] == "bench" else command[:1]
    result = premise(*words, tiny, "--kv-type", "q8_0", *command[len(words):], PREMISE_ISA="avx2")
    assert result.returncode == 2 and result.stdout == b"", result.stderr
    assert b"tiny" in result.stderr and b"a KV cache of type q8_0 was asked for" in result.stderr
    assert b"multiple of 32 dimensions, and this model's have 16" in result.stderr


def test_logits_of_an_exact_cache_are_the_interpreters(tiny):
    tokens = ",".join(str(1 + i * 7 % 300) for i in range(48))
    read = [[{entry["id"]: entry["logprob"] for entry in position["top"]}
             for position in document("logits", tiny, "--tokens", tokens, "--kv-type", "f32",
                                      "--top", tiny_model.VOCABULARY, **forced)["positions"]]
            for forced in ({}, {"PREMISE_ISA": "ref"})]
    for ours, interpreted in zip(*read):
        assert ours == pytest.approx(interpreted, abs=1e-4)


def test_inspect_counts_what_the_file_holds(tiny):
    found = document("inspect", tiny)
    assert found["file_bytes"] == tiny.stat().st_size
    assert len(found["tensors"]) == len(tiny_model.tensors())
    assert found["metadata"]["general.architecture"] == "llama"


# The default model, where it is at hand


@pytest.fixture
def real():
    if os.environ.get("PREMISE_TEST_REAL") != "1":
        pytest.skip("real weights: set PREMISE_TEST_REAL=1 and pull " + REAL)
    return {"PREMISE_HOME": os.environ["PREMISE_HOME"]}


def test_real_weights_know_the_alphabet(real):
    done = document("complete", REAL, "-p", "a b c d e f g h", "-n", 4, **real)
    assert done["text"] == " i j k l" and len(done["tokens"]) == 4


def test_real_weights_tell_text_from_noise(real, tmp_path):
    text = (ROOT / "LICENSE").read_text()[:4000]
    scores = {}
    for name, written in (("forwards", text), ("backwards", text[::-1])):
        (tmp_path / name).write_text(written)
        found = document("perplexity", REAL, tmp_path / name, "--context", 256, **real)
        scores[name] = found["perplexity"]
    assert 1 < scores["forwards"] < 30 < scores["backwards"]


def test_real_weights_answer_alike_with_every_instruction_set(real):
    texts = {isa: document("complete", REAL, "-p", "The capital of France is", "-n", 6,
                           PREMISE_ISA=isa, **real)["text"] for isa in ("ref", "avx2")}
    assert texts["ref"] == texts["avx2"]
