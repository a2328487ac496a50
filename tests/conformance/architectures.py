#!/usr/bin/env python3
"""Compares `premise logits` on tiny models of every architecture with transformers and llama.cpp.

Usage: architectures.py [--premise PROGRAM] [CASE…]
Each case of tests/golden/tiny_models.py is written as a GGUF file in F32, which premise reads with
the scalar reference and with every instruction set that this machine has, and llama.cpp (see
_peer.py; skipped aloud where it cannot be had) with plain attention and an F32 cache. Figures are
max |difference| / std(logits of the reference) over all positions and the whole vocabulary; premise
prints log-probabilities, so the others' logits are normalised alike.

Allowed is 1e-3 against both references, with a KV cache of F32 (--kv-type f32; the scalar reference
has no other). The default cache is F16, and rounding keys and values is worth more than that: 5e-3
is allowed, and 2e-3 against transformers whose keys and values are rounded to F16 as well (a number
between two F16 values may go either way).

llama.cpp is built for this without its F16 table of gelu (_exact_peer.py): with the table Gemma differs
by 1.6e-3 from it, and so do transformers.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import _peer as peer

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "golden"))
import tiny_models  # noqa: E402

ALLOWED = 1e-3
ALLOWED_F16_CACHE = 5e-3
ALLOWED_ROUNDED = 2e-3  # both round to F16, each its own F32 sum
SETS = ["ref", "avx2", "avx512"]


def log_softmax(logits):
    wide = logits.astype(np.float64)
    high = wide.max(axis=1, keepdims=True)
    return wide - high - np.log(np.exp(wide - high).sum(axis=1, keepdims=True))


def ours(program, model, tokens, instruction_set, kv_type):
    """Log-probabilities [positions, vocabulary], or None where the machine lacks the set."""
    done = subprocess.run(
        [program, "logits", str(model), "--kv-type", kv_type,
         "--tokens", ",".join(map(str, tokens)),
         "--top", str(tiny_models.VOCABULARY), "--json"],
        capture_output=True, text=True, env={**os.environ, "PREMISE_ISA": instruction_set})
    if done.returncode == 2 and "PREMISE_ISA" in done.stderr:
        return None
    if done.returncode != 0:
        raise RuntimeError(f"premise logits failed ({done.returncode}): {done.stderr.strip()}")
    positions = json.loads(done.stdout)["positions"]
    rows = np.full((len(positions), tiny_models.VOCABULARY), np.nan)
    for row, position in zip(rows, positions):
        for entry in position["top"]:
            row[entry["id"]] = entry["logprob"]
    return rows


def deviation(found, expected, std):
    if found is None or expected is None:
        return None
    difference = np.abs(found - expected)
    return float("inf") if np.isnan(difference).any() else difference.max() / std


def show(value):
    return "       -" if value is None else f"{value:8.1e}"


def compare(name, case, program, llama_cpp, folder):
    """The row of the table; True where everything is within what is allowed."""
    model, recipes, literals = tiny_models.build(case)
    tokens = tiny_models.tokens_of(case)
    path = folder / f"{name}.gguf"
    tiny_models.write_model(path, case, model.config, recipes, literals)
    reference = tiny_models.reference_logits(model, tokens)
    std = reference.std()
    expected = log_softmax(reference)
    with tiny_models.f16_cache(model):
        expected_f16 = log_softmax(tiny_models.reference_logits(model, tokens))
    use_peer = llama_cpp is not None and case.peer
    theirs = log_softmax(llama_cpp.logits(path, tokens)) if use_peer else None
    f32 = [ours(program, path, tokens, each, "f32") for each in SETS]
    f16 = [ours(program, path, tokens, each, "f16") for each in SETS[1:]]
    path.unlink()
    groups = [[(found, expected, ALLOWED) for found in f32],
              [(found, expected, ALLOWED_F16_CACHE) for found in f16],
              [(found, expected_f16, ALLOWED_ROUNDED) for found in f16],
              [(found, theirs, ALLOWED) for found in f32],
              [(theirs, expected, ALLOWED)]]
    figures = [[deviation(found, other, std) for found, other, _ in group] for group in groups]
    fine = all(figure is None or figure < allowed
               for row, group in zip(figures, groups)
               for figure, (_, _, allowed) in zip(row, group))
    mark = "" if fine else "  FAILED"
    note = f"  ({case.why_no_peer})" if llama_cpp is not None and not case.peer else ""
    print(f"{name:16}", " | ".join(" ".join(map(show, row)) for row in figures) + mark + note,
          flush=True)
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--premise", default=str(ROOT / "build" / "release" / "premise"))
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    torch.set_num_threads(2)
    path = peer.exact_folder()
    llama_cpp = peer.Peer(path) if path else None
    print(f"max |difference| / std of logits, {tiny_models.TOKENS} tokens")
    three, two = (" ".join(f"{name:>8}" for name in names) for names in (SETS, SETS[1:]))
    print(f"{'premise against':16} {'transformers':26} | {'with F16 KV':17} | "
          f"{'both with F16 KV':17} | {'llama.cpp':26} | llama.cpp against transformers")
    print(f"{'case':16} {three} | {two} | {two} | {three} |", flush=True)
    fine = True
    with tempfile.TemporaryDirectory() as folder:
        for name in options.cases or tiny_models.CASES:
            fine &= compare(name, tiny_models.CASES[name], options.premise, llama_cpp,
                            Path(folder))
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
