#!/usr/bin/env python3
"""Many rude clients at once, for minutes; then everything must be as it was before.

    soak.py [--seconds 300] [--clients 256] [--model NAME|FILE] [--program FILE] [--seed N]
            [--health-ms 100] [--no-memory] [--json FILE]

Starts `premise serve` with keys and short limits, lets visitors.py loose on it, and checks:

- no visitor saw a broken promise, and the process lives;
- every answer that was begun has exactly one line in the access log;
- afterwards no request runs or waits, no block of the KV cache is held, and connections and
  descriptors are as many as before;
- resident memory did not grow in the second half of the time;
- P99 of /health, asked by a process of its own meanwhile, stays below --health-ms;
- SIGTERM lets running streams end whole, and the exit status is 0.

Memory and time of a build with sanitizers say nothing: --no-memory, --health-ms 1000. Exit status:
0 when all holds, 1 when something does not, 2 for wrong usage. Only Python's standard library.
"""

import argparse
import asyncio
import collections
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import visitors  # noqa: E402
from load import percentile  # noqa: E402

CONTEXT = 512
SETTLE_SECONDS = 30.0
# Memory may grow by this much in the second half: allocators round, caches fill.
GROWTH_ALLOWED_BYTES = 24 << 20

CONFIG = f"""
[server]
body_bytes = {visitors.BODY_LIMIT_BYTES}
header_seconds = 5
body_seconds = 5
idle_seconds = 10
write_seconds = 5
drain_seconds = 60
connections = 2000
[engine]
threads = %(threads)d
[auth]
required = true
[[model]]
name = "soaked"
path = %(model)s
context = {CONTEXT}
parallel = 16
queue = 128
[log]
path = %(log)s
format = "json"
rotate_bytes = "4 GB"
"""


class SoakFailed(Exception):
    pass


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--clients", type=int, default=256)
    parser.add_argument("--model", default="gemma3:270m-base")
    parser.add_argument("--program", type=pathlib.Path,
                        default=ROOT / "build" / "release" / "premise")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--health-ms", type=float, default=100.0)
    parser.add_argument("--no-memory", action="store_true", help="do not judge memory")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here too")
    return parser.parse_args(arguments)


