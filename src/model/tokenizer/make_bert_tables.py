#!/usr/bin/env python3
"""Writes bert_text_data.inc: what BERT's text cleaning does to single characters.

The tables are read out of the reference library (PyPI `tokenizers`) by asking it about every code
point, since it mixes several versions of Unicode that no library of a distribution has all of.
Usage: make_bert_tables.py bert_text_data.inc
"""
import sys

from tokenizers import normalizers

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def changes(**switches):
    """Code point → what the reference makes of it, where it changes it."""
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    normalizer = normalizers.BertNormalizer(**{**off, **switches})
    results = ((c, normalizer.normalize_str(chr(c))) for c in CODES)
    return {c: text for c, text in results if text != chr(c)}


def ranges(codes):
    rows = []
    for code in sorted(codes):
        if rows and rows[-1][1] == code - 1:
            rows[-1][1] = code
        else:
            rows.append([code, code])
    return [f"{{0x{a:x}, 0x{b:x}}}," for a, b in rows]


def lowercase_runs(lower):
    """Runs {first, last, step, to}: first + k·step becomes to + k·step."""
    pairs = [(c, ord(text)) for c, text in sorted(lower.items()) if len(text) == 1]
    runs = []
    for code, to in pairs:
        if runs:
            run = runs[-1]
            step = code - run[1]
            if step in (1, 2) and run[2] in (0, step) and to - code == run[3] - run[0]:
                run[1], run[2] = code, step
                continue
        runs.append([code, code, 0, to])
    return [f"{{0x{a:x}, 0x{b:x}, {max(s, 1)}, 0x{t:x}}}," for a, b, s, t in runs]


def array(type_name, name, items):
    lines, row = [], ""
    for item in items:
        if len(row) + len(item) + 1 > 96:
            lines.append("    " + row)
            row = ""
        row += (" " if row else "") + item
    lines.append("    " + row)
    return f"constexpr {type_name} {name}[] = {{\n" + "\n".join(lines) + "};\n"


def main():
    clean = changes(clean_text=True)
    accents = changes(strip_accents=True)
    lower = changes(lowercase=True)
    assert {c for c, text in lower.items() if len(text) > 1} == {0x130}
    with open(sys.argv[1], "w") as out:
        out.write("// Written by make_bert_tables.py; do not edit.\n")
        out.write(array("CodeRange", "removed_codes", ranges(c for c, t in clean.items() if not t)))
        out.write(array("CodeRange", "nonspacing_marks",
                        ranges(c for c, t in accents.items() if not t)))
        out.write(array("CodeRange", "decomposable_codes",
                        ranges(c for c, t in accents.items() if t)))
        out.write(array("LowercaseRun", "lowercase_runs", lowercase_runs(lower)))


if __name__ == "__main__":
    main()
