#!/usr/bin/env python3
"""Records what transformers' logits processors leave of random rows of logits.

    make_sampling_goldens.py OUTPUT_FOLDER        (needs torch, transformers)

Writes filters.txt, words on lines:
  row COUNT logit …
  case ROW COUNT name value …     the values of SamplingParams that the case sets
  seen COUNT token …              the text so far, for penalties
  tokens COUNT token …            what transformers lets survive, …
  probabilities COUNT p …         … and how likely each is
Logits are distinct multiples of 2^-10, so that no case hangs on the order of equal ones and every
number is exact in text.
"""
import pathlib
import sys

import torch
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

# In the order in which Premise applies them.
PROCESSORS = {
    "repetition_penalty": RepetitionPenaltyLogitsProcessor,
    "temperature": TemperatureLogitsWarper,
    "top_k": TopKLogitsWarper,
    "typical_p": TypicalLogitsWarper,
    "top_p": TopPLogitsWarper,
    "min_p": MinPLogitsWarper,
}
SETTINGS = [
    {"temperature": 0.5},
    {"temperature": 1.7},
    {"top_k": 1},
    {"top_k": 7},
    {"top_k": 10_000},
    {"top_p": 0.1},
    {"top_p": 0.5},
    {"top_p": 0.95},
    {"top_p": 0.999},
    {"min_p": 0.01},
    {"min_p": 0.2},
    {"typical_p": 0.2},
    {"typical_p": 0.7},
    {"typical_p": 0.95},
    {"repetition_penalty": 1.3, "seen": True},
    {"repetition_penalty": 0.8, "seen": True},
    {"temperature": 0.8, "top_k": 40, "top_p": 0.9},
    {"temperature": 1.3, "top_k": 20, "typical_p": 0.8, "top_p": 0.9, "min_p": 0.05},
    {"temperature": 0.7, "typical_p": 0.9, "min_p": 0.1},
    {"repetition_penalty": 1.2, "seen": True, "temperature": 0.9, "top_p": 0.9, "min_p": 0.02},
]


def rows():
    """Rows of different sizes and widths: flat, as a model's, and with one token far ahead."""
    generator = torch.Generator().manual_seed(20)
    for size, width in [(16, 1.0), (100, 3.0), (333, 0.3), (400, 6.0)]:
        logits = torch.randn(size, generator=generator) * width
        steps = (logits * 1024).round()
        while steps.unique().numel() < size:  # push equal ones apart
            _, inverse, counts = steps.unique(return_inverse=True, return_counts=True)
            steps += (counts[inverse] > 1) * torch.randint(0, 9, (size,), generator=generator)
        yield steps.to(torch.float32) / 1024
    peaked = torch.arange(50, dtype=torch.float32) / -64
    peaked[17] = 9
    yield peaked


def record(row_index, row, setting):
    values = dict(setting)
    generator = torch.Generator().manual_seed(row_index)
    seen = torch.randint(0, row.numel(), (12,), generator=generator) if values.pop("seen", 0) else None
    chain = LogitsProcessorList(
        make(values[name]) for name, make in PROCESSORS.items() if name in values
    )
    text = seen[None] if seen is not None else torch.zeros((1, 0), dtype=torch.long)
    scores = chain(text, row.double()[None])[0]
    tokens = torch.nonzero(scores > -torch.inf).flatten()
    probabilities = torch.softmax(scores, dim=0)[tokens]
    settings = [word for pair in values.items() for word in pair]
    return [
        f"case {row_index} {len(values)} " + " ".join(map(str, settings)),
        line("seen", [] if seen is None else seen.tolist()),
        line("tokens", tokens.tolist()),
        line("probabilities", [f"{p:.8g}" for p in probabilities.tolist()]),
    ]


def line(name, values):
    return " ".join([name, str(len(values)), *map(str, values)])


def main(folder):
    table = list(rows())
    lines = [line("row", row.tolist()) for row in table]
    for index, row in enumerate(table):
        for setting in SETTINGS:
            lines += record(index, row, setting)
    (pathlib.Path(folder) / "filters.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
