"""What is measured, and the arithmetic over rounds.

A ratio is formed within a round, between processes that ran one after the other, and the median is
taken over these ratios: a machine that slows down for a minute then touches both sides. (The ratio
of two medians would compare the good minutes of one program with the bad ones of the other.)
"""

import dataclasses
import statistics

PROMPT_TOKENS = 512
LONG_PROMPT_TOKENS = 8192
GENERATED_TOKENS = 64
BATCHES = (1, 8, 32)
LONG_ROUNDS = 2  # of all: a prompt of 8,192 tokens takes a 7B model minutes


@dataclasses.dataclass(frozen=True)
class Metric:
    key: str
    label: str
    unit: str
    more_is_better: bool


METRICS = (
    Metric("prefill", f"prefill, {PROMPT_TOKENS} tokens", "tokens/s", True),
    Metric("prefill_long", f"prefill, {LONG_PROMPT_TOKENS:,} tokens", "tokens/s", True),
    Metric("prefill_share", f"rate at {LONG_PROMPT_TOKENS:,} ÷ rate at {PROMPT_TOKENS}", "", True),
    Metric("decode_1", "decode, 1 sequence", "tokens/s", True),
    *(Metric(f"decode_{batch}", f"decode, {batch} sequences together", "tokens/s", True)
      for batch in BATCHES if batch > 1),
    Metric("start_seconds", "short completion, start to exit", "s", False),
    Metric("load_seconds", "loading alone, as the program reports it", "s", False),
    Metric("start_peak", "peak memory, short completion", "MB", False),
    Metric("speed_peak", f"peak memory, {PROMPT_TOKENS} tokens and 1 sequence", "MB", False),
    Metric("batch_peak", f"peak memory, {max(BATCHES)} sequences", "MB", False),
    Metric("long_peak", f"peak memory, {LONG_PROMPT_TOKENS:,} tokens", "MB", False),
)
PEAKS = tuple(metric for metric in METRICS if metric.key.endswith("_peak"))


@dataclasses.dataclass(frozen=True)
class Spread:
    median: float
    least: float
    most: float


def spread_of(values):
    """Median, least and greatest; of nothing there is none."""
    if not values:
        raise ValueError("no values to summarize")
    return Spread(statistics.median(values), min(values), max(values))


def paired_ratio(ours, theirs):
    """The spread of ours / theirs, round by round."""
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} rounds cannot be paired with {len(theirs)}")
    if any(value <= 0 for value in theirs):
        raise ValueError("a ratio to a figure that is not positive")
    return spread_of([a / b for a, b in zip(ours, theirs)])
