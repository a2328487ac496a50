#!/usr/bin/env python3
"""Writes unicode_classes_data.inc: the character classes that pre-tokenizer patterns speak of.

The classes are read out of the reference library itself (PyPI `tokenizers`), by asking its regular
expressions about every code point, so that the table is what published tokenizers are judged by.
Usage: make_unicode_classes.py unicode_classes_data.inc
"""
import sys

import tokenizers
from tokenizers import Regex, pre_tokenizers

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
BLOCK = 4096
# Order and values as in unicode_classes.h.
CLASSES = [
    (1, r"[\p{Lu}\p{Lt}]"), (2, r"\p{Ll}"), (4, r"[\p{Lm}\p{Lo}]"), (8, r"\p{M}"), (16, r"\p{N}"),
    (32, r"\s"), (64, r"\p{P}"), (128, r"\p{S}"),
]
PUNCTUATION_STEP = 256


def members(pattern):
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    for i in range(0, len(CODES), BLOCK):
        for piece, _ in split.pre_tokenize_str("".join(map(chr, CODES[i:i + BLOCK]))):
            yield from map(ord, piece)


def punctuation_step():
    """What the pre-tokenizer named Punctuation isolates: ASCII marks, and an older Unicode's \\p{P}."""
    step = pre_tokenizers.Punctuation()
    for i in range(0, len(CODES), BLOCK):
        text = "".join("a" + chr(c) for c in CODES[i:i + BLOCK])
        for piece, _ in step.pre_tokenize_str(text):
            if len(piece) == 1 and piece != "a":
                yield ord(piece)


def main():
    flags = [0] * 0x110000
    for value, pattern in CLASSES:
        for code in members(pattern):
            flags[code] |= value
    for code in punctuation_step():
        flags[code] |= PUNCTUATION_STEP
    lines, row, last = [], "", None
    for code, value in enumerate(flags):
        if value != last:
            item = f"{{0x{code:x}, {value}}},"
            if len(row) + len(item) + 1 > 98:
                lines.append(row)
                row = ""
            row += (" " if row else "") + item
            last = value
    lines.append(row)
    with open(sys.argv[1], "w") as out:
        out.write("// Written by make_unicode_classes.py from the regular expressions of tokenizers "
                  f"{tokenizers.__version__} (Unicode 16).\n")
        out.write("\n".join(lines) + "\n")


main()
