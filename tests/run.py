#!/usr/bin/env python3
"""Runs the checks of Premise and says what came of them.

    run.py test          every check a change must pass (make test)
    run.py fuzz          every fuzzer, longer (make fuzz, make soak)
    run.py conformance   live comparison with reference libraries (make conformance)
    run.py lint          clang-tidy, clang-format, structure (make lint)

The last line is always "N passed, N failed, N skipped"; the exit status is 1 when anything failed.
Only Python's standard library is used: this runs before anything is installed.
"""

import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
REPORTS = BUILD / "reports"
JOBS = max(1, len(os.sched_getaffinity(0)))

# Every fuzzer's share of `make test`: enough to go through its corpus and some thousand mutations.
FUZZ_RUNS_IN_TEST = 10_000
SLOW_FUZZERS = {"machine_probes_fuzz": 1_000}  # every input is a whole machine: 110 a second
# One input may take this long, and a fuzzer this much memory: a hang or a bomb is a failure.
FUZZ_LIMITS = ["-timeout=20", "-rss_limit_mb=2560", "-malloc_limit_mb=1024", "-print_final_stats=0"]
SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


class Tally:
    """Counts of checks, printed one line a step and summed at the end."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, step, passed, failed, skipped, seconds):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        mark = "FAILED" if failed else "ok"
        print(f"{mark:6} {step}: {passed} passed, {failed} failed, {skipped} skipped ({seconds:.0f} s)",
              flush=True)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return 1 if self.failed or not self.passed else 0


def call(*command, env=None):
    """Runs a command whose output the user should see; True when it succeeded."""
    return subprocess.run([str(word) for word in command], cwd=ROOT,
                          env={**os.environ, **(env or {})}).returncode == 0


def quietly(command, env=None):
    """Runs a command; its output is shown only when it fails."""
    done = subprocess.run([str(word) for word in command], cwd=ROOT, env={**os.environ, **(env or {})},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.stdout.buffer.write(b"--- " + " ".join(map(str, command)).encode() + b"\n" + done.stdout)
        sys.stdout.flush()
    return done.returncode == 0


def junit_counts(path):
    """(passed, failed, skipped) of a JUnit report; a report that is not there is one failure."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return 0, 1, 0
    passed = failed = skipped = 0
    for case in root.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("status") in ("disabled", "notrun"):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def build(tally, preset, *targets):
    start = time.monotonic()
    ok = (BUILD / preset / "build.ninja").exists() or call("cmake", "--preset", preset)
    ok = ok and call("cmake", "--build", BUILD / preset, "-j", JOBS, "--target", *targets)
    tally.add(f"build {preset}", int(ok), int(not ok), 0, time.monotonic() - start)
    return ok


def run_ctest(tally):
    """The unit tests of rooms that compute as users run them, and the structure checks."""
    start = time.monotonic()
    report = REPORTS / "ctest.xml"
    report.unlink(missing_ok=True)
    ok = quietly(["ctest", "--test-dir", BUILD / "release", "-j", JOBS, "--output-on-failure",
                  "--no-tests=error", "--output-junit", report])
    passed, failed, skipped = junit_counts(report)
    if not ok and not failed:
        failed = 1
    tally.add("unit and structure tests", passed, failed, skipped, time.monotonic() - start)


def run_sanitized(tally):
    """The unit tests under the address and undefined-behaviour sanitizers, a process a room."""
    def one(program):
        start = time.monotonic()
        report = REPORTS / f"asan-{program.name}.xml"
        report.unlink(missing_ok=True)
        ok = quietly([program, "--gtest_brief=1", f"--gtest_output=xml:{report}"],
                     env=SANITIZER_ENVIRONMENT)
        passed, failed, skipped = junit_counts(report)
        return program.name, passed, failed or int(not ok), skipped, time.monotonic() - start

    # The largest first: among them are those that take longest, which must not be left to the end.
    programs = sorted((BUILD / "asan").glob("premise_*_test"), key=lambda p: -p.stat().st_size)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for name, *counts in pool.map(one, programs):
            tally.add(f"sanitized {name}", *counts)


def committed_corpus(name):
    """Of formats_gguf_fuzz: fuzz/corpus/formats_gguf, or fuzz/corpus/gguf where that stands.

    A fuzzer must have one: without seeds it would test next to nothing.
    """
    room_and_subject = name.removesuffix("_fuzz")
    subject = ROOT / "fuzz" / "corpus" / room_and_subject.split("_", 1)[1]
    return subject if subject.is_dir() else ROOT / "fuzz" / "corpus" / room_and_subject


def run_fuzzers(tally, limit_of, keep_finds):
    """Every fuzzer on a copy of its corpus, to which libFuzzer adds what it finds.

    A soak goes on from the last one's finds (keep_finds); the test of a change starts afresh, so
    that two runs do the same.
    """
    def one(program):
        start = time.monotonic()
        corpus = BUILD / "fuzz" / program.name
        crashes = BUILD / "fuzz" / f"{program.name}-failures"
        if not keep_finds:
            shutil.rmtree(corpus, ignore_errors=True)
        ok = committed_corpus(program.name).is_dir()
        if ok:
            shutil.copytree(committed_corpus(program.name), corpus, dirs_exist_ok=True)
            crashes.mkdir(parents=True, exist_ok=True)
            ok = quietly([program, corpus, "-seed=1", f"-artifact_prefix={crashes}/",
                          limit_of(program.name),
                          *FUZZ_LIMITS], env=SANITIZER_ENVIRONMENT)
        else:
            print(f"{program.name}: no corpus in {committed_corpus(program.name)}")
        return program.name, int(ok), int(not ok), 0, time.monotonic() - start

    programs = sorted(path for path in (BUILD / "asan").glob("*_fuzz") if path.is_file())
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for name, *counts in pool.map(one, programs):
            tally.add(f"fuzz {name}", *counts)


