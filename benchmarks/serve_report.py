"""Writes docs/serving.md from the results of serve.py: what was asked, what came out, and what that
does and does not say."""

import dataclasses
import statistics

import extras
import figures
import machine

PEERS = ("vLLM", "llama-server")
JUDGED = "Premise"
MIN_ROUNDS = 3
# (key, label, factor, unit)
ROWS = (
    ("output_rate", "output, all clients", 1, "tokens/s"),
    ("first_p50", "time to first token, P50", 1e3, "ms"),
    ("first_p99", "time to first token, P99", 1e3, "ms"),
    ("gap_p50", "time between tokens, P50", 1e3, "ms"),
    ("gap_p99", "time between tokens, P99", 1e3, "ms"),
    ("prefix_first", "first token, 1,000-token prefix, first request", 1e3, "ms"),
    ("prefix_later", "first token, the same prefix again", 1e3, "ms"),
    ("prefix_cached", "tokens found in the cache then", 1, ""),
    ("lost", "requests lost", 1, ""),
    ("reconnections", "connections that had to be opened again", 1, ""),
    ("odd_lengths", "answers of another length than asked", 1, ""),
    ("server_cores", "cores the server kept busy", 1, ""),
)


@dataclasses.dataclass(frozen=True)
class Verdict:
    label: str
    asked: str
    found: str
    met: bool


def values(results, server, key):
    return [each[server][key] for each in results["rounds"]
            if server in each and key in each[server]]


def ratio(results, peer, key):
    """Premise's figure over the peer's, round by round; None where there is none."""
    pairs = [(each[JUDGED][key], each[peer][key]) for each in results["rounds"]
             if peer in each and key in each[peer] and key in each[JUDGED]]
    return figures.paired_ratio(*map(list, zip(*pairs))) if pairs else None


def _goal(results, peer, key, label, asked, meets):
    found = ratio(results, peer, key)
    if found is None:
        return []
    return [Verdict(label, asked, f"{found.median:.2f} ({found.least:.2f} … {found.most:.2f})",
                    meets(found.median))]


def verdicts(results):
    found = []
    for peer, factor in (("vLLM", 2), ("llama-server", 4)):
        found += _goal(results, peer, "output_rate", f"output, of {peer}'s", f"{factor} or more",
                       lambda value, factor=factor: value >= factor)
        found += _goal(results, peer, "first_p50", f"time to first token P50, of {peer}'s",
                       "below 0.50", lambda value: value < 0.5)
    if lost := values(results, JUDGED, "lost"):
        broken = sum(lost) + sum(values(results, JUDGED, "odd_lengths"))
        found.append(Verdict("requests lost, or answered otherwise than asked", "0", str(broken),
                             broken == 0))
    pairs = list(zip(values(results, JUDGED, "prefix_first"),
                     values(results, JUDGED, "prefix_later")))
    if pairs:
        gain = figures.spread_of([first / later for first, later in pairs])
        found.append(Verdict("shared 1,000-token prefix: first token sooner from the second request "
                             "on, times", "5 or more",
                             f"{gain.median:.1f} ({gain.least:.1f} … {gain.most:.1f})",
                             gain.median >= 5))
    if long := results["long"]:
        worst = [each["reading_p99"] / each["reading_p50"] for each in long]
        found.append(Verdict("P99 between tokens while 8,000 tokens are read, of the median then",
                             "below 3", f"{statistics.median(worst):.2f}",
                             statistics.median(worst) < 3))
        calm = [each["reading_p99"] / each["calm_p50"] for each in long]
        found.append(Verdict("the same, of the median before", "below 3",
                             f"{statistics.median(calm):.2f}", statistics.median(calm) < 3))
    if idle := results["idle"]:
        cost = max(each["idle_stream_bytes"] for each in idle)
        held = min(each["idle_streams"] for each in idle)
        found.append(Verdict(f"memory of {extras.IDLE_STREAMS} streams that wait",
                             "below 200 MB", f"{cost / 1e6:.0f} MB ({held:.0f} held)",
                             cost < 200e6 and held >= extras.IDLE_STREAMS))
    return found


def taken(results):
    """The cores that others used in each turn."""
    return [each["taken_cores"] for found in results["rounds"] for each in found.values()
            if "taken_cores" in each]


def warnings(results):
    said = []
    loads = taken(results)
    if loads and max(loads) > machine.QUIET_TAKEN_CORES:
        noisy = sum(1 for each in loads if each > machine.QUIET_TAKEN_CORES)
        said.append(f"THE MACHINE WAS NOT QUIET: others took up to {max(loads):.2f} cores, and more "
                    f"than {machine.QUIET_TAKEN_CORES} in {noisy} of {len(loads)} turns. Ratios "
                    "between turns that were disturbed differently say little.")
    if len(results["rounds"]) < MIN_ROUNDS:
        said.append(f"ONLY {len(results['rounds'])} OF AT LEAST {MIN_ROUNDS} ROUNDS: this is a "
                    "trial of the script, not a measurement.")
    return said


def verdict_lines(all_verdicts):
    return [f"{each.label}: asked {each.asked}, found {each.found}: "
            f"{'met' if each.met else 'MISSED'}" for each in all_verdicts]


def number(value):
    return (f"{value:.0f}" if value >= 100 or value == int(value)
            else f"{value:.1f}" if value >= 10 else f"{value:.2f}")


