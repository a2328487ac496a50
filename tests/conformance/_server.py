"""A `premise serve` on the tiny model of tests/e2e, for comparisons that need one that runs."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))
CONTEXT = 256
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import tiny_model  # noqa: E402


@contextlib.contextmanager
def running(scopes=("inference",), log='level = "error"'):
    """(port, secret key) of a server that needs a key; it is stopped at the end, and must end well.

    `log` is what stands under [log] of its premise.toml."""
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        (home / "tiny.gguf").write_bytes(tiny_model.model_bytes())
        (home / "premise.toml").write_text(
            f'[auth]\nrequired = true\n[[model]]\nname = "tiny"\n'
            f'path = {json.dumps(str(home / "tiny.gguf"))}\n'
            f'context = {CONTEXT}\nparallel = 8\n[log]\n{log}\n')
        environment = {**os.environ, "LC_ALL": "C", "PREMISE_HOME": str(home)}
        wanted = [word for scope in scopes for word in ("--scope", scope)]
        created = subprocess.run([PROGRAM, "keys", "create", "--name", "tester", *wanted, "--json"],
                                 env=environment, check=True, capture_output=True, text=True)
        with subprocess.Popen(
                [PROGRAM, "serve", "--config", str(home / "premise.toml"), "--port", "0"],
                env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True) as process:
            said = []
            try:
                for line in process.stderr:
                    said.append(line)
                    if found := re.search(r"http://127\.0\.0\.1:(\d+)  ", line):
                        break
                else:
                    raise RuntimeError("the server did not start:\n" + "".join(said))
                yield int(found[1]), json.loads(created.stdout)["key"]
            finally:
                process.terminate()
                rest = process.stderr.read()
        if process.returncode != 0:
            raise RuntimeError(f"the server ended with status {process.returncode}:\n{rest}")
