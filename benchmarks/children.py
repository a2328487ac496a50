"""Runs one program at a time and says how long it took and how much memory it needed.

Each child leads a process group of its own: Ctrl-C reaches this script alone, which then ends the
whole group, so that nothing goes on computing behind the prompt. Output goes to files and not to
pipes: nobody then has to read along while the clock runs.
"""

import contextlib
import dataclasses
import os
import signal
import subprocess
import tempfile
import time

GRACE_SECONDS = 5.0


class ChildFailed(Exception):
    pass


class _LimitReached(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Run:
    output: str
    wall_seconds: float  # from before the process is made until it has been collected
    peak_bytes: int      # greatest resident memory, file mappings included


def interrupt_on_termination():
    """SIGTERM and SIGHUP end this script as Ctrl-C does: children first."""
    def interrupt(_number, _frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)


@contextlib.contextmanager
def _time_limit(seconds):
    def stop(_number, _frame):
        raise _LimitReached
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _end(process):
    """Asks the child's group to stop, and after GRACE_SECONDS makes it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _tail(file, lines=15):
    file.seek(0)
    return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def run(command, environment, limit_seconds, show_errors=False, good=(0,)):
    """Raises ChildFailed, with the end of what the program said, unless it exits in time with a
    `good` status.

    With show_errors the user sees its standard error: a progress bar, say.
    """
    name = os.path.basename(command[0])
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        try:
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=None if show_errors else errors,
                                       start_new_session=True)
        except OSError as error:
            raise ChildFailed(f"{name}: cannot be started: {error.strerror}") from error
        try:
            with _time_limit(limit_seconds):
                _, status, usage = os.wait4(process.pid, 0)
            wall_seconds = time.perf_counter() - begin
        except _LimitReached:
            _end(process)
            raise ChildFailed(f"{name}: not done after {limit_seconds:.0f} s") from None
        except BaseException:
            _end(process)
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in good:
            said = _tail(errors) or _tail(output)
            raise ChildFailed(f"{name}: exit status {process.returncode}\n{said}".rstrip())
        output.seek(0)
        return Run(output.read().decode(errors="replace"), wall_seconds, usage.ru_maxrss * 1024)