def virtual_environment(folder, requirements):
    """The python of an environment with these packages, or None; quick when nothing changed."""
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == digest:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    if not quietly([sys.executable, "-m", "venv", folder]):
        return None
    if not quietly([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                    "-r", requirements]):
        return None
    stamp.write_text(digest)
    return python


def npm_packages(folder):
    """What web/package-lock.json names, tests and all, in this folder; quick when nothing changed."""
    lists = [ROOT / "web" / name for name in ("package.json", "package-lock.json", ".npmrc")]
    stamp = folder / "node_modules" / "installed"
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in lists)).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return True
    for path in lists:
        shutil.copy(path, folder)
    if not quietly(["npm", "ci", "--prefer-offline", "--loglevel=error", "--prefix", folder]):
        return False
    stamp.write_text(digest)
    return True


def run_page(tally):
    """The page's types and unit tests, on a copy: nothing is written into the work tree."""
    start = time.monotonic()
    folder = BUILD / "page-tests" / "web"
    report = REPORTS / "page.xml"
    report.unlink(missing_ok=True)
    for source, target in ((ROOT / "web" / "src", folder / "src"),
                           (ROOT / "tests/golden/api", BUILD / "page-tests/tests/golden/api")):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    for name in ("tsconfig.json", "vite.config.ts"):
        shutil.copy(ROOT / "web" / name, folder)
    types = tests = False
    if npm_packages(folder):
        modules = folder / "node_modules"
        types = quietly(["node", modules / "typescript/bin/tsc", "--project", folder])
        tests = quietly(["node", modules / "vitest/vitest.mjs", "run", "--root", folder,
                         "--reporter=junit", f"--outputFile={report}"])
    passed, failed, skipped = junit_counts(report)
    if not tests and not failed:
        failed = 1
    tally.add("page types and unit tests", passed + int(types), failed + int(not types), skipped,
              time.monotonic() - start)


def run_end_to_end(tally):
    """The program as its users run it: tests/e2e with pytest."""
    if not (ROOT / "tests" / "e2e").is_dir():
        return
    start = time.monotonic()
    python = virtual_environment(ROOT / ".venv", ROOT / "tests" / "requirements.txt")
    report = REPORTS / "e2e.xml"
    report.unlink(missing_ok=True)
    ok = python is not None and call(python, "-m", "pytest", "-q", "-rs", ROOT / "tests" / "e2e",
                                     "-n", JOBS, "-p", "no:cacheprovider", f"--junitxml={report}")
    passed, failed, skipped = junit_counts(report)
    tally.add("end-to-end tests", passed, failed or int(not ok), skipped, time.monotonic() - start)


def test(tally, _options):
    if build(tally, "release", "all"):
        run_ctest(tally)
        run_page(tally)
        run_end_to_end(tally)
    if build(tally, "asan", "unit_tests", "fuzzers"):
        run_sanitized(tally)
        run_fuzzers(tally, lambda name: f"-runs={SLOW_FUZZERS.get(name, FUZZ_RUNS_IN_TEST)}",
                    keep_finds=False)


def fuzz(tally, options):
    limit = f"-max_total_time={options.seconds}" if options.seconds else f"-runs={options.runs}"
    if build(tally, "asan", "fuzzers"):
        run_fuzzers(tally, lambda _: limit, keep_finds=True)


def conformance(tally, _options):
    folder = ROOT / "tests" / "conformance"
    python = virtual_environment(ROOT / ".venv-conformance", folder / "requirements.txt")
    for script in sorted(folder.glob("[!_]*.py")):
        start = time.monotonic()
        ok = python is not None and call(python, script)
        tally.add(f"conformance {script.stem}", int(ok), int(not ok), 0, time.monotonic() - start)


def lint(tally, _options):
    def check(name, ok, start):
        tally.add(name, int(ok), int(not ok), 0, time.monotonic() - start)

    start = time.monotonic()
    listed = subprocess.run(["git", "ls-files", "*.h", "*.cpp"], cwd=ROOT, check=True,
                            stdout=subprocess.PIPE, text=True).stdout.split()
    check("clang-format", call("clang-format-19", "--dry-run", "-Werror", *listed), start)
    start = time.monotonic()
    check("structure", call(sys.executable, ROOT / "tests" / "structure" / "structure.py"), start)
    # clang-tidy reads the commands of a Clang build, so that no flag of GCC confuses it, and of one
    # without unity: every file by itself, so that a forgotten #include shows.
    start = time.monotonic()
    configured = call("cmake", "--preset", "lint")
    if not configured:
        check("clang-tidy", configured, start)
    else:
        ok = call("run-clang-tidy-19", "-quiet", "-j", JOBS, "-p", BUILD / "lint",
                  f"^{ROOT}/(src|fuzz)/.*")
        check("clang-tidy", ok, start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    modes = parser.add_subparsers(dest="mode", required=True)
    modes.add_parser("test").set_defaults(run=test)
    fuzz_parser = modes.add_parser("fuzz")
    fuzz_parser.add_argument("--runs", type=int, default=100_000)
    fuzz_parser.add_argument("--seconds", type=int, default=0)
    fuzz_parser.set_defaults(run=fuzz)
    modes.add_parser("conformance").set_defaults(run=conformance)
    modes.add_parser("lint").set_defaults(run=lint)
    options = parser.parse_args()

    REPORTS.mkdir(parents=True, exist_ok=True)
    tally = Tally()
    options.run(tally, options)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
