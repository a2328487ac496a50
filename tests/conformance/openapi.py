#!/usr/bin/env python3
"""Schemathesis asks a running server what /openapi.json says may be asked, and what it forbids.

It generates requests from the document, valid and invalid ones, for every path; none may bring a
500 or 502, a 503 only with Retry-After, and every answer must be one that the document describes:
status, content type, headers, body. What breaks a rule of the document must be refused.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import _server

FOLDER = pathlib.Path(__file__).resolve().parent
EXAMPLES = os.environ.get("PREMISE_SCHEMATHESIS_EXAMPLES", "60")  # for each operation
# not_a_server_error: _openapi_checks knows 503. positive_data_acceptance: what is valid may still
# be too long for the model. use_after_free, ensure_resource_availability: nothing is created here.
# unsupported_method: wants 405 of methods too that RFC 9110 does not name; _openapi_checks knows.
EXCLUDED = ("not_a_server_error", "positive_data_acceptance", "use_after_free",
            "ensure_resource_availability", "unsupported_method")


# A key that may do everything would unload the model that all other requests need, so each scope
# has a server of its own.
SERVERS = ((("inference", "metrics"), "--exclude-path-regex"), (("inference", "admin"), "--include-path-regex"))
ADMIN_PATHS = "^/admin"


def ask(scopes, which):
    """Asks the operations of a key with these scopes; the exit status of Schemathesis."""
    # It leaves a folder of its own where it runs.
    with _server.running(scopes) as (port, key), tempfile.TemporaryDirectory() as folder:
        base = f"http://127.0.0.1:{port}"
        return subprocess.run(
            [str(pathlib.Path(sys.executable).parent / "schemathesis"), "run",
             f"{base}/openapi.json", "--url", base, "--header", f"Authorization: Bearer {key}",
             which, ADMIN_PATHS,
             "--phases", "examples,coverage,fuzzing", "--mode", "all", "--checks", "all",
             "--exclude-checks", ",".join(EXCLUDED), "--max-examples", EXAMPLES, "--seed", "1",
             "--workers", "1", "--request-timeout", "60", "--continue-on-failure",
             "--output-sanitize", "false", *sys.argv[1:]],
            cwd=folder,
            env={**os.environ, "SCHEMATHESIS_HOOKS": "_openapi_checks",
                 "PYTHONPATH": str(FOLDER)}, check=False).returncode


def main():
    sys.exit(max([ask(*server) for server in SERVERS]))


if __name__ == "__main__":
    main()
