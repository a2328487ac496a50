"""Writes docs/performance.md: what was run, what came out, and what that does and does not say."""

import dataclasses

import machine as machines
import targets
from figures import (BATCHES, LONG_PROMPT_TOKENS, METRICS, PROMPT_TOKENS, paired_ratio, spread_of)

MIN_ROUNDS = 5


@dataclasses.dataclass(frozen=True)
class Session:
    date: str
    machine: object                   # machine.Machine
    threads: int
    rounds: int
    long_rounds: int
    whole: bool                       # all models, to the end
    versions: dict                    # program → version
    measured: list                    # targets.Measured
    conditions: object                # targets.Conditions
    rows: list                        # targets.Row


def number(value):
    """Three significant digits, more only where they stand before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _range(spread):
    return f"{number(spread.median)} ({number(spread.least)} … {number(spread.most)})"


def _cells(words):
    return "| " + " | ".join(words) + " |"


def summary(session):
    """Every figure that is asked for, in one table."""
    lines = [_cells(["figure", "model", "asked", "goal", "measured", "outcome"]),
             "|---|---|---:|---:|---:|---|"]
    label = None
    for row in session.rows:
        lines.append(_cells([row.what if row.what != label else "", row.model, row.asked, row.goal,
                             row.measured, f"**{row.outcome}**" if row.missed else row.outcome]))
        label = row.what
    return "\n".join(lines)


def _ratio_cell(measured, program, key):
    theirs = measured.results[measured.peer].get(key)
    if program == measured.peer:
        return ""
    if not theirs:
        return "–"
    ratio = paired_ratio(measured.results[program][key], theirs)
    return f"{ratio.median:.2f} ({ratio.least:.2f} … {ratio.most:.2f})"


def table(measured, conditions):
    """All figures of one model."""
    lines = [_cells(["figure", "program", "median (min … max)", f"÷ {measured.peer}"]),
             "|---|---|---:|---:|"]
    for metric in METRICS:
        label = ", ".join(word for word in (metric.label, metric.unit) if word)
        for program, found in measured.results.items():
            if metric.key in found:
                lines.append(_cells([label, program, _range(spread_of(found[metric.key])),
                                     _ratio_cell(measured, program, metric.key)]))
                label = ""
    label = "decode, 1 sequence, share of read bandwidth"
    for program in (measured.judged, measured.peer):
        share = targets.bandwidth_share(measured, program, conditions)
        if share is not None:
            lines.append(_cells([label, program, f"{share:.0%}", ""]))
            label = ""
    return "\n".join(lines)


def is_quiet(measured):
    return machines.is_quiet(measured.load_before, measured.disturbances)


def warnings(session):
    """What must be said before any figure is read; empty for a sound run."""
    said = []
    if not session.whole:
        said.append(f"NOT A WHOLE RUN: {len(session.measured)} models, {session.rounds} of at "
                    f"least {MIN_ROUNDS} rounds. Figures that are missing or few are no evidence.")
    for each in session.measured:
        if not is_quiet(each):
            taken = max(sum(pair) for pair in each.disturbances)
            said.append(
                f"THE MACHINE WAS NOT QUIET for {each.model.title}: load average "
                f"{each.load_before:.2f} before the first round; others took up to {taken:.2f} "
                "cores during one. Threads that wait by spinning suffer more from neighbours than "
                "threads that sleep: do not quote its ratios.")
    return said


def _machine_lines(session):
    host = session.machine
    best = session.conditions.bandwidth
    rows = [
        ("date", session.date),
        ("processor", f"{host.cpu} ({', '.join(host.flags) or 'no AVX2'})"),
        ("cores", f"{host.cores}, as {host.logical_cpus} logical processors"),
        ("memory", f"{host.memory_bytes / 2**30:.1f} GiB"),
        ("read bandwidth, best of this run", f"{best / 1e9:.1f} GB/s" if best else "not measured"),
        ("system", host.system),
        ("threads of each program", str(session.threads)),
        ("rounds", f"{session.rounds}, with {LONG_PROMPT_TOKENS:,} tokens {session.long_rounds}"),
        *session.versions.items()]
    return "\n".join(["| | |", "|---|---|", *(_cells([key, value]) for key, value in rows)])


def _model_section(session, measured):
    foreign = max(foreign for foreign, _ in measured.disturbances)
    stolen = max(stolen for _, stolen in measured.disturbances)
    computing = measured.computing
    commands = "\n\n".join(f"# {program}\n" + "\n".join(lines)
                           for program, lines in measured.commands.items())
    return f"""\
