#!/usr/bin/env python3
"""Records what other people's code says about GGUF block formats and 16-bit floats.

    make_quant_goldens.py OUTPUT_FOLDER [libggml-base.so]     (needs gguf, numpy, torch)

Writes, all numbers little-endian:
  decode_<type>.bin   u32 count, block bytes, block elements; the blocks; their values (f32),
                      by gguf.quants.dequantize. Edge blocks first, then random valid ones.
  encode_input.bin    f32 values, in blocks of 32: edge blocks, then random ones
  encode_<type>.bin   the blocks that gguf.quants.quantize makes of them
  quality_input.bin   f16 values, rows of 256, distributed as weights are and worse
  quality_ggml.txt    what ggml's own encoders make of them: type, RMS error ÷ RMS of the input
                      (only where the library of llama.cpp is given)
  half.bin            u32 count; f32 bit patterns (u32); their f16 (u16, numpy), bf16 (u16, torch)
"""
import ctypes
import pathlib
import struct
import sys

import numpy as np
import torch
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize, quantize

# Byte offsets of the f16 factors within a block.
FACTORS = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.IQ4_NL: [0],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_XS: [0],
}
ENCODED = [T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0]
# 0, -0, least denormal, greatest denormal, least normal, 1, -1, largest, negative denormal
EDGE_FACTORS = [0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x3C00, 0xBC00, 0x7BFF, 0x8123]


def factor_patterns(rng, count):
    """f16 bit patterns: half of them as in real weights, half any finite pattern."""
    usual = (rng.standard_normal(count) * 0.02).astype(np.float16).view(np.uint16)
    finite = rng.integers(0, 0x7C00, count).astype(np.uint16)
    finite |= (rng.integers(0, 2, count) << 15).astype(np.uint16)
    return np.where(rng.random(count) < 0.5, usual, finite)


def decode_blocks(kind, rng):
    elements, size = GGML_QUANT_SIZES[kind]
    count = 64 if elements == 32 else 24
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    blocks[0], blocks[1] = 0x00, 0xFF  # extreme codes and scales; their factors follow
    for offset in FACTORS[kind]:
        factors = factor_patterns(rng, count)
        factors[: len(EDGE_FACTORS)] = np.roll(EDGE_FACTORS, offset // 2)
        factors[1] = 0x2E66
        blocks[:, offset : offset + 2] = factors.astype("<u2").view(np.uint8).reshape(count, 2)
    return blocks


def write_decode(folder, kind, rng):
    elements, size = GGML_QUANT_SIZES[kind]
    blocks = decode_blocks(kind, rng)
    values = dequantize(blocks, kind).astype("<f4")
    assert values.size == len(blocks) * elements and np.isfinite(values).all()
    header = struct.pack("<III", len(blocks), size, elements)
    path = folder / f"decode_{kind.name.lower()}.bin"
    path.write_bytes(header + blocks.tobytes() + values.tobytes())


def encode_input(rng):
    rows = [np.zeros(32), np.full(32, 0.37), np.full(32, -0.37), np.linspace(-1, 1, 32),
            np.linspace(0, 1, 32), np.linspace(-1, 0, 32), np.arange(32) - 16.0,
            np.eye(32)[5], -np.eye(32)[31], np.linspace(-1e-7, 1e-7, 32),
            np.linspace(-6e4, 6e4, 32)]
    rows += [rng.standard_normal(32) * scale for scale in np.geomspace(1e-4, 10, 26)]
    rows += [rng.laplace(size=32) * 0.02 for _ in range(26)]
    return np.array(rows, dtype="<f4")


def quality_input(rng):
    rows = [rng.standard_normal(256) * 0.02 for _ in range(12)]
    rows += [rng.laplace(size=256) * 0.02 for _ in range(8)]
    rows += [rng.standard_t(4, 256) * 0.01 for _ in range(6)]
    rows += [rng.standard_normal(256) * 0.02 + 0.03 for _ in range(3)]
    rows += [rng.uniform(-0.05, 0.05, 256) for _ in range(3)]
    return np.array(rows).astype("<f2")


def ggml_errors(library, rows):
    """Relative RMS error of ggml_quantize_chunk without an importance matrix, by type."""
    ggml = ctypes.CDLL(library)
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [
        ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64,
        ctypes.c_int64, ctypes.c_void_p]
    values = np.ascontiguousarray(rows, dtype=np.float32)
    for kind in FACTORS:
        elements, size = GGML_QUANT_SIZES[kind]
        encoded = np.zeros(values.size // elements * size, dtype=np.uint8)
        written = ggml.ggml_quantize_chunk(int(kind), values.ctypes.data, encoded.ctypes.data, 0,
                                           len(values), values.shape[1], None)
        assert written == encoded.size
        decoded = dequantize(encoded.reshape(-1, size), kind).reshape(values.shape)
        miss = (decoded - values).astype(np.float64)
        relative = np.sqrt((miss**2).sum() / (values.astype(np.float64) ** 2).sum())
        yield f"{kind.name.lower()} {relative:.6f}"


def half_cases(rng):
    halves = rng.integers(0, 0x7C00, 300).astype(np.uint16).view(np.float16).astype(np.float32)
    above = np.nextafter(halves.astype(np.float16), np.float16(np.inf)).astype(np.float64)
    middle = ((halves.astype(np.float64) + np.minimum(above, 65536.0)) / 2).astype(np.float32)
    edges = np.array([0.0, -0.0, 65504, 65519.99, 65520, 65536, 1e30, np.inf, -np.inf, 2**-14,
                      2**-24, 2**-25, 1.0000001 * 2**-25, 2**-26, 1e-45, 1e-38, 3.4028235e38,
                      3.3961775e38, 3.3895314e38, 1.00390625, 1.01171875], dtype=np.float32)
    any_bits = rng.integers(0, 2**32, 700, dtype=np.uint64).astype(np.uint32).view(np.float32)
    near = np.concatenate([np.nextafter(middle, np.float32(0)), middle,
                           np.nextafter(middle, np.float32(np.inf))])
    ties = (rng.integers(0, 2**16, 200).astype(np.uint32) << 16 | 0x8000).view(np.float32)
    cases = np.concatenate([edges, near, -near[:300], any_bits, ties]).astype("<f4")
    return cases[~np.isnan(cases)]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20240613)
    for kind in FACTORS:
        write_decode(folder, kind, rng)
    rows = encode_input(rng)
    (folder / "encode_input.bin").write_bytes(rows.tobytes())
    for kind in ENCODED:
        blocks = quantize(rows, kind)
        (folder / f"encode_{kind.name.lower()}.bin").write_bytes(blocks.tobytes())
    quality = quality_input(rng)
    (folder / "quality_input.bin").write_bytes(quality.tobytes())
    if len(sys.argv) > 2:
        lines = ggml_errors(sys.argv[2], quality)
        (folder / "quality_ggml.txt").write_text("\n".join(lines) + "\n")
    cases = half_cases(rng)
    with np.errstate(over="ignore"):
        f16 = cases.astype(np.float16).astype("<f2")
    bf16 = torch.from_numpy(cases).to(torch.bfloat16).view(torch.int16).numpy().astype("<i2")
    header = struct.pack("<I", len(cases))
    (folder / "half.bin").write_bytes(header + cases.tobytes() + f16.tobytes() + bf16.tobytes())


if __name__ == "__main__":
    main()
