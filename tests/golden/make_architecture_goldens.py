#!/usr/bin/env python3
"""Records what transformers answers for tiny random models of every architecture.

    make_architecture_goldens.py [FOLDER]      default: tests/golden/architectures beside this file

Needs the packages of tests/conformance/requirements.txt. For every case of tiny_models.py one GGUF
file NAME.gguf: the model's own metadata, the recipe of its weights (golden.tensor.*: weights are
computed from names, see tiny_models.py), the token sequence, and what transformers gives for it in
F32: logits of some positions, sum and Euclidean norm of the logits of all; and the same logits where
keys and values were rounded to F16, as in the CPU backend's cache. The file ropes.gguf holds
rotary frequencies of transformers' ROPE_INIT_FUNCTIONS under the keys that a model would have.

Recording is deterministic; logits may differ in the last bits between machines.
"""
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

import tiny_models
from tiny_models import CASES, LONGROPE, rope

# The first, two around the window's edge, two around a cache block's, the last.
RECORDED_POSITIONS = [0, tiny_models.WINDOW - 1, tiny_models.WINDOW, 32, 65, tiny_models.TOKENS - 1]


def record_case(path, case):
    model, recipes, literals = tiny_models.build(case)
    tokens = tiny_models.tokens_of(case)
    logits = tiny_models.reference_logits(model, tokens)
    writer = gguf.GGUFWriter(str(path), case.architecture)
    tiny_models.write_metadata(writer, case, model.config)
    writer.add_array("golden.tensor.names", [r.name for r in recipes])
    writer.add_array("golden.tensor.rows", [r.shape[0] if len(r.shape) == 2 else 0
                                            for r in recipes])
    writer.add_array("golden.tensor.columns", [r.shape[-1] for r in recipes])
    writer.add_array("golden.tensor.centers", [float(r.center) for r in recipes])
    writer.add_array("golden.tensor.amplitudes", [float(r.amplitude) for r in recipes])
    writer.add_array("golden.tokens", tokens)
    writer.add_array("golden.positions", RECORDED_POSITIONS)
    for name, values in literals.items():
        writer.add_tensor(name, values)
    with tiny_models.f16_cache(model):
        rounded = tiny_models.reference_logits(model, tokens)
    writer.add_tensor("golden.logits", np.ascontiguousarray(logits[RECORDED_POSITIONS]))
    writer.add_tensor("golden.logits_f16_cache",
                      np.ascontiguousarray(rounded[RECORDED_POSITIONS]))
    wide = logits.astype(np.float64)
    writer.add_tensor("golden.sums", wide.sum(axis=1).astype(np.float32))
    writer.add_tensor("golden.norms", np.sqrt((wide * wide).sum(axis=1)).astype(np.float32))
    tiny_models.finish(writer)
    print(f"{path.name}: {path.stat().st_size} bytes, std of logits {logits.std():.3f}")


ROPES = {  # name: (head_dim, context length, rope_parameters)
    "plain": (64, 2048, rope("default")),
    "linear": (64, 2048, rope("linear", factor=4.0)),
    "yarn": (64, 8192, rope("yarn", factor=4.0, original_max_position_embeddings=2048)),
    "yarn_betas": (128, 131072, rope("yarn", rope_theta=1000000.0, factor=4.0, beta_fast=16.0,
                                     beta_slow=2.0, original_max_position_embeddings=32768)),
    "llama3": (128, 131072, rope("llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0,
                                 high_freq_factor=4.0, original_max_position_embeddings=8192)),
    "longrope": (32, 131072, {**rope("longrope"), **LONGROPE,
                              "original_max_position_embeddings": 4096}),
}


def frequencies_of(config, sequence_length):
    kind = config.rope_parameters["rope_type"]
    if kind == "default":
        return tiny_models.transformers.models.llama.modeling_llama.LlamaRotaryEmbedding(
            config).inv_freq, 1.0
    return ROPE_INIT_FUNCTIONS[kind](config, torch.device("cpu"), seq_len=sequence_length)


def record_ropes(path):
    """Each name is a prefix, as an architecture's would be: "yarn.rope.scaling.factor"."""
    writer = gguf.GGUFWriter(str(path), "ropes")
    writer.add_array("golden.names", list(ROPES))
    for name, (head_dim, context, parameters) in ROPES.items():
        config = transformers.LlamaConfig(
            hidden_size=4 * head_dim, num_attention_heads=4, head_dim=head_dim,
            max_position_embeddings=context, rope_parameters=parameters)
        writer.arch = name
        writer.add_rope_dimension_count(head_dim)
        writer.add_rope_freq_base(parameters["rope_theta"])
        tiny_models.write_scaling(writer, parameters)
        for length, suffix in ((1, ""), (context, ".long")):
            frequencies, magnitude = frequencies_of(config, length)
            writer.add_tensor(f"{name}.frequencies{suffix}", frequencies.numpy())
        writer.add_float32(f"{name}.golden.magnitude", magnitude)
        for tensor, values in tiny_models.frequency_factors(config).items():
            writer.add_tensor(f"{name}.{tensor}", values)
    tiny_models.finish(writer)
    print(f"{path.name}: {path.stat().st_size} bytes")


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "architectures"
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name, case in CASES.items():
        record_case(folder / f"{name}.gguf", case)
    record_ropes(folder / "ropes.gguf")


if __name__ == "__main__":
    main()
