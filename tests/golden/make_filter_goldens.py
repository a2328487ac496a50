#!/usr/bin/env python3
"""Records how Python folds text, for the word filter: make_filter_goldens.py OUT_DIR

code_points.tsv   code point, tab, its NFKD and case folding, for all that change (of Hangul, which is
                  computed and not looked up, every 97th)
texts.tsv         text, tab, the same in NFKC and case folding, as code points: letters with marks in
                  any order, jamo, half-width kana, ligatures

All in hexadecimal. Python's unicodedata must be of Unicode 14.0 (Python 3.11), so that the record is
the same for everybody. utf8proc may be newer (2.8: Unicode 15.0): it knows more code points, but
normalization and case folding of those that were assigned never change (Unicode's stability policy).
"""

import pathlib
import random
import sys
import unicodedata


def folded(text):
    for _ in range(3):
        text = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFKD", text)


def composed(text):
    for _ in range(3):
        text = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", text)


def hexadecimal(text):
    return " ".join(f"{ord(letter):X}" for letter in text)


def code_points():
    for code in range(0x110000):
        letter = chr(code)
        if unicodedata.category(letter) in ("Cn", "Cs", "Co"):
            continue
        if 0xAC00 <= code <= 0xD7A3 and code % 97:
            continue
        if folded(letter) != letter:
            yield f"{code:X}\t{hexadecimal(folded(letter))}\n"


PIECES = ["a", "E", "s", "ß", "ﬁ", "Ａ", "ｂ", "ς", "α", "ά", "И", "й", "か", "ｶ", "ﾞ", "ﾟ", "ハ",
          "각", "가", "\u1100", "\u1161", "\u11A8", "法", "⽹", "㍿", "①", "Å", "ệ", "ǖ", "ṩ", "İ", "Ǆ",
          "\u0300", "\u0301", "\u0302", "\u0304", "\u0307", "\u0308", "\u0323", "\u0327", "\u0331",
          "\u3099", "\u309A", "कि", "\u093C", "ำ", "أ", "\u064E"]


def texts():
    random.seed(14)
    for _ in range(600):
        text = "".join(random.choice(PIECES) for _ in range(random.randint(1, 8)))
        yield f"{hexadecimal(text)}\t{hexadecimal(composed(text))}\n"


def main(folder):
    if unicodedata.unidata_version != "14.0.0":
        raise SystemExit(f"this Python knows Unicode {unicodedata.unidata_version}, not 14.0.0")
    out = pathlib.Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    (out / "code_points.tsv").write_text("".join(code_points()))
    (out / "texts.tsv").write_text("".join(texts()))


if __name__ == "__main__":
    main(sys.argv[1])
