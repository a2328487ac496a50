"""The models that are measured, and the files they lie in.

Models with made-up weights are written by `premise synth` into build/bench, beside a note of what
wrote them; another program or other options, and they are written anew. Speed depends on shapes and
types, hardly on values (docs/synthetic-models.md).
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import shutil

# Beside the files: what else writes to the disk while a run goes on.
DISK_RESERVE_BYTES = 10**9


class ModelUnusable(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Model:
    key: str
    title: str
    file_bytes: int                    # about; for the check of the disk and the estimate of time
    parameters: float                  # multiplied for each token of a prompt
    repetitions: int = 3               # within a process, after one that warms up
    synthetic: tuple[str, ...] = ()    # architecture, size, type; or a name of the store:
    stored: str = ""


KNOWN = (
    Model("gemma3-270m", "Gemma 3 270M, Q4_K_M (real weights)", 253_113_024, 0.10e9,
          stored="gemma3:270m-base"),
    Model("qwen2-0.5b-q8_0", "Qwen2.5 0.5B, Q8_0 (made-up weights)", 530_000_000, 0.36e9,
          synthetic=("qwen2", "0.5b", "q8_0")),
    Model("qwen2-1.5b-q4_k_m", "Qwen2.5 1.5B, Q4_K_M (made-up weights)", 990_000_000, 1.31e9,
          synthetic=("qwen2", "1.5b", "q4_k_m")),
    Model("qwen2-7b-q4_k_m", "Qwen2.5 7B, Q4_K_M (made-up weights)", 4_680_000_000, 6.53e9,
          repetitions=1, synthetic=("qwen2", "7b", "q4_k_m")),
)
QUICK = ("gemma3-270m", "qwen2-0.5b-q8_0")
# For trying the scripts; too small to say anything about either program.
TINY = Model("qwen2-tiny-q4_k_m", "a tiny Qwen2, Q4_K_M (made-up weights)", 3_600_000, 2e6,
             synthetic=("qwen2", "tiny", "q4_k_m"))
BY_KEY = {model.key: model for model in (*KNOWN, TINY)}


def chosen(words):
    """The models of a list of keys, files and names of the store, in that order, each once."""
    found = {}
    for word in words:
        if word in BY_KEY:
            found[word] = BY_KEY[word]
        elif pathlib.Path(word).is_file():
            size = pathlib.Path(word).stat().st_size
            found[word] = Model(word, pathlib.Path(word).name, size, size / 0.6)
        elif ":" in word:
            found[word] = Model(word, word, 0, 1e9, stored=word)
        else:
            raise ModelUnusable(f"no model {word!r}: neither a file, nor a name of the store such "
                                f"as {KNOWN[0].stored}, nor one of {', '.join(BY_KEY)}")
    if not found:
        raise ModelUnusable("no model was chosen")
    return list(found.values())


def recipe(program, model):
    """What decides the bytes of a synthetic file: the program, whole, and the options."""
    digest = hashlib.sha256()
    with open(program, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"program": digest.hexdigest(), "options": list(model.synthetic)}


def synth_words(model, file):
    architecture, size, kind = model.synthetic
    return ["synth", "--arch", architecture, "--size", size, "--type", kind, "--force",
            "-o", str(file)]


def is_current(file, wanted):
    """True where the note beside the file tells of this recipe and of a file of this length."""
    try:
        note = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        return note == {**wanted, "bytes": file.stat().st_size}
    except (OSError, ValueError):
        return False


def check_disk(folder, models, missing, cache_folder):
    """Room for the files still to be written, and for the packed copies that Premise keeps."""
    wanted = {}
    for place, needed in ((folder, sum(model.file_bytes for model in missing)),
                          (cache_folder, sum(model.file_bytes for model in models))):
        while not place.exists():
            place = place.parent
        device = place.stat().st_dev
        known = wanted.setdefault(device, [place, DISK_RESERVE_BYTES])
        known[1] += needed
    for place, needed in wanted.values():
        free = shutil.disk_usage(place).free
        if free < needed:
            raise ModelUnusable(
                f"{place}: {free / 1e9:.1f} GB are free, {needed / 1e9:.1f} GB may be needed for "
                "models and their packed copies; choose fewer with --models, or make room")


def home():
    """Where Premise keeps packed weights, as far as a check of the disk needs to know."""
    named = os.environ.get("PREMISE_HOME")
    return pathlib.Path(named) if named else pathlib.Path.home()


def prepare(models, folder, program, run, say):
    """Writes the synthetic files that are missing or outdated; {key: file}. `run` takes the words
    of a command of Premise."""
    files = {model.key: folder / f"{model.key}.gguf" for model in models if model.synthetic}
    recipes = {model.key: recipe(program, model) for model in models if model.synthetic}
    missing = [model for model in models
               if model.synthetic and not is_current(files[model.key], recipes[model.key])]
    check_disk(folder, models, missing, home())
    folder.mkdir(parents=True, exist_ok=True)
    for model in missing:
        file, note = files[model.key], files[model.key].with_suffix(".json")
        note.unlink(missing_ok=True)
        if file.exists():  # or each writing would leave a packed copy behind
            run("cache", "clear", str(file))
        say(f"writing {file.name}, {model.file_bytes / 1e9:.2f} GB")
        run(*synth_words(model, file))
        note.write_text(json.dumps({**recipes[model.key], "bytes": file.stat().st_size}),
                        encoding="utf-8")
    return files