def table(results):
    names = [name for name in (JUDGED, *PEERS)
             if any(name in each for each in results["rounds"])]
    lines = ["| | " + " | ".join(names) + " | "
             + " | ".join(f"÷ {name}" for name in names[1:]) + " |",
             "|---|" + "---:|" * (2 * len(names) - 1)]
    for key, label, factor, unit in ROWS:
        cells = []
        for name in names:
            found = [factor * value for value in values(results, name, key)]
            spread = figures.spread_of(found) if found else None
            cells.append(f"{number(spread.median)} ({number(spread.least)} … {number(spread.most)})"
                         if spread else "–")
        if all(cell == "–" for cell in cells):
            continue
        for name in names[1:]:
            compared = unit and all(value > 0 for value in values(results, name, key))
            found = ratio(results, name, key) if compared else None
            cells.append(f"{found.median:.2f}" if found else "")
        lines.append(f"| {label}{', ' + unit if unit else ''} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _long_lines(results):
    rows = [("prompt", "long_tokens", 1, "tokens"), ("read in", "long_first", 1, "s"),
            ("gap before, P50", "calm_p50", 1e3, "ms"), ("gap before, P99", "calm_p99", 1e3, "ms"),
            ("gap meanwhile, P50", "reading_p50", 1e3, "ms"),
            ("gap meanwhile, P99", "reading_p99", 1e3, "ms"),
            ("longest gap meanwhile", "reading_max", 1e3, "ms")]
    lines = ["| | |", "|---|---:|"]
    for label, key, factor, unit in rows:
        found = [factor * each[key] for each in results["long"]]
        lines.append(f"| {label} | {number(statistics.median(found))} {unit} |")
    return "\n".join(lines)


def _machine_lines(results):
    host, work = results["machine"], results["workload"]
    loads = taken(results) or [0.0]
    rows = [("date", results["date"]),
            ("processor", f"{host['cpu']} ({', '.join(host['flags']) or 'no AVX2'})"),
            ("cores", f"{host['cores']}, as {host['logical_cpus']} logical processors"),
            ("memory", f"{host['memory_bytes'] / 2**30:.1f} GiB"), ("system", host["system"]),
            ("threads of each server", str(results["threads"])),
            ("model", results["shown_model"]),
            ("workload", f"{work['clients']} clients, {work['requests']} requests each a round, "
                         f"prompts of {work['prompt']} tokens, answers of {work['answer']}"),
            ("rounds", str(len(results["rounds"]))),
            ("taken by others", f"{max(loads):.2f} cores in the worst turn, "
                                f"{statistics.median(loads):.2f} in the median one"),
            *results["versions"].items()]
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows)])


_METHOD = """\
Each server is started once, with the commands below, warmed up, and stopped by a signal while it is
not its turn. In a round the servers take turns. All clients begin at once; each keeps one
connection and sends its next request when the last answer has ended. Prompts are rows of random
common words, so no two begin alike; their length is what the server's own `usage` says, and every
answer's is checked. Answers are greedy, ignore the model's end and are streamed. The client is one
Python process on the same machine and takes about a hundredth of its processor time.

- **output**: tokens of whole answers over the time from the first request to the last answer.
- **time to first token**: from sending the request to the first event with text.
- **time between tokens**: between two events with text of one stream.
- **requests lost**: without a whole answer, for whatever reason; sent once more, as clients do, so
  that every server does the same work.
- A ratio is formed inside each round; the table shows its median.
- Tokens found in the cache are those that the server's `usage` tells; vLLM tells none by default,
  though it finds them.
- What others took of the processor hurts a server more whose threads wait for each other at every
  step: see the cores that each kept busy.

vLLM reads no GGUF file: it gets the same weights decoded and rounded to bf16, 16 bits a weight. The
others read the file as it is. What the servers compute is the same model; the texts differ, as
rounding does."""

_LIMITS = """\
One model, one machine, one shape of load; clients on the machine of the server; no TLS, no keys, no
filter. llama-server and vLLM run with the settings that looked best for this load; others were not
searched for."""


def document(results):
    banners = "".join(f"> **{warning}**\n\n" for warning in warnings(results))
    goals = "\n".join(f"| {each.label} | {each.asked} | {each.found} | "
                      f"{'met' if each.met else 'missed'} |" for each in verdicts(results))
    commands = "\n".join(f"# {name}\n{command}\n" for name, command in results["commands"].items())
    parts = [f"# Serving beside vLLM and llama-server\n\n`make bench-serve` measures this on your "
             f"machine and writes this page; it is not edited by hand.\n\n"
             f"{banners}{_machine_lines(results)}",
             f"## Asked and measured\n\n| | asked | measured | |\n|---|---|---|---|\n{goals}",
             f"## Figures\n\nMedian (least … most) of the rounds.\n\n{table(results)}"]
    if results["long"]:
        parts.append(f"## A long prompt among {extras.LONG_STREAMS} streams\n\n"
                     f"{_long_lines(results)}")
    if results["idle"]:
        idle = results["idle"][-1]
        parts.append(f"## What waits\n\n{idle['idle_connections']} open connections without a "
                     f"request add {idle['idle_connection_bytes'] / 1e6:.1f} MB to the server's "
                     f"memory; with an accepted stream on each, waiting for its turn, they add "
                     f"{idle['idle_stream_bytes'] / 1e6:.1f} MB together.")
    parts += [f"## How it was measured\n\n{_METHOD}\n\n```\n{commands}```",
              f"## What it does not say\n\n{_LIMITS}"]
    return "\n\n".join(parts) + "\n"
