"""Writes docs/performance.md: what was run, what came out, and what that does and does not say."""

import dataclasses

from contenders import REPETITIONS
from figures import BATCHES, METRICS, paired_ratio, spread_of

MIN_ROUNDS = 5
# Ratios this near to 1 are called equal even where every round leans to the same side.
EQUAL_WITHIN = 0.02


@dataclasses.dataclass(frozen=True)
class Session:
    date: str
    machine: object                   # machine.Machine
    threads: int
    rounds: int
    load_before: float
    quiet: bool
    disturbances: list                # (foreign cores, stolen cores) a round
    model: str                        # its name, and size
    versions: dict                    # program → version
    commands: dict                    # program → list of lines
    results: dict                     # program → {metric key: values by round}
    judged: str                       # the program with the goals
    peers: list                       # names, the default one first
    verdicts: list                    # figures.Verdict


def number(value):
    """Three significant digits, more only where they stand before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _range(spread):
    return f"{number(spread.median)} ({number(spread.least)} … {number(spread.most)})"


def _ratio_cell(session, program, peer, key):
    theirs = session.results[peer].get(key)
    if program in session.peers or not theirs:
        return "" if program in session.peers else "–"
    ratio = paired_ratio(session.results[program][key], theirs)
    return f"{ratio.median:.2f} ({ratio.least:.2f} … {ratio.most:.2f})"


def table(session):
    heads = ["figure", "program", "median (min … max)", *(f"÷ {peer}" for peer in session.peers)]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "---:|" * (len(heads) - 2)]
    for metric in METRICS:
        label = f"{metric.label}, {metric.unit}"
        for program, figures in session.results.items():
            if metric.key in figures:
                cells = [label, program, _range(spread_of(figures[metric.key])),
                         *(_ratio_cell(session, program, peer, metric.key)
                           for peer in session.peers)]
                lines.append("| " + " | ".join(cells) + " |")
                label = ""
    return "\n".join(lines)


def warnings(session):
    """What must be said before any figure is read; empty for a sound run."""
    said = []
    if not session.quiet:
        taken = max(sum(each) for each in session.disturbances)
        said.append(
            f"THE MACHINE WAS NOT QUIET: load average {session.load_before:.2f} before the first "
            f"round; others took up to {taken:.2f} cores during one. Threads that wait by spinning "
            "suffer more from neighbours than threads that sleep, so the ratios below say little "
            "about either program. Do not quote them.")
    if session.rounds < MIN_ROUNDS:
        said.append(f"ONLY {session.rounds} OF AT LEAST {MIN_ROUNDS} ROUNDS: this is a trial of "
                    "the script, not a measurement.")
    return said


def verdict_lines(session):
    doubt = " (but this run proves nothing)" if warnings(session) else ""
    return [f"{verdict.metric.label}: {verdict.ratio.median:.2f} of {verdict.peer}, asked for is "
            f"{verdict.metric.goal:.2f} or more: {'met' if verdict.met else 'MISSED'}{doubt}"
            for verdict in session.verdicts]


def reading(session):
    """One sentence a metric about the judged program against the default peer."""
    if warnings(session):
        return "This run proves nothing about speed: see the warning at the top."
    peer = session.peers[0]
    lines = []
    for metric in METRICS:
        theirs = session.results[peer].get(metric.key)
        if theirs is None:
            continue
        ratio = paired_ratio(session.results[session.judged][metric.key], theirs)
        if ratio.least <= 1.0 <= ratio.most or abs(ratio.median - 1.0) <= EQUAL_WITHIN:
            words = "no clear difference"
        else:
            better = (ratio.median > 1.0) == metric.more_is_better
            words = "Premise is ahead" if better else "llama.cpp is ahead"
        lines.append(f"- {metric.label}: {ratio.median:.2f} of {peer}'s; {words}.")
    return "\n".join(lines)


def _machine_lines(session):
    machine = session.machine
    foreign = max(foreign for foreign, _ in session.disturbances)
    stolen = max(stolen for _, stolen in session.disturbances)
    rows = [
        ("date", session.date),
        ("processor", f"{machine.cpu} ({', '.join(machine.flags) or 'no AVX2'})"),
        ("cores", f"{machine.cores}, as {machine.logical_cpus} logical processors"),
        ("memory", f"{machine.memory_bytes / 2**30:.1f} GiB"),
        ("system", machine.system),
        ("threads of each program", str(session.threads)),
        ("model", session.model),
        ("rounds", str(session.rounds)),
        ("load average before", f"{session.load_before:.2f}"),
        ("taken by other programs", f"{foreign:.2f} cores in the worst round"),
        ("taken by the hypervisor", f"{stolen:.2f} cores in the worst round"),
        *session.versions.items()]
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows)])


_METHOD = f"""\
Within a round each program runs once, one after the other, every command as a fresh process; then
the next round begins. The model's file was read once before, so that it lies in the page cache. A
program repeats prefill and single decode {REPETITIONS} times in its process, and the median of
those counts for the round; Premise does so with batches too, llama.cpp's program for batches runs
each once. The table shows the median, least and greatest of the rounds. A ratio is formed inside
each round, and its median is shown: it can differ a little from the ratio of the medians.

- **prefill**: reading 512 tokens and the logits of the last one.
- **decode**: 64 tokens a sequence after a context of one token; for several sequences the rate of
  all together. Premise's time contains choosing each token, llama.cpp's programs choose none.
- **short completion**: from starting the process to its end, for a prompt of one word and one
  generated token: `premise complete` and `llama-completion`, this one without its warm-up run.
- **loading alone**: opening, checking and arranging the weights, as `premise bench engine` reports
  it. llama.cpp prints no figure for the same span, hence no ratio.
- **peak memory**: greatest resident set of the process (`ru_maxrss`), pages of the mapped file
  included: of the short completion, and of the runs with {max(BATCHES)} sequences (`premise bench
  engine`, `llama-batched-bench`). Above 1 means that Premise needs more."""

_LIMITS = """\
One model, one machine, one length of prompt. Not measured here: long contexts, other models and
weight types, text that is drawn rather than taken greedily, the service under load, the first start
from a cold disk, energy, and whether the text is right (the tests do that). Rows for narrower
instruction sets show what Premise does on older processors, but llama.cpp's figure beside them is
that of its build for this machine. llama.cpp runs with its defaults; flags that might suit it
better on this machine were not searched for."""


def document(session):
    banners = "".join(f"> **{warning}**\n\n" for warning in warnings(session))
    commands = "\n\n".join(f"# {program}\n" + "\n".join(lines)
                           for program, lines in session.commands.items())
    goals = "\n".join(f"- {line}" for line in verdict_lines(session))
    return f"""\
# Speed beside llama.cpp

`make bench` measures this on your machine and writes this page; it is not edited by hand.

{banners}{_machine_lines(session)}

## Figures

Rates: more is better; a ratio above 1 means that Premise is faster. Seconds and memory: less is
better; a ratio below 1 means that Premise needs less.

{table(session)}

## How it was measured

{_METHOD}

```
{commands}
```

## What the figures say

Goals, for {session.judged}:

{goals}

Where 1.00 would be equal:

{reading(session)}

## What they do not say

{_LIMITS}
"""
