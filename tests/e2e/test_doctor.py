"""premise doctor from outside: exit codes, streams, recordings, both languages, a terminal.

This machine's own state is nobody's to rely on, so that verdicts are checked on the machines of
tests/machines; of this one only what it must agree with: /proc, sysfs, df.
"""

import json
import os
import pathlib
import pty
import re
import shutil
import stat
import subprocess
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))
MACHINES = ROOT / "tests/machines"
NOBODY = 65534


def doctor(*arguments, timeout=60, **variables):
    environment = {"PATH": os.environ["PATH"], "LANG": "C", "HOME": "/nonexistent",
                   "PREMISE_HOME": "/nonexistent/store", **variables}
    return subprocess.run([PROGRAM, "doctor", *map(str, arguments)], env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)


def findings(result):
    document = json.loads(result.stdout)
    return {finding["id"]: finding for finding in document["findings"]}


@pytest.fixture(scope="session")
def quick():
    result = doctor("--quick", "--json")
    assert result.returncode in (0, 1), result.stderr
    return findings(result)


# The contract


@pytest.mark.parametrize("machine, plain, strict", [
    ("bare-cpu-server", 0, 0), ("amx-server-quota", 0, 1), ("centos8", 1, 1), ("container", 1, 1)])
def test_exit_code_is_the_answer(machine, plain, strict):
    assert doctor("--probe-root", MACHINES / machine).returncode == plain
    assert doctor("--probe-root", MACHINES / machine, "--strict").returncode == strict


def test_json_is_one_document_with_the_promised_fields():
    result = doctor("--probe-root", MACHINES / "centos8", "--json")
    document = json.loads(result.stdout)
    assert result.stderr == b""
    for finding in document["findings"]:
        assert set(finding) == {"id", "area", "status", "value", "why", "fix"}
        assert finding["status"] in ("ok", "info", "warning", "failure")
        assert finding["area"] == finding["id"].split(".")[0]
        assert finding["why"]
        assert finding["fix"] or finding["status"] in ("ok", "info")
    assert document["measured"]["store_read_bytes_per_second"] == 1.6e8
    assert document["measured"]["int8_ops_per_second"] is None


def test_both_languages_say_the_same_with_the_same_ids():
    english = findings(doctor("--probe-root", MACHINES / "centos8", "--json"))
    chinese = findings(doctor("--probe-root", MACHINES / "centos8", "--json", "--lang", "zh"))
    assert english.keys() == chinese.keys()
    for name, finding in chinese.items():
        assert finding["status"] == english[name]["status"]
        if finding["status"] in ("warning", "failure"):
            assert re.search("[一-鿿]", finding["why"]), name
        assert not re.search("[一-鿿]", english[name]["why"]), name


@pytest.mark.parametrize("arguments", [
    ("--probe-root", "x", "--record", "y"), ("--probe-root", "x", "--quick"), ("--nonsense",),
    ("extra",)])
def test_wrong_usage_is_2(arguments):
    result = doctor(*arguments)
    assert result.returncode == 2, result.stderr
    assert result.stdout == b""


# Recordings


@pytest.mark.parametrize("damage", ["no folder", "empty", "cut", "other type", "measured"])
def test_a_damaged_recording_is_3_and_names_the_file(tmp_path, damage):
    folder = tmp_path / "machine"
    if damage != "no folder":
        folder.mkdir()
    if damage in ("cut", "other type", "measured"):
        whole = (MACHINES / "centos8/machine.json").read_bytes()
        (folder / "machine.json").write_bytes(
            {"cut": whole[:500], "other type": b'{"format": 1, "environment": []}',
             "measured": whole}[damage])
    if damage == "measured":
        (folder / "measured.json").write_text('{"int8_by_isa": 1}')
    result = doctor("--probe-root", folder, "--json")
    assert result.returncode == 3, result.stderr
    assert str(folder).encode() in result.stderr
    assert result.stdout == b""


def test_a_recording_examined_again_says_what_the_machine_said(tmp_path):
    live = doctor("--quick", "--json", "--record", tmp_path / "here")
    again = doctor("--probe-root", tmp_path / "here", "--json")
    original, replayed = findings(live), findings(again)
    # What is not in a quick recording cannot be said again; what is said twice is the same.
    for name, finding in original.items():
        assert replayed[name]["status"] == finding["status"], name
    assert "recorded in" in live.stderr.decode()


def test_a_recording_holds_no_private_data(tmp_path):
    doctor("--quick", "--record", tmp_path / "here", PREMISE_HOME=str(tmp_path / "store"))
    written = b"".join(path.read_bytes() for path in (tmp_path / "here").rglob("*")
                       if path.is_file())
    for card in pathlib.Path("/sys/class/net").glob("*/address"):
        address = card.read_text().strip()
        if address and address != "00:00:00:00:00:00":
            assert address.encode() not in written
    machine_id = pathlib.Path("/etc/machine-id")
    if machine_id.is_file() and machine_id.read_text().strip():
        assert machine_id.read_text().strip().encode() not in written


