"""The soak of tests/load for 20 seconds on a tiny model; `make soak-serve` runs it for minutes.

It shares the machine with the tests beside it, so times and memory are not judged here.
"""

import os
import pathlib
import subprocess
import sys

import pytest

import tiny_model

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))


@pytest.mark.soak
def test_rude_clients_leave_nothing_behind(tmp_path):
    model = tmp_path / "tiny.gguf"
    model.write_bytes(tiny_model.model_bytes())
    done = subprocess.run(
        [sys.executable, ROOT / "tests/load/soak.py", "--seconds", "20", "--clients", "96",
         "--model", model, "--program", PROGRAM, "--health-ms", "2000", "--no-memory"],
        capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"streams: whole"' in done.stdout
