"""The machine: what it is, and whether it is quiet enough for measuring.

Quiet is asked twice. Before the first round the load average must be low; during the rounds the
processor time that others took is the kernel's total less what this script and its children used.
A program that waits by spinning loses far more to a neighbour than one that sleeps, so a busy
machine does not slow both sides alike: its ratios are no evidence.
"""

import dataclasses
import os
import time

QUIET_LOAD = 0.7
# Cores that others, of this machine or of its hypervisor, may take on average during a round: a
# twentieth of the smallest machine in mind, above what timer ticks miscount.
QUIET_TAKEN_CORES = 0.1

_SHOWN_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")


def processors(cpuinfo):
    """A dictionary for each logical processor of /proc/cpuinfo."""
    found = []
    for block in cpuinfo.split("\n\n"):
        fields = dict(line.split(":", 1) for line in block.splitlines() if ":" in line)
        fields = {key.strip(): value.strip() for key, value in fields.items()}
        if "processor" in fields:
            found.append(fields)
    return found


def physical_cores(cpuinfo, allowed):
    """Cores behind the logical processors that may be used; each its own where the kernel says
    nothing about cores."""
    return len({(cpu.get("physical id"), cpu.get("core id", cpu["processor"]))
                for cpu in processors(cpuinfo) if int(cpu["processor"]) in allowed}) or 1


@dataclasses.dataclass(frozen=True)
class Machine:
    cpu: str
    logical_cpus: int
    cores: int
    memory_bytes: int
    flags: tuple[str, ...]
    system: str


def _read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _field(text, name, separator):
    for line in text.splitlines():
        key, found, value = line.partition(separator)
        if found and key.strip() == name:
            return value.strip().strip('"')
    return None


def describe():
    cpuinfo = _read("/proc/cpuinfo")
    allowed = os.sched_getaffinity(0)
    listed = processors(cpuinfo)
    flags = (listed[0].get("flags", "") if listed else "").split()
    memory = _field(_read("/proc/meminfo"), "MemTotal", ":") or "0 kB"
    system = _field(_read("/etc/os-release"), "PRETTY_NAME", "=")
    return Machine(
        cpu=(listed[0].get("model name") if listed else None) or "unknown processor",
        logical_cpus=len(allowed),
        cores=physical_cores(cpuinfo, allowed),
        memory_bytes=int(memory.split()[0]) * 1024,
        flags=tuple(flag for flag in _SHOWN_FLAGS if flag in flags),
        system=system or "Linux")


def wait_until_quiet(limit_seconds, say):
    """The load average of the last minute, once it is below QUIET_LOAD or patience ends."""
    end = time.monotonic() + limit_seconds
    load = os.getloadavg()[0]
    if load >= QUIET_LOAD:
        say(f"load average {load:.2f}: waiting up to {limit_seconds:.0f} s for it to fall below "
            f"{QUIET_LOAD}")
    while load >= QUIET_LOAD and time.monotonic() < end:
        time.sleep(min(5.0, max(0.0, end - time.monotonic())))
        load = os.getloadavg()[0]
    return load


@dataclasses.dataclass(frozen=True)
class ProcessorTime:
    busy: float    # seconds that processors worked, for anyone
    stolen: float  # seconds that the hypervisor gave to other machines
    own: float     # of these, seconds of this script and the children it has collected
    wall: float


def parse_stat(text, ticks_per_second):
    """(busy, stolen) seconds from the first line of /proc/stat (proc(5))."""
    words = text.splitlines()[0].split()
    if words[0] != "cpu" or len(words) < 9:
        raise ValueError("/proc/stat does not begin with the sum over processors")
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(word) for word in words[1:9])
    return (user + nice + system + irq + softirq) / ticks_per_second, steal / ticks_per_second


def processor_time():
    busy, stolen = parse_stat(_read("/proc/stat"), os.sysconf("SC_CLK_TCK"))
    times = os.times()
    return ProcessorTime(busy, stolen, sum(times[:4]), time.monotonic())


def is_quiet(load, disturbances):
    """Of the load average before the first round, and what others took in each."""
    return load < QUIET_LOAD and all(foreign + stolen <= QUIET_TAKEN_CORES
                                     for foreign, stolen in disturbances)


def disturbance(before, after):
    """(cores that others used, cores that were stolen), on average between two readings."""
    wall = max(after.wall - before.wall, 1e-9)
    foreign = (after.busy - before.busy) - (after.own - before.own)
    return max(0.0, foreign / wall), max(0.0, (after.stolen - before.stolen) / wall)