def test_a_recording_does_not_overwrite(tmp_path):
    (tmp_path / "precious").write_text("x")
    assert doctor("--quick", "--record", tmp_path).returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


# This machine


def test_agrees_with_what_linux_says_of_this_machine(quick):
    total = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)
    assert quick["memory.size"]["value"] == int(total) * 1024
    info = pathlib.Path("/proc/cpuinfo").read_text()
    assert quick["cpu.model"]["value"] == re.search(r"model name\s*: (.*)", info).group(1).strip()
    flags = re.search(r"^flags\s*: (.*)", info, re.M).group(1).split()
    assert quick["cpu.avx2"]["value"] == ("avx2" in flags)
    assert bool(quick["cpu.avx512"]["value"]) == ("avx512f" in flags)
    assert quick["os.kernel"]["value"] == os.uname().release
    threads = re.search(r", threads: (\d+),", quick["cpu.cores"]["why"]).group(1)
    assert int(threads) == os.sysconf("SC_NPROCESSORS_ONLN")


def told_by(*command):
    """What a tool of Linux prints; a machine without the tool, or on which it cannot see (a chroot
    without /sys), skips."""
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    told = subprocess.run(command, env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                          capture_output=True, text=True)
    if told.returncode != 0:
        pytest.skip(f"{command[0]} itself fails here: {told.stderr.strip()}")
    return told.stdout


def test_agrees_with_lscpu(quick):
    told = {entry["field"].rstrip(":"): entry["data"]
            for entry in json.loads(told_by("lscpu", "-J"))["lscpu"]}
    assert quick["cpu.model"]["value"] == told["Model name"]
    numbers = [int(number) for number in re.findall(r"\d+", quick["cpu.cores"]["why"])[:3]]
    sockets = int(told["Socket(s)"])
    cores = int(told["Core(s) per socket"]) * sockets
    assert numbers == [cores, cores * int(told["Thread(s) per core"]), sockets]
    caches = json.loads(told_by("lscpu", "-J", "-B", "-C=NAME,ALL-SIZE"))["caches"]
    shown = quick["cpu.cache"]["why"]
    assert len(caches) == (shown.count(",") + 1 if quick["cpu.cache"]["value"] else 0)
    for cache in caches:
        size, unit = re.search(cache["name"] + r" ([\d.]+) (KiB|MiB)", shown).groups()
        assert float(size) * {"KiB": 1 << 10, "MiB": 1 << 20}[unit] == pytest.approx(
            int(cache["all-size"]), rel=1e-3)
    hypervisor = told.get("Hypervisor vendor")
    assert (quick["os.hypervisor"]["why"] == "not in a virtual machine") == (hypervisor is None)
    for nodes in re.findall(r"(\d+) NUMA nodes", quick["cpu.numa"]["why"]):
        assert nodes == told["NUMA node(s)"]


def test_agrees_with_lsblk(quick):
    told = json.loads(told_by("lsblk", "-J", "-b", "-d", "-o", "NAME,SIZE,TYPE,ROTA"))
    disks = {disk["name"]: int(disk["size"]) for disk in told["blockdevices"]
             if disk["type"] == "disk" and int(disk["size"]) > 0
             and not disk["name"].startswith(("zram", "ram", "loop", "nbd"))}
    found = dict(re.findall(r"(\S+?):\w+:(\d+)", quick["storage.disks"]["value"] or ""))
    assert {name: int(size) for name, size in found.items()} == disks


def test_agrees_with_free(quick):
    lines = {line.split(":")[0]: [int(number) for number in line.split(":")[1].split()]
             for line in told_by("free", "-b").splitlines()[1:]}
    assert quick["memory.size"]["value"] == lines["Mem"][0]
    assert quick["memory.available"]["value"] == pytest.approx(lines["Mem"][-1], rel=0.2)
    assert quick["memory.swap"]["why"].startswith("no swap") == (lines["Swap"][0] == 0)


def test_agrees_with_ethtool(quick):
    links = [name for name in quick if name.startswith("network.link.")]
    for name in links:
        card = name.removeprefix("network.link.")
        driver = re.search(r"driver: (\S+)", told_by("ethtool", "-i", card)).group(1)
        speed = re.search(r"Speed: (\d+)Mb/s", told_by("ethtool", card))
        detected = re.search(r"Link detected: (yes|no)", told_by("ethtool", card)).group(1)
        assert f"({driver}" in quick[name]["why"] or f"{card}:" in quick[name]["why"]
        if speed and detected == "yes":
            assert quick[name]["value"] == int(speed.group(1)) * 10**6
        assert quick[name]["why"].endswith("down") == (detected == "no")
    if not links:
        pytest.skip("this machine has no link to other machines, ethtool nothing to show")


