"""The programs that are compared: which commands make up a round of each, and what they yield.

Both do the same work on the same file with the same number of threads, each piece in a process of
its own, so that peaks of memory can be compared: read 512 tokens and generate 64; generate 64 for 8
and for 32 sequences, from a context of one token; read 8,192 tokens; start, write one token, exit.
Neither draws on its settings beyond that: whatever a program does by default, it does here.
"""

import dataclasses
import os
import pathlib
import shlex

import children
import outputs
from figures import BATCHES, GENERATED_TOKENS, LONG_PROMPT_TOKENS, PROMPT_TOKENS
from peer import Peer

LIMIT_SECONDS = 3600.0
# Of Premise, widest first: each machine that offers one offers all that follow.
ISAS = ("amx", "avx512", "avx2")
MEGABYTE = 1e6
WORKS = ("start", "speed", "batches", "long")
SPEED_ALONE = ("speed",)  # of programs that are shown beside the two that are compared


@dataclasses.dataclass(frozen=True)
class Workload:
    model: pathlib.Path
    threads: int
    repetitions: int = 3  # within a process, after the program's own warm-up; the median counts
    # The least context that llama-batched-bench needs for the largest batch.
    context: int = max(BATCHES) * (GENERATED_TOKENS + 1)


def _joined(numbers):
    return ",".join(str(number) for number in numbers)


class Contender:
    """Runs the works of a round, all but the long prompt where that is not asked for."""

    def __init__(self, name, workload, works):
        self.name = name
        self._workload = workload
        self._works = works

    def shown_commands(self):
        return [self._prefix() + shown(self.commands()[work], str(self._workload.model))
                for work in self._works]

    def round(self, long):
        """{metric key: figure}."""
        found, commands = {}, self.commands()
        for work in self._works:
            if work == "long" and not long:
                continue
            done = children.run(commands[work], self._environment(), LIMIT_SECONDS)
            found.update(self._read(work, done.output))
            found["batch_peak" if work == "batches" else f"{work}_peak"] = \
                done.peak_bytes / MEGABYTE
            if work == "start":
                found["start_seconds"] = done.wall_seconds
        if "prefill_long" in found:
            found["prefill_share"] = found["prefill_long"] / found["prefill"]
        return found


class Premise(Contender):
    def __init__(self, program, workload, isa, forced, works=WORKS):
        super().__init__(f"Premise, {isa}", workload, works)
        self._program = str(program)
        self._forced = isa if forced else None

    def _prefix(self):
        return f"PREMISE_ISA={self._forced} " if self._forced else ""

    def _environment(self):
        kept = {key: value for key, value in os.environ.items() if key != "PREMISE_ISA"}
        return {**kept, "LC_ALL": "C", **({"PREMISE_ISA": self._forced} if self._forced else {})}

    def _bench(self, prompt, generated, batches, repetitions):
        return [self._program, "bench", "engine", str(self._workload.model),
                "-t", str(self._workload.threads), "-p", str(prompt), "-n", str(generated),
                "-b", _joined(batches), "-r", str(repetitions), "--json"]

    def commands(self):
        repetitions = self._workload.repetitions
        return {
            "start": [self._program, "complete", str(self._workload.model), "-p", "Hello",
                      "-n", "1", "--temperature", "0", "--context", "512",
                      "--threads", str(self._workload.threads)],
            "speed": self._bench(PROMPT_TOKENS, GENERATED_TOKENS, BATCHES[:1], repetitions),
            "batches": self._bench(1, GENERATED_TOKENS, BATCHES[1:], repetitions),
            "long": self._bench(LONG_PROMPT_TOKENS, 1, BATCHES[:1], 1)}

    def _read(self, work, output):
        if work == "start":
            return {}
        if work == "speed":
            return outputs.premise_bench(output, {"prefill": PROMPT_TOKENS}, BATCHES[:1])
        if work == "long":
            found = outputs.premise_bench(output, {"prefill_long": LONG_PROMPT_TOKENS}, ())
        else:
            found = outputs.premise_bench(output, {}, BATCHES[1:])
        del found["load_seconds"]  # that of the first process stands for all
        return found


class LlamaCpp(Contender):
    def __init__(self, peer: Peer, workload, works=WORKS):
        super().__init__(peer.name, workload, works)
        self._peer = peer

    def _prefix(self):
        return ""

    def _environment(self):
        return self._peer.environment()

    def commands(self):
        common = ["-m", str(self._workload.model), "-t", str(self._workload.threads)]
        program = {name: str(self._peer.folder / name)
                   for name in ("llama-bench", "llama-batched-bench", "llama-completion")}
        repetitions = self._workload.repetitions
        # Each batch as often as Premise counts it: the program itself runs an entry once.
        batches = [batch for batch in BATCHES[1:] for _ in range(repetitions)]
        return {
            "start": [program["llama-completion"], *common, "-p", "Hello", "-n", "1", "--temp", "0",
                      "-c", "512", "-no-cnv", "--no-warmup"],
            "speed": [program["llama-bench"], *common, "-p", str(PROMPT_TOKENS),
                      "-n", str(GENERATED_TOKENS), "-r", str(repetitions), "-o", "json"],
            "batches": [program["llama-batched-bench"], *common, "-npp", "1",
                        "-ntg", str(GENERATED_TOKENS), "-npl", _joined(batches),
                        "-c", str(self._workload.context), "--output-format", "jsonl"],
            "long": [program["llama-bench"], *common, "-p", str(LONG_PROMPT_TOKENS), "-n", "0",
                     "-r", "1", "-o", "json"]}

    def _read(self, work, output):
        if work == "start":
            return {}
        if work == "speed":
            return outputs.llama_bench(output)
        if work == "batches":
            return outputs.llama_batched_bench(output, BATCHES[1:])
        return {"prefill_long": outputs.llama_bench_prefill(output)}


def shown(command, model):
    """A command as a reader would type it: no folders of this machine."""
    words = [os.path.basename(command[0]),
             *("MODEL" if word == model else word for word in command[1:])]
    return shlex.join(words)


def narrower_isas(isa):
    """The sets that this machine offers beside its widest one."""
    return ISAS[ISAS.index(isa) + 1:] if isa in ISAS else ()
