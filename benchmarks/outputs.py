"""Reads what the programs print. Each function gives {metric key: figure}, or says what is missing.
"""

import json
import math
import statistics

from figures import BATCHES, PROMPT_TOKENS


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


def premise_bench(text, prompt=PROMPT_TOKENS, batches=BATCHES):
    """`premise bench engine --json`: every rate is already a median over its repetitions."""
    program = "premise bench engine"
    document = _json(program, text)
    rate = "tokens_per_second"
    prefill = [row.get(rate) for row in _rows(program, document, "prefill")
               if row.get("tokens") == prompt]
    figures = {"prefill": _only(program, f"prefill of {prompt} tokens", prefill)}
    decode = _rows(program, document, "decode")
    for batch in batches:
        rates = [row.get(rate) for row in decode if row.get("batch") == batch]
        figures[f"decode_{batch}"] = _only(program, f"decode of {batch} sequences", rates)
    figures["load_seconds"] = document.get("load_seconds")
    return {key: _positive(program, key, value) for key, value in figures.items()}


def premise_isa(text):
    """The instruction set that `premise bench engine --json` computed with."""
    document = _json("premise bench engine", text)
    isa = document.get("isa") if isinstance(document, dict) else None
    if not isinstance(isa, str) or not isa:
        raise BadOutput("premise bench engine: does not say which instruction set it used")
    return isa


def llama_bench(text):
    """`llama-bench -o json`: one object a test, with the rate of every repetition."""
    program = "llama-bench"
    rows = _rows(program, _json(program, text), None)

    def median_rate(what, wanted):
        tests = [row for row in rows if wanted(row.get("n_prompt"), row.get("n_gen"))]
        samples = _only(program, what, tests).get("samples_ts")
        if not isinstance(samples, list) or not samples:
            raise BadOutput(f"{program}: no samples for {what}")
        return statistics.median(_positive(program, what, sample) for sample in samples)

    return {"prefill": median_rate("prefill", lambda prompt, generated: prompt and not generated),
            "decode_1": median_rate("decode", lambda prompt, generated: generated and not prompt)}


def llama_batched_bench(text, batches=BATCHES[1:]):
    """`llama-batched-bench --output-format jsonl`: an object a line, among other lines."""
    program = "llama-batched-bench"
    rows = [_json(program, line) for line in text.splitlines() if line.startswith("{")]
    figures = {}
    for batch in batches:
        rates = [row.get("speed_tg") for row in rows if row.get("pl") == batch]
        key = f"decode_{batch}"
        figures[key] = _positive(program, key, _only(program, f"{batch} sequences", rates))
    return figures
