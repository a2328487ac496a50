"""The rounds of one model after another, and how long they will take.

An estimate stands before the first round: work ÷ what two cores of a server did. As rounds are
done it is replaced by what this machine needed, scaled for the models to come.
"""

import time

import figures
import machine

# For two threads: parameters × prompt tokens a second, parameters × batched tokens a second, and
# bytes read a second, of llama.cpp without AMX; Premise was at half of its seconds or below.
PROMPT_RATE = 250e9
BATCH_RATE = 150e9
BYTE_RATE = 33e9
LONG_SLOWER = 1.4  # what attention adds over 8,192 tokens
PREMISE_SHARE = 0.6
START_SECONDS = 2.0
RATED_THREADS = 2


def round_seconds(model, threads, long):
    """Of llama.cpp for all works, once. Each is run once more than it is counted, to warm up."""
    runs = model.repetitions + 1
    speed_up = threads / RATED_THREADS
    prompts = figures.PROMPT_TOKENS * runs
    if long:
        prompts += 2 * LONG_SLOWER * figures.LONG_PROMPT_TOKENS
    batched = sum(figures.BATCHES[1:]) * figures.GENERATED_TOKENS * model.repetitions
    compute = model.parameters * (prompts / PROMPT_RATE + batched / BATCH_RATE) / speed_up
    reading = model.file_bytes * figures.GENERATED_TOKENS * runs / BYTE_RATE
    loading = 4 * model.file_bytes / 1e9
    return compute + reading + loading + START_SECONDS


def speed_seconds(model, threads):
    """Of a program that is shown beside, for the one work it does."""
    runs = model.repetitions + 1
    return (model.parameters * figures.PROMPT_TOKENS * runs / PROMPT_RATE * RATED_THREADS / threads
            + model.file_bytes * figures.GENERATED_TOKENS * runs / BYTE_RATE + START_SECONDS)


def duration(seconds):
    """As people say it: 50 s, 12 min, 2 h 05 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


class Clock:
    """Seconds left, corrected by how the estimate of the rounds done so far was."""

    def __init__(self, estimates, now=time.monotonic):
        self._estimates = list(estimates)  # of each round of each model, in order
        self._total = sum(self._estimates)
        self._done = 0.0
        self._now = now
        self._spent = 0.0
        self._begin = now()

    def start_round(self):
        self._begin = self._now()

    def end_round(self):
        self._spent += self._now() - self._begin
        self._done += self._estimates.pop(0)

    def left(self):
        scale = self._spent / self._done if self._done else 1.0
        return (self._total - self._done) * scale


def estimates(model_list, threads, rounds, long_rounds):
    """Of each round of each model."""
    return [round_seconds(model, threads, index < long_rounds) * (1 + PREMISE_SHARE)
            + speed_seconds(model, threads)
            for model in model_list for index in range(rounds)]


def _progress(program, found):
    words = [f"    {program.name:24}"]
    for key, name in (("prefill", "prefill"), ("prefill_long", "long"), ("decode_1", "decode x1"),
                      *((f"decode_{batch}", f"x{batch}") for batch in figures.BATCHES[1:])):
        if key in found:
            words.append(f"{name} {found[key]:.1f}")
    return "   ".join(words)


def measure(programs, rounds, long_rounds, clock, say):
    """(results, disturbance of each round): {program: {metric key: values by round}}. Every other
    round runs backwards, so that nobody always follows the same neighbour."""
    results = {program.name: {} for program in programs}
    disturbances = []
    for index in range(rounds):
        clock.start_round()
        before = machine.processor_time()
        for program in programs if index % 2 == 0 else reversed(programs):
            found = program.round(long=index < long_rounds)
            for key, value in found.items():
                results[program.name].setdefault(key, []).append(value)
            say(_progress(program, found))
        disturbances.append(machine.disturbance(before, machine.processor_time()))
        clock.end_round()
        say(f"  round {index + 1} of {rounds} done; about {duration(clock.left())} left in all")
    return results, disturbances
