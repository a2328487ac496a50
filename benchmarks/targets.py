"""What is asked for, and whether it was reached: a row for each figure and model.

A figure has a least value, which is asked for and judged, and a goal, which is hoped for. Most are
asked of a machine with AMX; on another they are shown and not judged.
"""

import dataclasses
import statistics

import figures
import models

GOAL_MET = "goal met"
MET = "met"
MISSED = "MISSED"
WITHOUT_AMX = "not judged: measured without AMX"
# A cache that holds part of the weights, or a roof that was measured too low: no share of anything.
ABOVE_ROOF = "not judged: more than the bandwidth that was measured"
LEFT_OUT = "not measured in this run"

# {model: (least, goal)}, as multiples of llama.cpp's rate.
PREFILL = {"qwen2-7b-q4_k_m": (5.0, 10.0), "qwen2-1.5b-q4_k_m": (5.0, 10.0),
           "gemma3-270m": (8.0, 12.0), "qwen2-0.5b-q8_0": (3.0, 6.0)}
DECODE = {"qwen2-7b-q4_k_m": 1.15, "qwen2-1.5b-q4_k_m": 1.15, "gemma3-270m": 1.15,
          "qwen2-0.5b-q8_0": 1.0}
BATCH = {"qwen2-1.5b-q4_k_m": (4.0, 7.0)}
NO_AMX_PREFILL = (1.5, 2.5)
BANDWIDTH_GOAL = 0.9
LONG_SHARE = 0.6
LARGEST_BATCH = f"decode_{max(figures.BATCHES)}"


@dataclasses.dataclass(frozen=True)
class Row:
    what: str
    model: str
    asked: str
    goal: str
    measured: str
    outcome: str

    @property
    def missed(self):
        return self.outcome == MISSED


@dataclasses.dataclass(frozen=True)
class Measured:
    """One model, after its rounds. `results` is {program: {metric key: values by round}}."""
    model: models.Model
    size: int                  # bytes of the file
    results: dict
    commands: dict             # program → lines
    judged: str                # the program that the figures are asked of
    peer: str                  # llama.cpp as it is built for this machine
    without_amx: tuple         # (program, peer) to compare without AMX, or () and:
    why_no_such: str
    computing: object          # outputs.Computing
    disturbances: list         # (foreign cores, stolen cores) a round
    load_before: float


@dataclasses.dataclass(frozen=True)
class Conditions:
    amx: bool                  # whether Premise computes with it here
    bandwidth: float | None    # best bytes a second that were read in this session


def judged(value, least, goal, most=False):
    """By the median: at its very value a figure is met. `most`: less is better."""
    def reached(limit):
        return value <= limit if most else value >= limit
    if not reached(least):
        return MISSED
    return GOAL_MET if goal is not None and reached(goal) else MET


def _times(value):
    return f"{value:g}×"


def _ratio_text(ratio):
    return f"{ratio.median:.2f}× ({ratio.least:.2f} … {ratio.most:.2f})"


def _title(key):
    return models.BY_KEY[key].title if key in models.BY_KEY else key


def ratio(measured, key, pair=None):
    """The spread of ours ÷ theirs, or None where the figure was not measured."""
    ours, theirs = (measured.results[name].get(key)
                    for name in pair or (measured.judged, measured.peer))
    return figures.paired_ratio(ours, theirs) if ours and theirs else None


def bandwidth_share(measured, program, conditions):
    """Bytes of weights that the decoding of one sequence read a second ÷ the measured bandwidth.
    Those of the cache of keys and values, under 1 % at this length, are not counted."""
    rates = measured.results[program].get("decode_1")
    if not rates or not conditions.bandwidth:
        return None
    return statistics.median(rates) * measured.computing.read_bytes / conditions.bandwidth