class Server:
    """premise serve with keys; `folder` holds its configuration, keys and log."""

    def __init__(self, options, folder):
        self.folder = folder
        self.log = folder / "access.log"
        model = options.model
        environment = {**os.environ, "LC_ALL": "C", "PREMISE_HOME": str(folder)}
        if not pathlib.Path(model).exists():
            model = self._file_of(options)
        config = folder / "premise.toml"
        config.write_text(CONFIG % {"model": json.dumps(str(model)),
                                    "log": json.dumps(str(self.log)),
                                    "threads": options.threads})
        self.key = self._create_key(options.program, environment, "inference")
        self.metrics_key = self._create_key(options.program, environment, "metrics")
        self._said = open(folder / "said", "wb+")
        self.process = subprocess.Popen(
            [str(options.program), "serve", "--config", str(config), "--port", "0"],
            env=environment, stdin=subprocess.DEVNULL, stdout=self._said, stderr=self._said)
        self.port = self._wait_for_port()

    @staticmethod
    def _file_of(options):
        """A model of the user's store: the soak's own home has none."""
        done = subprocess.run([str(options.program), "list", "--json"], capture_output=True,
                              text=True, check=False)
        for entry in json.loads(done.stdout or "[]"):
            if entry["name"] == options.model:
                return entry["path"]
        raise SoakFailed(f"{options.model} is neither a file nor a model of the store")

    @staticmethod
    def _create_key(program, environment, scope):
        done = subprocess.run([str(program), "keys", "create", "--name", scope, "--scope", scope,
                               "--json"], env=environment, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise SoakFailed(f"keys create: {done.stderr}")
        return json.loads(done.stdout)["key"]

    def said(self):
        self._said.flush()
        return (self.folder / "said").read_text(errors="replace")

    def _wait_for_port(self):
        for _ in range(1200):
            if found := re.search(r"http://127\.0\.0\.1:(\d+)  ", self.said()):
                return int(found[1])
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SoakFailed(f"the server did not start: {self.said()[-2000:]}")

    def ask(self, path, key=""):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {key or self.key}"})
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def metrics(self):
        """Samples without labels, by name."""
        page = self.ask("/metrics", self.metrics_key)
        return {name: float(value)
                for name, value in re.findall(r"^(\w+) (\S+)$", page, re.M)}

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", status, re.M)[1]) * 1024

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._said.close()


# Asks /health all the time on one connection, and prints how long each answer took, until its
# standard input closes. A process of its own: the visitors keep theirs busy.
_PROBE = """
import http.client, json, select, sys, time
connection, times = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30), []
while not select.select([sys.stdin], [], [], 0.05)[0]:
    begin = time.perf_counter()
    connection.request("GET", "/health")
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status
    times.append(time.perf_counter() - begin)
print(json.dumps(times))
"""


@contextlib.contextmanager
def health_probe(port, times):
    probe = subprocess.Popen([sys.executable, "-c", _PROBE, str(port)], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        printed, _ = probe.communicate(timeout=60)
        times.extend(json.loads(printed) if probe.returncode == 0 else [])


async def soak(server, world, options, figures, broken):
    end = time.monotonic() + options.seconds

    async def client(index):
        dice = random.Random(f"{options.seed} {index}")
        while time.monotonic() < end and server.process.poll() is None:
            try:
                name, outcome = await visitors.visit(world, dice)
                figures[f"{name}: {outcome}"] += 1
            except visitors.Violation as violation:
                broken.append(str(violation))
            await asyncio.sleep(dice.random() * 0.2)

    memory = []

    async def watch():
        while time.monotonic() < end and server.process.poll() is None:
            memory.append(server.resident_bytes())
            await asyncio.sleep(1.0)

    await asyncio.gather(watch(), *(client(index) for index in range(options.clients)))
    return memory


def growth(memory):
    """What memory grew by in the second half, as the means of its first and last third say."""
    half = memory[len(memory) // 2:]
    third = max(1, len(half) // 3)
    return sum(half[-third:]) / third - sum(half[:third]) / third if half else 0.0


def settle(server, before):
    """What is still held when nobody asks any more; empty when all is as before."""
    left = {}
    for _ in range(int(SETTLE_SECONDS / 0.5)):
        now = server.metrics()
        left = {name: now[name] for name in ("premise_requests_running", "premise_requests_waiting",
                                             "premise_kv_blocks_used") if now.get(name)}
        if now["premise_connections"] > before["connections"]:
            left["connections"] = now["premise_connections"]
        if server.descriptors() > before["descriptors"]:
            left["descriptors"] = server.descriptors()
        if not left:
            return {}
        time.sleep(0.5)
    return left


def check_log(server, world):
    """Broken promises about the access log: every answer that began has exactly one line."""
    lines = collections.Counter()
    outcomes = collections.Counter()
    with open(server.log, encoding="utf-8") as log:
        for line in log:
            record = json.loads(line)
            lines[record["http.request.id"]] += 1
            outcomes[record.get("premise.outcome", "")] += 1
    said = [f"request {each} has {lines[each]} lines in the log"
            for each in world.request_ids if lines[each] != 1]
    said += [f"the log names request {each} {count} times" for each, count in lines.items()
             if count != 1]
    return said[:5], dict(outcomes)


async def drain(server, world):
    """SIGTERM while streams run: they end whole."""
    dice = random.Random(0)
    # Accepted before the signal: the head of the answer has come.
    async with contextlib.AsyncExitStack() as stack:
        connections = []
        for _ in range(8):
            connection = await stack.enter_async_context(visitors.Connection(world))
            connection.send("POST", "/v1/completions",
                            world.completion(dice, stream=True, max_tokens=CONTEXT // 2))
            connections.append(connection)
        begun = len(world.request_ids) + len(connections)
        answers = [asyncio.create_task(visitors.read_stream(each, world)) for each in connections]
        # A small model may have ended the first answers before the last one begins.
        while len(world.request_ids) < begun and not all(answer.done() for answer in answers):
            await asyncio.sleep(0.001)
        server.process.send_signal(signal.SIGTERM)
        ended = await asyncio.gather(*answers, return_exceptions=True)
    broken = [f"drain: a stream ended with {each!r}" for each in ended if each != "whole"]
    try:
        status = await asyncio.to_thread(server.process.wait, 70)
    except subprocess.TimeoutExpired:
        return [*broken, "drain: the server did not end"]
    return broken + ([f"drain: exit status {status}"] if status else [])


def run(options):
    """(broken promises, figures)"""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options, pathlib.Path(folder))
        try:
            return measured(server, options)
        finally:
            server.close()


def measured(server, options):
    world = visitors.World(server.port, "soaked", server.key, CONTEXT, [])
    broken, visits, health = [], collections.Counter(), []
    asyncio.run(visitors.streams(world, random.Random(0)))  # what is made once has been made
    server.metrics()
    time.sleep(0.5)
    before = {"descriptors": server.descriptors(),
              "connections": server.metrics()["premise_connections"]}
    with health_probe(server.port, health):
        memory = asyncio.run(soak(server, world, options, visits, broken))
    alive = server.process.poll() is None
    figures = {"visits": dict(sorted(visits.items())), "answers": len(world.request_ids),
               "violations": len(broken), "health_requests": len(health)}
    if not alive:
        return [f"the server died with status {server.process.returncode}: "
                f"{server.said()[-3000:]}", *broken], figures
    left = settle(server, before)
    at_end = server.metrics()
    log_broken, outcomes = check_log(server, world)
    broken += log_broken
    if left:
        broken.append(f"still held when all clients are gone: {left}; before: {before}")
    if not health:
        broken.append("/health was not answered")
    p99 = percentile(health, 0.99) * 1e3 if health else 0.0
    if p99 > options.health_ms:
        broken.append(f"P99 of /health is {p99:.0f} ms, over {options.health_ms:.0f} ms")
    grew = growth(memory)
    if grew > GROWTH_ALLOWED_BYTES and not options.no_memory:
        broken.append(f"memory grew by {grew / 1e6:.1f} MB in the second half")
    figures |= {"health_p99_ms": p99, "health_p50_ms": percentile(health, 0.5) * 1e3 if health
                else 0.0, "memory_first_mb": memory[0] / 1e6, "memory_last_mb": memory[-1] / 1e6,
                "memory_growth_mb": grew / 1e6, "log_outcomes": outcomes,
                "kv_blocks_exported": at_end.get("premise_kv_blocks_total", 0) > 0, **before}
    broken += asyncio.run(drain(server, world))
    if "Sanitizer" in server.said() or "runtime error:" in server.said():
        broken.append(f"a sanitizer spoke: {server.said()[-3000:]}")
    return broken, figures


def main(arguments):
    options = options_of(arguments)
    try:
        broken, figures = run(options)
    except SoakFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps({"broken": broken, **figures}, indent=1))
    if not figures.get("kv_blocks_exported"):
        print("note: the server does not say how many blocks of the KV cache are held, so a leaked "
              "one would not show")
    for each, count in collections.Counter(broken).most_common(20):
        print(f"BROKEN ({count}): {each}")
    print(f"{len(broken)} broken promises in {options.seconds:.0f} s of {options.clients} clients")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
