#!/usr/bin/env python3
"""Records GGUF files and what the reference reader finds in them.

    python make_gguf_goldens.py OUTPUT_FOLDER        (needs the PyPI package gguf)

Files are written by gguf.GGUFWriter and read back by gguf.GGUFReader, which share no code with
Premise. Beside each NAME.gguf stands NAME.txt, one line a fact, fields separated by tabs:

    version  N
    meta     KEY  TYPE  VALUE     arrays: TYPE in brackets, elements separated by spaces
    tensor   NAME  TYPE  ROW,MAJOR,SHAPE  FILE_OFFSET  BYTES  FNV-1a-64 of the bytes

Floats are the bits of the double, strings UTF-8 with \\n, \\t, \\s (space) and \\\\ escaped.
Tensor bytes are random: a reader of the container must not care what they mean.
"""

import struct
import sys
from pathlib import Path

import gguf
import numpy as np

VALUE = gguf.GGUFValueType
NAMES = {VALUE.UINT8: "u8", VALUE.INT8: "i8", VALUE.UINT16: "u16", VALUE.INT16: "i16",
         VALUE.UINT32: "u32", VALUE.INT32: "i32", VALUE.FLOAT32: "f32", VALUE.BOOL: "bool",
         VALUE.STRING: "string", VALUE.UINT64: "u64", VALUE.INT64: "i64", VALUE.FLOAT64: "f64"}

# Extremes and values whose bytes differ from each other.
SAMPLES = {
    VALUE.UINT8: [0, 7, 255], VALUE.INT8: [-128, -1, 127],
    VALUE.UINT16: [0, 513, 65535], VALUE.INT16: [-32768, 258, 32767],
    VALUE.UINT32: [0, 67305985, 4294967295], VALUE.INT32: [-2147483648, 16909060, 2147483647],
    VALUE.UINT64: [0, 72623859790382856, 18446744073709551615],
    VALUE.INT64: [-9223372036854775808, 72623859790382856, 9223372036854775807],
    VALUE.FLOAT32: [-0.0, 1.5, 3.4028234663852886e38], VALUE.FLOAT64: [-0.0, 0.1, 5e-324],
    VALUE.BOOL: [True, False, True],
    VALUE.STRING: ["", "▁the 模型 🦙", "a\tb\nc \\ " + "long " * 10],
}


def fnv1a(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def shown(kind, value) -> str:
    if kind in (VALUE.FLOAT32, VALUE.FLOAT64):
        return struct.pack(">d", value).hex()
    if kind == VALUE.BOOL:
        return "1" if value else "0"
    if kind == VALUE.STRING:
        for old, new in (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), (" ", "\\s")):
            value = value.replace(old, new)
        return value
    return str(int(value))


def facts_of_metadata(reader) -> list[str]:
    lines = []
    for key, field in reader.fields.items():
        if key.startswith("GGUF."):
            continue
        kind = field.types[0]
        if kind == VALUE.ARRAY:
            element = field.types[-1]
            values = " ".join(shown(element, v) for v in field.contents())
            lines.append(f"meta\t{key}\t[{NAMES[element]}]\t{values}")
        else:
            lines.append(f"meta\t{key}\t{NAMES[kind]}\t{shown(kind, field.contents())}")
    return sorted(lines)


def facts_of_tensors(reader) -> list[str]:
    return ["\t".join(["tensor", t.name, t.tensor_type.name.lower(),
                       ",".join(str(int(d)) for d in reversed(t.shape)), str(int(t.data_offset)),
                       str(int(t.n_bytes)), f"{fnv1a(t.data.tobytes()):016x}"])
            for t in reader.tensors]


def record(paths: list[Path], version: int, out: Path) -> None:
    readers = [gguf.GGUFReader(path) for path in paths]
    lines = [f"version\t{version}"] + facts_of_metadata(readers[0])
    for reader in readers:
        lines += facts_of_tensors(reader)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def add_every_value(writer) -> None:
    for kind, samples in SAMPLES.items():
        for i, sample in enumerate(samples):
            writer.add_key_value(f"test.{NAMES[kind]}.{i}", sample, kind)
        writer.add_key_value(f"test.array.{NAMES[kind]}", samples, VALUE.ARRAY, sub_type=kind)


def finish(writer) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_values(folder: Path) -> None:
    path = folder / "values-v3.gguf"
    writer = gguf.GGUFWriter(path, "test")
    add_every_value(writer)
    finish(writer)
    record([path], 3, path.with_suffix(".txt"))
    # Version 2 is the same bytes on little-endian machines, and GGUFWriter writes only version 3.
    old = folder / "values-v2.gguf"
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 4, 2)
    old.write_bytes(data)
    record([old], 2, old.with_suffix(".txt"))


# Left out: Q8_1 is a type of intermediate results, never of files, and the package gives it another
# size (40 bytes) than the C library (36); NVFP4 and Q1_0 have no number in Premise's table yet.
LEFT_OUT = {"Q8_1", "NVFP4", "Q1_0"}


def every_type() -> list:
    return [t for t in gguf.GGML_QUANT_SIZES if t.name not in LEFT_OUT]


def add_blocks(writer, random, name: str, kind, *shape: int) -> None:
    """A tensor of `shape` elements (row-major) with random bytes."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    row = shape[-1] // block * size
    data = random.integers(0, 256, size=(*shape[:-1], row), dtype=np.uint8)
    writer.add_tensor(name, data, raw_dtype=kind)


def write_tensors(folder: Path, name: str, alignment: int) -> None:
    random = np.random.default_rng(3)
    path = folder / f"{name}.gguf"
    writer = gguf.GGUFWriter(path, "test")
    if alignment != gguf.GGUF_DEFAULT_ALIGNMENT:
        writer.add_custom_alignment(alignment)
    for kind in every_type():
        block, _ = gguf.GGML_QUANT_SIZES[kind]
        add_blocks(writer, random, f"type.{kind.name.lower()}", kind, 2, block)
    for rank, shape in enumerate([(5,), (3, 7), (2, 3, 5), (2, 3, 1, 4)], start=1):
        add_blocks(writer, random, f"rank.{rank}", gguf.GGMLQuantizationType.F32, *shape)
    finish(writer)
    record([path], 3, path.with_suffix(".txt"))


def write_vocabulary_only(folder: Path) -> None:
    path = folder / "vocabulary-only.gguf"
    writer = gguf.GGUFWriter(path, "test")
    writer.add_token_list([f"<token {i}>" for i in range(300)])
    writer.add_token_scores([-float(i) for i in range(300)])
    writer.add_token_types([1 + i % 6 for i in range(300)])
    finish(writer)
    record([path], 3, path.with_suffix(".txt"))


def write_split(folder: Path) -> None:
    random = np.random.default_rng(4)
    writer = gguf.GGUFWriter(folder / "split.gguf", "test", split_max_tensors=2)
    writer.add_block_count(2)
    for i in range(5):
        add_blocks(writer, random, f"blk.{i}.weight", gguf.GGMLQuantizationType.Q8_0, 3, 64)
    finish(writer)
    paths = [folder / f"split-{i:05}-of-00003.gguf" for i in (1, 2, 3)]
    record(paths, 3, folder / "split.txt")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_values(folder)
    write_tensors(folder, "tensors", gguf.GGUF_DEFAULT_ALIGNMENT)
    write_tensors(folder, "aligned-128", 128)
    write_vocabulary_only(folder)
    write_split(folder)


if __name__ == "__main__":
    main()
