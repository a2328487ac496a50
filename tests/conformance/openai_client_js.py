#!/usr/bin/env python3
"""Lets OpenAI's own JavaScript client, unchanged, use a running server (openai_client.mjs).

npm fetches the client from the registry that is configured on this machine, as js/package-lock.json
pins it. Version 6: version 7 asks for a newer Node than Debian 12 and Ubuntu 24.04 bring.
"""

import pathlib
import shutil
import subprocess
import sys

import _server

FOLDER = pathlib.Path(__file__).resolve().parent


def install():
    """The pinned client in js/node_modules; quick when it is there."""
    lock = (FOLDER / "js" / "package-lock.json").read_bytes()
    stamp = FOLDER / "js" / "node_modules" / ".premise-lock"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                   cwd=FOLDER / "js", check=True, stdout=subprocess.DEVNULL)
    stamp.write_bytes(lock)


def main():
    missing = [name for name in ("node", "npm") if not shutil.which(name)]
    if missing:
        sys.exit(f"{' and '.join(missing)} missing; make build installs them")
    install()
    with _server.running() as (port, key):
        done = subprocess.run(["node", str(FOLDER / "openai_client.mjs"), str(port), key,
                               str(_server.CONTEXT)], timeout=300, check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
