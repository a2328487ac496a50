"""What the documents say about this repository is so: links and paths lead somewhere, commands exist."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
# What a walkthrough tells the reader to create.
CREATED = {"src/cli/command_count.cpp", "src/cli/command_count_test.cpp"}


def each(documents):
    return pytest.mark.parametrize("document", documents,
                                   ids=[str(path.relative_to(ROOT)) for path in documents])


@each(DOCUMENTS)
def test_links_and_paths_lead_somewhere(document):
    text = document.read_text()
    links = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    relative = [target for target in links if target and not re.match(r"[a-z]+:", target)]
    missing = [target for target in relative if not (document.parent / target).exists()]
    named = re.findall(r"`((?:src|tests|docs|cmake|fuzz|packages|benchmarks)/[\w./-]*)`", text)
    missing += [path for path in named if path not in CREATED and not (ROOT / path).exists()]
    assert missing == []


WALKTHROUGHS = sorted(ROOT.glob("docs/add-*.md"))


@each(WALKTHROUGHS)
def test_code_said_to_be_all_of_a_file_is_that_file(document):
    quoted = re.findall(r"All of \[(src/\S+)\][^`]*?```cpp\n(.*?)```", document.read_text(), re.DOTALL)
    for path, code in quoted:
        assert code == (ROOT / path).read_text(), path


def test_a_command_of_the_readme_exists():
    listed = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^  (\w+)  ", listed, re.MULTILINE))
    for name in ("README.md", "README.zh-CN.md"):
        table = [line for line in (ROOT / name).read_text().splitlines() if line.startswith("| `premise")]
        named = set(re.findall(r"`(?:premise )?([a-z]+)[^`]*`", " ".join(row.split("|")[1] for row in table)))
        assert named == known, name
