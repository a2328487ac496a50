"""[[model]] kv_memory: the bound of the key-value cache, and what happens when requests outgrow it."""

import concurrent.futures
import json
import subprocess

import pytest

import tiny_model
from serving import PROGRAM, Server, completion, environment, text_of

CONTEXT, PARALLEL, BLOCK_TOKENS = 512, 8, 32
# keys and values, of every layer and head, two bytes a number
TOKEN_BYTES = 2 * 2 * tiny_model.LAYERS * tiny_model.KV_HEADS * (tiny_model.HIDDEN // tiny_model.HEADS)
LEAST = CONTEXT * TOKEN_BYTES


def settings(tiny, kv_memory=None, context=CONTEXT, kv_type="f16"):
    bound = f"kv_memory = {json.dumps(kv_memory)}\n" if kv_memory is not None else ""
    return (f'[engine]\ndeterministic = true\n[[model]]\nname = "tiny"\npath = "{tiny}"\n'
            f'kv_type = "{kv_type}"\ncontext = {context}\nparallel = {PARALLEL}\n{bound}')


@pytest.fixture
def serve(tiny, tmp_path):
    started = []

    def start(model=tiny, **more):
        (tmp_path / "premise.toml").write_text(settings(model, **more))
        started.append(Server(tmp_path, "--config", tmp_path / "premise.toml"))
        assert started[-1].port, started[-1].said
        return started[-1]

    yield start
    for server in started:
        assert server.stop()[0] == 0


def test_answers_are_the_same_when_requests_outgrow_the_cache(serve):
    """Each of 8 requests grows to 15 blocks where 16 exist for all of them."""
    asked = [completion("tiny", prompt=f"the sea {number}", max_tokens=440, temperature=0.8,
                        seed=number) for number in range(PARALLEL)]

    def together(server):
        with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
            return [text_of(answer) for answer in pool.map(
                lambda body: server.json("POST", "/v1/completions", body), asked)]

    roomy = serve()
    assert roomy.metric("premise_kv_blocks_total") == PARALLEL * CONTEXT / BLOCK_TOKENS
    expected = together(roomy)
    assert roomy.metric('premise_preemptions_total{model="tiny"}') == 0
    tight = serve(kv_memory=LEAST + 100)
    assert tight.metric("premise_kv_blocks_total") == CONTEXT / BLOCK_TOKENS
    assert together(tight) == expected
    assert tight.metric('premise_preemptions_total{model="tiny"}') > 0
    tight.comes_to_rest()
    assert len(set(expected)) == PARALLEL


def test_eight_bits_hold_nearly_twice_as_much_and_answers_do_not_depend_on_company(serve, tmp_path):
    (tmp_path / "wide.gguf").write_bytes(tiny_model.model_bytes(heads=2))
    server = serve(model=tmp_path / "wide.gguf", kv_memory=4 * LEAST, kv_type="q8_0")
    assert server.metric("premise_kv_blocks_total") == 4 * CONTEXT // BLOCK_TOKENS * 64 // 34
    asked = [completion("tiny", prompt=f"the sea {number}", max_tokens=100, temperature=0.8,
                        seed=number, cache=False) for number in range(PARALLEL)]

    def answer(body):
        return text_of(server.json("POST", "/v1/completions", body))

    alone = [answer(body) for body in asked]
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        assert list(pool.map(answer, asked)) == alone
    server.comes_to_rest()


@pytest.mark.parametrize("arguments", [("--check",), ("--port", "0")])
def test_heads_that_eight_bits_do_not_take_are_refused_before_serving(tiny, tmp_path, arguments):
    (tmp_path / "premise.toml").write_text(settings(tiny, kv_type="q8_0"))
    done = subprocess.run([PROGRAM, "serve", "--config", tmp_path / "premise.toml", *arguments],
                          env=environment(tmp_path), stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "q8_0" in done.stderr and "multiple of 32 dimensions" in done.stderr


def test_a_request_beyond_the_context_is_refused_with_limit_and_length(serve):
    server = serve(kv_memory=LEAST)
    status, _, body = server.ask("POST", "/v1/completions", completion("tiny", max_tokens=CONTEXT))
    error = json.loads(body)["error"]
    assert status == 400 and error["code"] == "context_length_exceeded"
    assert str(CONTEXT) in error["message"]


@pytest.mark.parametrize("arguments", [("--check",), ("--port", "0")])
@pytest.mark.parametrize("kv_memory", [1, LEAST - 1, "64 kB"])
def test_a_cache_too_small_for_one_request_is_refused_with_the_least(tiny, tmp_path, kv_memory,
                                                                     arguments):
    (tmp_path / "premise.toml").write_text(settings(tiny, kv_memory))
    done = subprocess.run([PROGRAM, "serve", "--config", tmp_path / "premise.toml", *arguments],
                          env=environment(tmp_path), stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert f"{LEAST} bytes" in done.stderr and f"{CONTEXT} tokens" in done.stderr


def test_a_swap_keeps_the_bound_and_is_refused_where_it_does_not_suffice(serve, tiny):
    server = serve(kv_memory=LEAST)
    wanted = {"name": "tiny", "path": str(tiny), "context": 2 * CONTEXT}
    status, _, body = server.ask("POST", "/admin/models/swap?wait", wanted)
    assert status == 422 and f"{2 * LEAST} bytes" in json.loads(body)["error"]["message"]
    done = server.json("POST", "/admin/models/swap?wait", {"name": "tiny", "path": str(tiny)})
    assert done["state"] == "ready"
