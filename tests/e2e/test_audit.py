"""premise audit beside an implementation of its chain that is not Premise's: the script of
docs/audit.md, which builds and checks the same hashes with Python's hashlib and sqlite3."""

import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))
SCRIPT = re.search(r"```python\n(.*?)```", (ROOT / "docs/audit.md").read_text(), re.DOTALL).group(1)
CHAIN = {}
exec(SCRIPT.split("previous = sys.argv")[0], CHAIN)  # FIELDS and link()

NASTY = ["", "a", "1:a,", "中文", "a\nb\tc", "\x1b[31m", "\u202e", "x" * 5000, "'); DROP TABLE audit; --"]

SECRET = "what nobody shall read after its removal"


@pytest.fixture
def home(tmp_path):
    """A home with 90 lines that this file wrote, a day apart from 1970-01-02 on."""
    premise(tmp_path, "keys", "list")  # makes the file
    with sqlite3.connect(tmp_path / "gate.db") as database:
        previous = ""
        for number in range(1, 91):
            line = dict.fromkeys(CHAIN["FIELDS"], "")
            line |= {"id": number, "time_ms": number * 86_400_000, "key_id": number % 3,
                     "prompt_tokens": number, "output_tokens": -1 if number == 7 else 2**40}
            for place, field in enumerate(["request", "key_name", "model", "prompt", "answer"]):
                line[field] = NASTY[(number + place) % len(NASTY)]
            if number == 5:
                line["prompt"] = SECRET
            line["hash"] = previous = CHAIN["link"](previous, line)
            database.execute(f"INSERT INTO audit({', '.join(line)}) VALUES ({','.join('?' * len(line))})",
                             list(line.values()))
        database.execute("UPDATE audit_head SET count = 90, hash = ?", [previous])
    database.close()
    return tmp_path


def premise(home, *arguments):
    return subprocess.run([PROGRAM, "--lang", "en", *arguments], text=True, capture_output=True,
                          env=os.environ | {"PREMISE_HOME": str(home)}, timeout=60)


def script(export, *arguments):
    return subprocess.run([sys.executable, "-c", SCRIPT, *arguments], input=export, text=True,
                          capture_output=True, timeout=60)


def test_a_chain_made_elsewhere_holds_and_the_export_is_checked_elsewhere(home):
    verdict = premise(home, "audit", "verify", "--json")
    assert verdict.returncode == 0, verdict.stdout
    assert json.loads(verdict.stdout)["checked"] == 90
    export = premise(home, "audit", "export").stdout
    assert len(export.splitlines()) == 90
    checked = script(export)
    head = json.loads(premise(home, "audit", "head", "--json").stdout)["head"]
    assert checked.stdout.strip() == head, checked.stderr
    cut = "".join(line for line in export.splitlines(keepends=True) if '"id":40,' not in line)
    assert "line 41 does not follow" in script(cut).stderr


def test_a_removal_leaves_a_chain_that_both_accept(home):
    noted = json.loads(premise(home, "audit", "head", "--json").stdout)["head"]
    assert SECRET.encode() in (home / "gate.db").read_bytes()
    assert premise(home, "audit", "prune", "--before", "1970-02-01").returncode == 0
    assert premise(home, "audit", "verify", "--head", noted).returncode == 0
    lines = [json.loads(line) for line in premise(home, "audit", "export").stdout.splitlines()]
    assert lines[0]["id"] == 31 and lines[-1]["action"] == "audit prune"
    beginning = re.search(r"lines 1 to 30 removed, the last one's hash is (\w{64})", lines[-1]["reason"])
    export = premise(home, "audit", "export").stdout
    assert script(export, beginning[1]).returncode == 0
    for file in home.glob("gate.db*"):
        assert SECRET.encode() not in file.read_bytes()


@pytest.mark.parametrize("harm", ["DELETE FROM audit WHERE id = 50", "DELETE FROM audit WHERE id = 90",
                                  "UPDATE audit SET key_name = 'bob' WHERE id = 50"])
def test_harm_is_found(home, harm):
    with sqlite3.connect(home / "gate.db") as database:
        database.execute(harm)
    database.close()
    found = premise(home, "audit", "verify")
    assert found.returncode == 1
    assert re.search(r"line (50|90) ", found.stderr)
    assert premise(home, "audit", "prune", "--before", "1970-02-01").returncode == 3


def test_a_reader_that_goes_away_is_no_error(home):
    shown = subprocess.run(["bash", "-c", f"set -o pipefail; '{PROGRAM}' audit list | head -1"],
                           env=os.environ | {"PREMISE_HOME": str(home)}, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
