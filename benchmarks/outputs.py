"""Reads what the programs print. Each function gives {metric key: figure}, or says what is missing.
"""

import dataclasses
import json
import math
import statistics


class BadOutput(Exception):
    pass


def _positive(program, name, value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or \
            not math.isfinite(value) or value <= 0:
        raise BadOutput(f"{program}: {name} is {value!r}, not a positive number")
    return float(value)


def _json(program, text):
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadOutput(f"{program}: its output is not JSON: {error}") from error


def _only(program, what, values):
    if len(values) != 1:
        raise BadOutput(f"{program}: {len(values)} results for {what}, expected one")
    return values[0]


def _rows(program, document, name):
    """A list of objects: the document itself, or its member `name`."""
    if name is not None:
        document = document.get(name) if isinstance(document, dict) else None
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise BadOutput(f"{program}: {name or 'its output'} is not a list of results")
    return document


def premise_bench(text, prompts, batches):
    """`premise bench engine --json`: every rate is already a median over its repetitions. `prompts`
    is {metric key: tokens of the prompt}."""
    program = "premise bench engine"
    document = _json(program, text)
    rate = "tokens_per_second"
    figures = {}
    prefill = _rows(program, document, "prefill")
    for key, tokens in prompts.items():
        rates = [row.get(rate) for row in prefill if row.get("tokens") == tokens]
        figures[key] = _only(program, f"prefill of {tokens} tokens", rates)
    decode = _rows(program, document, "decode")
    for batch in batches:
        rates = [row.get(rate) for row in decode if row.get("batch") == batch]
        figures[f"decode_{batch}"] = _only(program, f"decode of {batch} sequences", rates)
    figures["load_seconds"] = document.get("load_seconds")
    return {key: _positive(program, key, value) for key, value in figures.items()}


@dataclasses.dataclass(frozen=True)
class Computing:
    """How Premise computes a model, whatever the speed."""
    isa: str
    fast_share: float     # of the products with matrices, on the fastest kernels of the set
    fast_required: float  # below this the benchmark has failed
    read_bytes: int       # of matrices that one token of one sequence needs


def premise_computing(text):
    program = "premise bench engine"
    document = _json(program, text)
    isa = document.get("isa") if isinstance(document, dict) else None
    if not isinstance(isa, str) or not isa:
        raise BadOutput(f"{program}: does not say which instruction set it used")
    fast = document.get("fast_path")
    if not isinstance(fast, dict):
        raise BadOutput(f"{program}: says nothing about its fast path")
    share = fast.get("share")
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise BadOutput(f"{program}: the share of the fast path is {share!r}")
    sizes = [_positive(program, "bytes of a matrix", row.get("bytes"))
             for row in _rows(program, fast, "tensors")]
    return Computing(isa, float(share), _positive(program, "required", fast.get("required")),
                     int(_positive(program, "bytes of all matrices", sum(sizes))))


def doctor_bandwidth(text):
    """(bytes a second, the doctor's words) of `premise doctor --json`; None where it could not
    measure."""
    program = "premise doctor"
    document = _json(program, text)
    rows = [row for row in _rows(program, document, "findings")
            if row.get("id") == "memory.bandwidth"]
    value = rows[0].get("value") if rows else None
    if value is None:
        return None
    return _positive(program, "memory.bandwidth", value), str(rows[0].get("why", ""))


def _llama_rate(rows, what, wanted):
    tests = [row for row in rows if wanted(row.get("n_prompt"), row.get("n_gen"))]
    samples = _only("llama-bench", what, tests).get("samples_ts")
    if not isinstance(samples, list) or not samples:
        raise BadOutput(f"llama-bench: no samples for {what}")
    return statistics.median(_positive("llama-bench", what, sample) for sample in samples)


def _llama_rows(text):
    return _rows("llama-bench", _json("llama-bench", text), None)


def llama_bench_prefill(text):
    """`llama-bench -o json`: one object a test, with the rate of every repetition."""
    return _llama_rate(_llama_rows(text), "prefill",
                       lambda prompt, generated: prompt and not generated)


def llama_bench(text):
    return {"prefill": llama_bench_prefill(text),
            "decode_1": _llama_rate(_llama_rows(text), "decode",
                                    lambda prompt, generated: generated and not prompt)}


def llama_batched_bench(text, batches):
    """`llama-batched-bench --output-format jsonl`: an object a line, among other lines; a batch
    that was asked for several times counts by its median."""
    program = "llama-batched-bench"
    rows = [_json(program, line) for line in text.splitlines() if line.startswith("{")]
    figures = {}
    for batch in batches:
        key = f"decode_{batch}"
        rates = [_positive(program, key, row.get("speed_tg"))
                 for row in rows if row.get("pl") == batch]
        if not rates:
            raise BadOutput(f"{program}: no results for {batch} sequences")
        figures[key] = statistics.median(rates)
    return figures
