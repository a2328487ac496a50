"""The servers that are compared, each started with the settings that suit the workload best.

A server is started once and stopped by SIGSTOP while it is not its turn: vLLM takes half a minute
to start, and a warm server is what users meet. All get the same threads and places for as many
requests as there are clients.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import pathlib
import resource
import shlex
import signal
import socket
import subprocess
import tempfile
import time

import load_client

START_LIMIT_SECONDS = 600.0
STOP_LIMIT_SECONDS = 40.0


class ServerFailed(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Shape:
    """What the servers must have room for."""
    threads: int
    clients: int
    context: int  # tokens of one request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def allow_many_files():
    """For this process and the servers it starts: a descriptor for each connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def premise_command(program, model, shape, port):
    return [str(program), "serve", str(model), "--port", str(port), "--threads",
            str(shape.threads), "--context", str(shape.context), "--parallel", str(shape.clients)]


def llama_command(folder, model, shape, port):
    # --cache-ram 0: it would copy each finished prompt's cache away, which no request here profits
    # from. Continuous batching and one cache slot a request are what -np brings.
    return [str(folder / "llama-server"), "-m", str(model), "--port", str(port), "-t",
            str(shape.threads), "-np", str(shape.clients), "-c",
            str(shape.clients * shape.context), "--cache-ram", "0", "--log-disable"]


def vllm_command(python, model, shape, port):
    return [str(python.parent / "vllm"), "serve", str(model), "--port", str(port), "--host",
            "127.0.0.1", "--dtype", "bfloat16", "--max-model-len", str(shape.context),
            "--max-num-seqs", str(shape.clients), "--served-model-name", "model",
            "--disable-uvicorn-access-log"]


def vllm_environment(shape, cache_gib):
    return {"VLLM_CPU_KVCACHE_SPACE": str(cache_gib), "OMP_NUM_THREADS": str(shape.threads),
            "VLLM_CPU_OMP_THREADS_BIND": f"0-{shape.threads - 1}", "VLLM_NO_USAGE_STATS": "1",
            "VLLM_LOGGING_LEVEL": "WARNING", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}


def shown(command, environment, replacements):
    """The command as a reader would type it: no folder, no port of this run."""
    words = [f"{key}={value}" for key, value in environment.items()]
    for index, word in enumerate(command):
        word = replacements.get(word, word)
        words.append(os.path.basename(word) if index == 0 else word)
    return shlex.join(words)


class Server:
    """A started server. Use as a context manager; its whole process group ends with it."""

    def __init__(self, name, command, port, environment=None, model=None):
        self.name = name
        self.command = command
        self.port = port
        self.environment = environment or {}
        self.model = model  # as requests name it; None: asked of the server
        self._said = None
        self._process = None

    def __enter__(self):
        self._said = tempfile.TemporaryFile()
        kept = {key: value for key, value in os.environ.items() if key not in
                ("PREMISE_ISA", "LD_LIBRARY_PATH") and not key.startswith(("LLAMA_", "GGML_"))}
        try:
            self._process = subprocess.Popen(
                self.command, env={**kept, "LC_ALL": "C", **self.environment},
                stdin=subprocess.DEVNULL, stdout=self._said, stderr=self._said,
                start_new_session=True)
        except OSError as error:
            raise ServerFailed(f"{self.name}: cannot be started: {error}") from error
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        self.go_on()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        try:
            self._process.wait(STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._said.close()

    @property
    def pid(self):
        return self._process.pid

    def pause(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGSTOP)

    def go_on(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGCONT)

    def tail(self):
        self._said.seek(0)
        return "\n".join(self._said.read().decode(errors="replace").splitlines()[-15:])

    def _wait_until_ready(self):
        end = time.monotonic() + START_LIMIT_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise ServerFailed(f"{self.name}: ended with status {self._process.returncode} "
                                   f"before it was ready\n{self.tail()}")
            try:
                if self.ask("GET", "/health")[0] == 200:
                    break
            except (OSError, EOFError, ValueError, load_client.BadAnswer, TimeoutError):
                pass
            time.sleep(0.2)
        else:
            raise ServerFailed(f"{self.name}: not ready after {START_LIMIT_SECONDS:.0f} s")
        if self.model is None:
            self.model = json.loads(self.ask("GET", "/v1/models")[2])["data"][0]["id"]

    def ask(self, method, path, body=None):
        """(status, headers, body) of a request on a connection of its own."""
        async def go():
            client = load_client.Client(self.port)
            try:
                async with asyncio.timeout(30):
                    return await client.request(method, path, body)
            finally:
                client.close()
        return asyncio.run(go())

    def cpu_seconds(self):
        """Processor time of the server's whole session, children that ended included."""
        ticks = 0
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
                if int(fields[3]) == self.pid:  # the session
                    ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024
