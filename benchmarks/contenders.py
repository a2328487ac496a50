"""The programs that are compared: which commands make up a round of each, and what they yield.

Both do the same work on the same file with the same number of threads: read 512 tokens; generate 64
from a context of one token, for 1, 8 and 32 sequences; start, write one token, exit. Neither draws
on its settings beyond that: whatever a program does by default, it does here.
"""

import dataclasses
import os
import pathlib
import shlex

import children
import outputs
from figures import BATCHES, GENERATED_TOKENS, PROMPT_TOKENS
from peer import Peer

REPETITIONS = 3  # within a process, after the program's own warm-up; the median counts
LIMIT_SECONDS = 1800.0
# Of Premise, widest first: each machine that offers one offers all that follow.
ISAS = ("amx", "avx512", "avx2")
MEGABYTE = 1e6


@dataclasses.dataclass(frozen=True)
class Workload:
    model: pathlib.Path
    threads: int
    # The least context that llama-batched-bench needs for the largest batch.
    context: int = max(BATCHES) * (GENERATED_TOKENS + 1)


def _joined(numbers):
    return ",".join(str(number) for number in numbers)


class Premise:
    def __init__(self, program, workload, isa, forced):
        self.name = f"Premise, {isa}"
        self._program = str(program)
        self._model = str(workload.model)
        self._threads = str(workload.threads)
        self._forced = isa if forced else None

    def _environment(self):
        kept = {key: value for key, value in os.environ.items() if key != "PREMISE_ISA"}
        return {**kept, "LC_ALL": "C", **({"PREMISE_ISA": self._forced} if self._forced else {})}

    def commands(self):
        return {
            "speed": [self._program, "bench", "engine", self._model, "-t", self._threads,
                      "-p", str(PROMPT_TOKENS), "-n", str(GENERATED_TOKENS), "-b", _joined(BATCHES),
                      "-r", str(REPETITIONS), "--json"],
            "start": [self._program, "complete", self._model, "-p", "Hello", "-n", "1",
                      "--temperature", "0", "--context", "512", "--threads", self._threads]}

    def shown_commands(self):
        prefix = f"PREMISE_ISA={self._forced} " if self._forced else ""
        return [prefix + shown(command, self._model) for command in self.commands().values()]

    def round(self):
        commands = self.commands()
        start = children.run(commands["start"], self._environment(), LIMIT_SECONDS)
        speed = children.run(commands["speed"], self._environment(), LIMIT_SECONDS)
        return {**outputs.premise_bench(speed.output), "start_seconds": start.wall_seconds,
                "start_peak": start.peak_bytes / MEGABYTE,
                "batch_peak": speed.peak_bytes / MEGABYTE}


class LlamaCpp:
    def __init__(self, peer: Peer, workload):
        self.name = peer.name
        self._peer = peer
        self._workload = workload

    def commands(self):
        model = str(self._workload.model)
        threads = str(self._workload.threads)
        program = {name: str(self._peer.folder / name)
                   for name in ("llama-bench", "llama-batched-bench", "llama-completion")}
        return {
            "speed": [program["llama-bench"], "-m", model, "-t", threads, "-p", str(PROMPT_TOKENS),
                      "-n", str(GENERATED_TOKENS), "-r", str(REPETITIONS), "-o", "json"],
            "batches": [program["llama-batched-bench"], "-m", model, "-t", threads, "-npp", "1",
                        "-ntg", str(GENERATED_TOKENS), "-npl", _joined(BATCHES[1:]),
                        "-c", str(self._workload.context), "--output-format", "jsonl"],
            "start": [program["llama-completion"], "-m", model, "-p", "Hello", "-n", "1",
                      "--temp", "0", "-c", "512", "-t", threads, "-no-cnv", "--no-warmup"]}

    def shown_commands(self):
        return [shown(command, str(self._workload.model)) for command in self.commands().values()]

    def round(self):
        environment = self._peer.environment()
        commands = self.commands()
        start = children.run(commands["start"], environment, LIMIT_SECONDS)
        speed = children.run(commands["speed"], environment, LIMIT_SECONDS)
        batches = children.run(commands["batches"], environment, LIMIT_SECONDS)
        return {**outputs.llama_bench(speed.output), **outputs.llama_batched_bench(batches.output),
                "start_seconds": start.wall_seconds, "start_peak": start.peak_bytes / MEGABYTE,
                "batch_peak": batches.peak_bytes / MEGABYTE}


def shown(command, model):
    """A command as a reader would type it: no folders of this machine."""
    words = [os.path.basename(command[0]),
             *("MODEL" if word == model else word for word in command[1:])]
    return shlex.join(words)


def narrower_isas(isa):
    """The sets that this machine offers beside its widest one."""
    return ISAS[ISAS.index(isa) + 1:] if isa in ISAS else ()
