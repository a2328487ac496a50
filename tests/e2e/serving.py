"""A running `premise serve` for tests, asked over real sockets."""

import http.client
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))
CONTEXT = 256  # of the tiny model, where a test does not say otherwise
WAIT = 30  # seconds until something must have been noticed, on a machine that does other things too


def environment(home):
    return {"PATH": os.environ["PATH"], "LANG": "C", "HOME": str(home), "PREMISE_HOME": str(home)}


class Server:
    """A running server; asked with a connection for each request.

    What it says is read all the while: a server whose standard error nobody reads stops as soon as
    the pipe is full, after some hundred lines of its access log."""

    def __init__(self, home, *arguments):
        self.environment = environment(home)
        self.process = subprocess.Popen([PROGRAM, "serve", *map(str, arguments), "--port", "0"],
                                        env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.said, self.ended, self.heard = [], False, threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        said = self.wait_for("://127.0.0.1:", or_end=True)
        found = re.search(r"http(s?)://127\.0\.0\.1:(\d+)  ", said)
        self.port = int(found[2]) if found else None
        self.tls = bool(found and found[1])

    def _read(self):
        for line in self.process.stderr:
            with self.heard:
                self.said.append(line)
                self.heard.notify_all()
        with self.heard:
            self.ended = True
            self.heard.notify_all()

    def wait_for(self, text, or_end=False):
        """The first line with this text, as soon as there is one."""
        def found():
            return next((line for line in self.said if text in line), None)
        with self.heard:
            assert self.heard.wait_for(lambda: found() or self.ended, WAIT), (text, self.said)
            assert found() or or_end, (text, self.said)
            return found() or ""

    def ask(self, method, path, body=None, **headers):
        """(status, headers, bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        if self.tls:  # whose certificate a test has made
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60,
                                                     context=context)
        try:
            if isinstance(body, dict):
                body = json.dumps(body)
            connection.request(method, path, body, {"Content-Type": "application/json",
                                                    **{k.replace("_", "-"): v
                                                       for k, v in headers.items()}})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def json(self, *arguments, **headers):
        status, _, body = self.ask(*arguments, **headers)
        assert status == 200, body
        return json.loads(body)

    def metrics(self, **headers):
        return self.ask("GET", "/metrics", **headers)[2].decode()

    def metric(self, name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.metrics(), re.M)
        return float(found[1]) if found else 0.0

    def comes_to_rest(self):
        """Waits until no request runs or waits and no block is held; says what it saw if not."""
        busy = ("premise_requests_running", "premise_requests_waiting", "premise_kv_blocks_used")
        end = time.monotonic() + WAIT
        while any(self.metric(name) != 0 for name in busy):
            assert time.monotonic() < end, (self.metrics(), self.said[-40:])
            time.sleep(0.05)

    def stop(self):
        """(exit status, what it said)"""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        self.reader.join(timeout=60)
        return status, "".join(self.said)


def keys(home, *arguments):
    return subprocess.run([PROGRAM, "keys", *map(str, arguments)], env=environment(home),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def completion(model, **more):
    return {"model": model, "prompt": "hello", "max_tokens": 8, "temperature": 0,
            "ignore_eos": True, **more}


def text_of(answer):
    return answer["choices"][0]["text"]
