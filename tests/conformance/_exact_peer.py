"""llama.cpp built to compute without its shortcuts, from the source package of llama-cpp-python.

The builds that people download round activations to 8 bits before they multiply with quantized
weights, and look gelu up in a table of F16 values. Both cost more than what is to be compared here:
up to 1.2 % of perplexity and 1.7e-3 of a logit's spread, as a comparison of llama.cpp with
transformers in F32 shows. The program has a switch against each: the BLAS backend decodes weights to
F32 and multiplies in F32 (batches of 32 tokens and more), and GGML_GELU_FP16 is a definition in
ggml-cpu/vec.h. Nothing else is changed. Compiling takes some ten minutes on two cores, once.
"""
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

PACKAGE, VERSION = "llama-cpp-python", "0.3.36"
SWITCH = "#define GGML_GELU_FP16\n"
CACHE = Path(__file__).resolve().parents[2] / "build" / "conformance"


def source_package(cache=CACHE):
    """The source archive, downloaded once from the index that pip is configured for."""
    cache.mkdir(parents=True, exist_ok=True)
    name = f"{PACKAGE.replace('-', '_')}-{VERSION}.tar.gz"
    if not (cache / name).exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                        "--no-binary", PACKAGE, "--dest", str(cache), f"{PACKAGE}=={VERSION}"],
                       check=True)
    return cache / name


def unpack(archive, into):
    """vendor/llama.cpp of the archive, with gelu computed instead of looked up."""
    prefix = f"{archive.name.removesuffix('.tar.gz')}/vendor/llama.cpp/"
    with tarfile.open(archive) as tar:
        members = [m for m in tar if m.name.startswith(prefix) and (m.isfile() or m.isdir())]
        for member in members:
            member.name = member.name[len(prefix):] or "."
        tar.extractall(into, members, filter="data")
    header = into / "ggml" / "src" / "ggml-cpu" / "vec.h"
    text = header.read_text()
    if SWITCH not in text:
        raise RuntimeError(f"{header}: no {SWITCH.strip()} in it")
    header.write_text(text.replace(SWITCH, ""))


def build(cache=CACHE):
    """The folder with libllama.so and llama-perplexity; builds them first where they lack."""
    done = cache / f"exact-llama.cpp-{VERSION}"
    if done.is_dir():
        return done / "bin"
    print("building llama.cpp without its shortcuts: some ten minutes, once", flush=True)
    work = cache / "exact-llama.cpp.partial"
    shutil.rmtree(work, ignore_errors=True)
    unpack(source_package(cache), work / "source")
    off = [f"-D{name}=OFF" for name in ("LLAMA_CURL", "LLAMA_OPENSSL", "LLAMA_BUILD_TESTS",
                                        "LLAMA_BUILD_SERVER", "LLAMA_BUILD_EXAMPLES")]
    commands = [["cmake", "-S", "source", "-B", ".", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                 "-DBUILD_SHARED_LIBS=ON", "-DGGML_NATIVE=ON", "-DGGML_BLAS=ON",
                 "-DGGML_BLAS_VENDOR=OpenBLAS", "-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON",
                 "-DCMAKE_INSTALL_RPATH=$ORIGIN", *off],
                ["cmake", "--build", ".", "-j", str(len(os.sched_getaffinity(0))),
                 "--target", "llama", "llama-perplexity"]]
    with open(cache / "exact-llama.cpp.log", "w") as log:
        for command in commands:
            if subprocess.run(command, cwd=work, stdout=log, stderr=log).returncode != 0:
                raise RuntimeError(f"llama.cpp does not build: see {log.name}")
    work.rename(done)
    return done / "bin"