### {measured.model.title}

{measured.size:,} bytes, of which {computing.read_bytes:,} are read for each token of one sequence.
Load average before: {measured.load_before:.2f}; in the worst round other programs took
{foreign:.2f} cores, the hypervisor {stolen:.2f}.

{table(measured, session.conditions)}

```
{commands}
```
"""


_METHOD = f"""\
Model by model, within a round each program runs once, every command as a fresh process; every other
round runs in the opposite order. A model's file was read once before, so that it lies in the page
cache, and Premise has packed its weights before the first round. Within a process all is repeated
(`-r`; for llama.cpp's batches, by naming each as often), and the median counts for the round. The
tables show the median, least and greatest of the rounds. A ratio is formed inside each round, and
its median is shown and judged: it can differ a little from the ratio of the medians.

- **prefill**: reading {PROMPT_TOKENS} or {LONG_PROMPT_TOKENS:,} tokens and the logits of the last
  one. The long prompt is read once a round, after one that warms up, in fewer rounds.
- **decode**: 64 tokens a sequence after a context of one token; for several sequences the rate of
  all together. Premise's time contains choosing each token, llama.cpp's programs choose none.
- **share of read bandwidth**: tokens/s × bytes of the matrices that a token needs, as the file has
  them, ÷ the best rate that `premise doctor` read memory at, before, between and after the models.
- **short completion**: from starting the process to its end, for a prompt of one word and one
  generated token: `premise complete` and `llama-completion`, this one without its warm-up run.
- **loading alone**: opening, checking and arranging the weights, as `premise bench engine` reports
  it. llama.cpp prints no figure for the same span, hence no ratio.
- **peak memory**: greatest resident set of the process (`ru_maxrss`), pages of mapped files
  included, of each piece of work. Judged is the piece in which Premise is worst.
- **fast path**: the share of products with matrices that the fastest kernels of the instruction set
  compute; below what is asked for, the comparison fails.

Where Premise computes without AMX, figures that are asked of a machine with AMX are shown and not
judged. llama.cpp's figures are then those of its build for the same machine."""

_LIMITS = f"""\
One machine. Not measured here: text that is drawn rather than taken greedily, prompts between
batches (`make bench-serve` has the service under load), decode after a long context, the first
start from a cold disk, energy, and whether the text is right (the tests do that). Three of the four
models have made-up weights ([why that will do](synthetic-models.md)). Rows for narrower instruction
sets show what Premise does on older processors; llama.cpp's figure beside them is that of its build
for this machine. llama.cpp runs with its defaults; flags that might suit it better on this machine
were not searched for. Batches are {', '.join(map(str, BATCHES))}, others were not tried. The
bandwidth is read by Premise's own program, and a share of it by small models profits from caches.
Premise keeps packed weights on the disk, so that it starts and loads with work done before; packing
them once is not counted. llama.cpp arranges its weights anew at each start."""


def document(session):
    banners = "".join(f"> **{warning}**\n\n" for warning in warnings(session))
    sections = "\n".join(_model_section(session, each) for each in session.measured)
    return f"""\
# Speed beside llama.cpp

`make bench` measures this on your machine and writes this page; it is not edited by hand.

{banners}{_machine_lines(session)}

## What is asked for, and what came out

{summary(session)}

## Figures

Rates: more is better; a ratio above 1 means that Premise is faster. Seconds and memory: less is
better; a ratio below 1 means that Premise needs less.

{sections}
## How it was measured

{_METHOD}

## What they do not say

{_LIMITS}
"""