def _against_peer(what, key, metric, limits, by_key, judge=True):
    least, goal = limits
    words = (f"{what} ÷ llama.cpp", _title(key), _times(least), _times(goal) if goal else "–")
    if key not in by_key:
        return Row(*words, "–", LEFT_OUT)
    found = ratio(by_key[key], metric)
    return Row(*words, _ratio_text(found),
               judged(found.median, least, goal) if judge else WITHOUT_AMX)


def _bandwidth_row(measured, conditions):
    """The goal of decode; to stay below it is no failure, since the least figure is another."""
    words = ("decode, 1 sequence, share of read bandwidth", measured.model.title, "–",
             f"{BANDWIDTH_GOAL:.0%}")
    share = bandwidth_share(measured, measured.judged, conditions)
    if share is None:
        return Row(*words, "–", "not measurable: `premise doctor` could not measure the bandwidth")
    outcome = (ABOVE_ROOF if share > 1 else
               GOAL_MET if share >= BANDWIDTH_GOAL else "below the goal")
    return Row(*words, f"{share:.0%}", outcome)


def _no_amx_row(measured):
    least, goal = NO_AMX_PREFILL
    words = ("prefill, 512 tokens, both without AMX ÷ llama.cpp", measured.model.title,
             _times(least), _times(goal))
    if not measured.without_amx:
        return Row(*words, "–", f"not measurable: {measured.why_no_such}")
    found = ratio(measured, "prefill", measured.without_amx)
    return Row(*words, _ratio_text(found), judged(found.median, least, goal))


def _long_row(measured):
    words = ("prefill, rate at 8,192 ÷ rate at 512", measured.model.title, f"{LONG_SHARE:.0%}", "–")
    shares = measured.results[measured.judged].get("prefill_share")
    if not shares:
        return Row(*words, "–", "not measured: a quick run leaves it out")
    found = figures.spread_of(shares)
    return Row(*words, f"{found.median:.0%} ({found.least:.0%} … {found.most:.0%})",
               judged(found.median, LONG_SHARE, None))


def _memory_row(measured):
    """Of the pieces of work, that in which Premise is worst."""
    found = [(ratio(measured, metric.key), metric) for metric in figures.PEAKS]
    worst, metric = max(((each, metric) for each, metric in found if each),
                        key=lambda pair: pair[0].median)
    return Row("peak memory, worst piece of work ÷ llama.cpp", measured.model.title, "≤ 1×", "–",
               f"{_ratio_text(worst)}: {metric.label.removeprefix('peak memory, ')}",
               judged(worst.median, 1.0, None, most=True))


def _coverage_row(measured):
    share, required = measured.computing.fast_share, measured.computing.fast_required
    return Row("products with matrices on the fast path", measured.model.title, f"{required:.0%}",
               "–", f"{int(share * 1000) / 10:.1f} %", judged(share, required, None))


def rows(measured, conditions):
    """All that is asked for, of the models measured and of those left out."""
    by_key = {each.model.key: each for each in measured}
    found = [_against_peer("prefill, 512 tokens", key, "prefill", limits, by_key, conditions.amx)
             for key, limits in PREFILL.items()]
    found += [_against_peer("decode, 1 sequence", key, "decode_1", (least, None), by_key)
              for key, least in DECODE.items()]
    found += [_bandwidth_row(each, conditions) for each in measured]
    found += [_against_peer(f"decode, {max(figures.BATCHES)} sequences", key, LARGEST_BATCH, limits,
                            by_key, conditions.amx) for key, limits in BATCH.items()]
    for make in (_no_amx_row, _long_row, _memory_row, _coverage_row):
        found += [make(each) for each in measured]
    real = models.KNOWN[0].title
    return [*found,
            Row("perplexity against the scalar reference", real, "within 0.3 %", "0.1 %", "–",
                "not measured here: docs/conformance.md has what is known"),
            Row("mean KL divergence to it, and llama.cpp's", real, "< 0.001", "–", "–",
                "not measured here: docs/conformance.md has what is known")]
