"""What is measured, and the arithmetic over rounds.

A ratio is formed within a round, between processes that ran one after the other, and the median is
taken over these ratios: a machine that slows down for a minute then touches both sides. (The ratio
of two medians would compare the good minutes of one program with the bad ones of the other.)
"""

import dataclasses
import statistics

PROMPT_TOKENS = 512
GENERATED_TOKENS = 64
BATCHES = (1, 8, 32)


@dataclasses.dataclass(frozen=True)
class Metric:
    key: str
    label: str
    unit: str
    more_is_better: bool
    goal: float | None = None  # least ratio to the peer that is asked for


METRICS = (
    Metric("prefill", f"prefill, {PROMPT_TOKENS} tokens", "tokens/s", True, 0.8),
    Metric("decode_1", "decode, 1 sequence", "tokens/s", True, 0.8),
    *(Metric(f"decode_{batch}", f"decode, {batch} sequences together", "tokens/s", True)
      for batch in BATCHES if batch > 1),
    Metric("start_seconds", "short completion, start to exit", "s", False),
    Metric("load_seconds", "loading alone, as the program reports it", "s", False),
    Metric("start_peak", "peak memory, short completion", "MB", False),
    Metric("batch_peak", f"peak memory, {max(BATCHES)} sequences", "MB", False),
)


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


@dataclasses.dataclass(frozen=True)
class Verdict:
    metric: Metric
    peer: str
    ratio: Spread

    @property
    def met(self):
        return self.ratio.median >= self.metric.goal


def verdicts(results, judged, peer_of):
    """Every metric with a goal. `results` is {program: {metric key: values by round}}; `peer_of`
    maps a metric's key to the name of the peer that it is measured against."""
    found = []
    for metric in METRICS:
        if metric.goal is None:
            continue
        peer = peer_of(metric.key)
        ratio = paired_ratio(results[judged][metric.key], results[peer][metric.key])
        found.append(Verdict(metric, peer, ratio))
    return found