def test_free_space_is_that_of_the_store(tmp_path):
    found = findings(doctor("--quick", "--json", PREMISE_HOME=str(tmp_path / "store")))
    space = os.statvfs(tmp_path)
    assert abs(found["storage.free"]["value"] - space.f_bavail * space.f_frsize) < 2e9
    assert not (tmp_path / "store").exists()


def test_quick_takes_less_than_two_seconds_and_says_what_it_left_out():
    start = time.monotonic()
    result = doctor("--quick")
    assert time.monotonic() - start < 2
    assert b"left out by --quick" in result.stderr and b"measurements" in result.stderr


@pytest.mark.parametrize("locale", ["C", "zh_CN.UTF-8", "de_DE.UTF-8", "xx_YY.nonsense", ""])
def test_odd_locales_change_words_and_nothing_else(quick, locale):
    found = findings(doctor("--quick", "--json", LC_ALL=locale, LANG=locale))
    assert {name: f["status"] for name, f in found.items()} == {
        name: f["status"] for name, f in quick.items()}


def test_without_any_tool_in_the_path_there_are_findings_and_no_errors(tmp_path):
    result = doctor("--quick", "--json", PATH=str(tmp_path))
    assert result.returncode in (0, 1), result.stderr
    assert findings(result)["os.build_tools"]["status"] == "info"


def test_commands_that_hang_are_given_up_and_ended(tmp_path):
    for name in ("timedatectl", "g++", "make", "cmake", "git", "ldd", "nvidia-smi", "nvcc"):
        tool = tmp_path / name
        tool.write_text("#!/bin/sh\nsleep 3071 &\nexec sleep 3071\n")
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    result = doctor("--quick", "--json", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert result.returncode in (0, 1), result.stderr
    assert findings(result)["os.build_tools"]["status"] == "info"
    left = subprocess.run(["pgrep", "-f", "^sleep 3071$"], capture_output=True)
    assert left.stdout == b""


@pytest.fixture
def read_only_home():
    """A home that the returned user may read and not write: root writes everywhere, nobody not."""
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o555)
        yield home, (NOBODY if os.geteuid() == 0 else None)
        os.chmod(home, 0o755)


@pytest.mark.parametrize("command, code", [(("doctor", "--quick"), 1), (("doctor",), 1),
                                           (("plan", "--params", "7b"), 0)])
def test_a_home_that_cannot_be_written_is_said_with_a_remedy(read_only_home, command, code):
    home, user = read_only_home
    try:
        result = subprocess.run([PROGRAM, *command, "--json"], user=user, group=user,
                                env={"PATH": os.environ["PATH"], "HOME": home, "LANG": "C"},
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    except PermissionError:
        pytest.skip("the program lies in a folder that only root may enter")
    assert result.returncode == code, result.stderr
    document = json.loads(result.stdout)
    if command[0] == "doctor":
        found = findings(result)
        assert found["storage.writable"]["status"] == "failure"
        assert "PREMISE_HOME" in found["storage.writable"]["fix"]
        assert found["storage.read_rate"]["status"] == "info"
        assert document["measured"]["store_read_bytes_per_second"] is None
    assert os.listdir(home) == []


def test_measuring_ends_within_fifteen_seconds_and_leaves_nothing_behind(tmp_path):
    start = time.monotonic()
    result = doctor("--json", PREMISE_HOME=str(tmp_path))
    assert time.monotonic() - start < 15
    measured = json.loads(result.stdout)["measured"]
    assert 1e8 < measured["memory_read_bytes_per_second"] < 1e13
    assert measured["store_read_bytes_per_second"] > 1e6
    assert [rate["threads"] for rate in measured["memory_read_by_threads"]][0] == 1
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_gets_color_and_a_pipe_does_not():
    assert b"\x1b" not in doctor("--probe-root", MACHINES / "centos8").stdout
    shown = {}
    for name, variables in (("plain", {"NO_COLOR": "1"}), ("color", {})):
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [PROGRAM, "doctor", "--probe-root", str(MACHINES / "laptop-16gb")], stdout=slave,
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LANG": "C", "TERM": "xterm", **variables})
        os.close(slave)
        output = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            output += piece
        process.wait()
        os.close(master)
        shown[name] = output
    assert b"\x1b[33mwarning" in shown["color"]
    assert b"\x1b" not in shown["plain"]


def test_a_recording_may_be_copied_anywhere(tmp_path):
    shutil.copytree(MACHINES / "centos8", tmp_path / "copy")
    here = doctor("--probe-root", MACHINES / "centos8").stdout
    assert doctor("--probe-root", tmp_path / "copy").stdout == here
